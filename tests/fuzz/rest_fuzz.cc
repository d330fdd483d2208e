// REST requests: "METHOD /path?query", a line break, the body. Each is a message or an error of the
// caller's, and a message can be said in JSON.
#include <cstddef>
#include <cstdint>
#include <string>

#include "gateway/grpc/register.h"
#include "gateway/json/json_writer.h"
#include "gateway/rest/transcoder.h"
#include "orchestrator/base/check.h"

namespace {

const gateway::Transcoder& Transcoder() {
  static const auto* transcoder = [] {
    auto* router = new gateway::Router;
    gateway::RegisterWorkflowService(nullptr, router);  // the methods are not called
    gateway::RegisterCampaignService(nullptr, router);
    gateway::RegisterScheduleService(nullptr, router);
    gateway::RegisterBatchService(nullptr, router);
    gateway::RegisterAccessService(nullptr, router);
    gateway::RegisterAuditService(nullptr, router);
    gateway::RegisterOperationsService(nullptr, router);
    return new gateway::Transcoder(*router);
  }();
  return *transcoder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string line = text.substr(0, text.find('\n'));
  gateway::HttpRequest http;
  http.method = line.substr(0, line.find(' '));
  const std::string target =
      line.size() > http.method.size() ? line.substr(http.method.size() + 1) : std::string();
  http.path = target.substr(0, target.find('?'));
  http.query = target.size() > http.path.size() ? target.substr(http.path.size() + 1) : "";
  http.body = text.size() > line.size() ? text.substr(line.size() + 1) : "";
  const gateway::Transcoder::Match match = Transcoder().Find(http.method, http.path);
  if (match.route == nullptr) return 0;
  const auto request = Transcoder().Read(match, http);
  if (!request.ok()) {
    CHECK(request.status().code() == absl::StatusCode::kInvalidArgument)
        << request.status().ToString();
    return 0;
  }
  CHECK(!gateway::ToJson(**request).empty());
  return 0;
}
