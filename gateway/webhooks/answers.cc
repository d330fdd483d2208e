#include "gateway/webhooks/answers.h"

#include <prometheus/counter.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/connectors/wire/json.h"
#include "orchestrator/base/log.h"

namespace webhooks {
namespace {

// gRPC's numbers.
int CodeOf(int http_status) {
  switch (http_status) {
    case 400:
      return 3;
    case 401:
      return 16;
    case 404:
      return 5;
    case 503:
      return 14;
    default:
      return 2;
  }
}

prometheus::Counter& Requests(base::Metrics& metrics, const std::string& source,
                              const std::string& result) {
  return metrics.Counter("webhook_requests_total",
                         "Requests to the webhook addresses by how they ended.",
                         {{"source", source}, {"result", result}});
}

}  // namespace

gateway::HttpResponse EmptyAnswer(int status) {
  return {.status = status, .content_type = "text/plain"};
}

gateway::HttpResponse JsonAnswer(int status, std::string json) {
  return {.status = status, .body = std::move(json)};
}

gateway::HttpResponse ErrorAnswer(int status, const std::string& message) {
  return JsonAnswer(status, wire::DumpJson({{"code", CodeOf(status)}, {"message", message}}));
}

gateway::HttpResponse NotSetUp(const std::string& vendor, const std::string& setting) {
  return ErrorAnswer(404, absl::StrCat("webhooks of ", vendor, " are not set up: ", setting,
                                       " is empty (docs/approvals.md)"));
}

gateway::HttpResponse TryAgainAnswer(const std::string& message) {
  gateway::HttpResponse response = ErrorAnswer(503, message);
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

gateway::HttpResponse RefuseSignature(base::Metrics& metrics, const std::string& source,
                                      SignatureCheck check) {
  CountRequest(metrics, source, absl::StrCat("signature_", SignatureProblem(check)));
  base::Log(base::LogLevel::kWarning, "a webhook was refused: its signature does not hold", {},
            {{"source", source}, {"signature", SignatureProblem(check)}});
  switch (check) {
    case SignatureCheck::kStale:
      return ErrorAnswer(401, "the time stamp is more than 5 minutes from ours; see to the clocks");
    case SignatureCheck::kMissing:
      return ErrorAnswer(401, "the signature is missing");
    default:
      return ErrorAnswer(401, "the signature does not fit; see to the secret at both ends");
  }
}

void CountRequest(base::Metrics& metrics, const std::string& source, const std::string& result) {
  Requests(metrics, source, result).Increment();
}

void CountFromZero(base::Metrics& metrics, const std::string& source,
                   std::initializer_list<const char*> results) {
  for (const char* result : results) Requests(metrics, source, result);
}

}  // namespace webhooks
