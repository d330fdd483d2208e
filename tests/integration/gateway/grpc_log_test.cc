// What gRPC says by itself is in our log, as a line of it.
#include <gmock/gmock.h>
#include <grpc/support/log.h>

#include <nlohmann/json.hpp>

#include "orchestrator/base/log.h"
#include "tests/integration/gateway/gateway_fixture.h"

namespace gateway {
namespace {

class GrpcLog : public GatewayTest {};

TEST_F(GrpcLog, IsJson) {
  base::SetLogLevel(base::LogLevel::kWarning);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);  // as it is when nobody says otherwise
  testing::internal::CaptureStderr();
  gpr_log(GPR_ERROR, "a \"handshake\" failed");
  base::SetLogLevel(base::LogLevel::kOff);
  const auto line = nlohmann::json::parse(testing::internal::GetCapturedStderr());
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "grpc");
  EXPECT_EQ(line["extra"]["said"], "a \"handshake\" failed");
}

}  // namespace
}  // namespace gateway
