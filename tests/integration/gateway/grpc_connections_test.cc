// Connections that come and go, many at a time: each is served. (While their ends were watched by
// second descriptors, gRPC lost the beginning of some.)
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "orchestrator/v1/service.grpc.pb.h"
#include "tests/integration/gateway/gateway_fixture.h"

namespace gateway {
namespace {

using GrpcConnections = GatewayTest;

TEST_F(GrpcConnections, EveryNewConnectionIsServed) {
  constexpr int kAtOnce = 6;
  constexpr int kEach = 200;
  client_.AddCampaign("c1");
  grpc::ChannelArguments own;
  own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  std::atomic<int> served = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < kAtOnce; ++i) {
    callers.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        const auto stub = v1::WorkflowService::NewStub(
            grpc::CreateCustomChannel(grpc_address(), grpc::InsecureChannelCredentials(), own));
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
        v1::GetWorkflowRequest request;
        request.set_workflow_id("c1");
        v1::WorkflowInfo info;
        const grpc::Status status = stub->GetWorkflow(&context, request, &info);
        EXPECT_TRUE(status.ok()) << status.error_message();
        served += status.ok() ? 1 : 0;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(served, kAtOnce * kEach);
}

}  // namespace
}  // namespace gateway
