// Answers to webhooks, and the log line and count of each that was refused: without its body.
// Thread-safe.
//
// Example:
//   if (secret.empty()) return done(NotSetUp("Slack", "webhooks.slack.signing_secret"));
#pragma once

#include <initializer_list>
#include <string>

#include "gateway/rest/http.h"
#include "gateway/webhooks/signature.h"
#include "orchestrator/base/metrics.h"

namespace webhooks {

gateway::HttpResponse EmptyAnswer(int status = 200);
gateway::HttpResponse JsonAnswer(int status, std::string json);
// {"code": ..., "message": ...}, as the API says it.
gateway::HttpResponse ErrorAnswer(int status, const std::string& message);
gateway::HttpResponse NotSetUp(const std::string& vendor, const std::string& setting);
// 503 with Retry-After: the sender may send it again.
gateway::HttpResponse TryAgainAnswer(const std::string& message);

// Logs and counts a request that is not believed; its answer, 401.
gateway::HttpResponse RefuseSignature(base::Metrics& metrics, const std::string& source,
                                      SignatureCheck check);
// Counts a request: "accepted", "repeated", "ignored", "malformed", "busy", "answered",
// "signature_..." (of SignatureProblem), and of Google Chat "token_refused".
void CountRequest(base::Metrics& metrics, const std::string& source, const std::string& result);
// Puts the counters of a source's requests that end so at 0, so that the first one is an increase.
void CountFromZero(base::Metrics& metrics, const std::string& source,
                   std::initializer_list<const char*> results);

}  // namespace webhooks
