#include "activities/connectors/buffer/graphql.h"

#include <utility>

#include "activities/connectors/wire/text.h"

namespace buffer {
namespace {

using wire::Json;

const outbound::Vendor kBuffer{.name = "buffer", .classify = &Classify};

// The first refusal in an answer: errors[].extensions.code, or the type name of a MutationError.
struct Refusal {
  std::string code;  // "" when there is none
  std::string message;
};

Refusal FindRefusal(const Json& body) {
  const Json& errors = wire::At(body, "errors");
  if (errors.is_array() && !errors.empty()) {
    Refusal refusal{.code = wire::StringAt(wire::At(errors.front(), "extensions"), "code"),
                    .message = wire::StringAt(errors.front(), "message")};
    if (refusal.code.empty()) refusal.code = "GRAPHQL_ERROR";
    return refusal;
  }
  const Json& data = wire::At(body, "data");
  if (data.is_object()) {
    for (const auto& [name, payload] : data.items()) {
      const std::string type = wire::StringAt(payload, "__typename");
      if (type.ends_with("Error")) {
        return {.code = type, .message = wire::StringAt(payload, "message")};
      }
    }
  }
  return {};
}

bool IsNotFound(const std::string& code) { return code == "NOT_FOUND" || code == "NotFoundError"; }

}  // namespace

outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response) {
  const int status = response.status;
  if (status < 200 || status >= 300) {
    outbound::Classification result = outbound::ClassifyByStatus(request, response);
    if (result.verdict == outbound::Verdict::kOk) {
      return outbound::Permanent(
          "InvalidRequest",
          wire::Cat("answered ", status, ": ", outbound::VendorMessage(response.body)));
    }
    // The rolling windows are long; without a hint a minute is a fair guess.
    if (status == 429 && result.retry_after <= absl::ZeroDuration()) {
      result.retry_after = absl::Minutes(1);
    }
    return result;
  }
  const std::optional<Json> body = wire::ParseJson(response.body);
  if (!body.has_value() || !body->is_object()) {
    return {.verdict = outbound::Verdict::kRetryUnknown,
            .failure_type = "MalformedResponse",
            .failure_message = "the answer is not a JSON object"};
  }
  const Refusal refusal = FindRefusal(*body);
  const std::string& code = refusal.code;
  if (code.empty() || IsNotFound(code)) return {};
  const std::string said = wire::Cat(code, ": ", wire::Truncate(refusal.message, 300));
  if (code == "RATE_LIMIT_EXCEEDED") {
    const absl::Duration wait =
        outbound::ParseRetryAfter(response.Header("retry-after"), response.received_at);
    return outbound::RateLimited(wait > absl::ZeroDuration() ? wait : absl::Minutes(1), said);
  }
  if (code == "UNAUTHORIZED" || code == "UNAUTHENTICATED" || code == "UnauthorizedError") {
    return outbound::Permanent("Unauthorized", said);
  }
  if (code == "FORBIDDEN") return outbound::Permanent("Forbidden", said);
  if (code == "LimitReachedError") return outbound::Permanent("LimitReached", said);
  if (code == "UNEXPECTED" || code == "UnexpectedError" || code == "RestProxyError" ||
      code == "INTERNAL_SERVER_ERROR") {
    return {.verdict = outbound::Verdict::kRetryUnknown,
            .failure_type = "VendorUnavailable",
            .failure_message = said};
  }
  return outbound::Permanent("InvalidRequest", said);
}

base::Task<base::Outcome<Json>> Execute(outbound::Outbound& outbound, std::string url,
                                        std::string token, std::string query, Json variables,
                                        std::string operation, outbound::Repeat repeat,
                                        outbound::CallContext context) {
  const Json body = {{"query", std::move(query)}, {"variables", std::move(variables)}};
  outbound::HttpRequest request = wire::JsonRequest("POST", std::move(url), body, operation);
  request.headers.emplace_back("Authorization", "Bearer " + token);
  request.repeat = repeat;
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound.Call(kBuffer, std::move(request), std::move(context));
  if (!response.ok()) co_return response.failure();
  const Json answer = wire::ParseJson(response->body).value_or(Json());
  const Refusal refusal = FindRefusal(answer);
  if (IsNotFound(refusal.code)) {
    co_return base::Failure::Permanent(
        "NotFound", wire::Cat("buffer ", operation, ": ", wire::Truncate(refusal.message, 300)));
  }
  const Json& data = wire::At(answer, "data");
  if (!data.is_object()) {
    co_return wire::Malformed("buffer", operation, repeat == outbound::Repeat::kUnsafe);
  }
  co_return data;
}

}  // namespace buffer
