#include "activities/connectors/webhook/webhook_client.h"

#include <utility>

#include "activities/connectors/webhook/signature.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "activities/connectors/wire/uuid.h"

namespace webhook {
namespace {

using base::Outcome;
using base::Task;
using wire::Json;

outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response) {
  switch (response.status) {
    case 409:  // the same event is being worked on: its answer comes later
      return {.verdict = outbound::Verdict::kRetry,
              .failure_type = "VendorUnavailable",
              .failure_message = "the event is still being worked on (409)"};
    case 410:
      return outbound::Permanent("Unsubscribed", "the receiver wants no more events (410)");
    case 422:
      return outbound::Permanent("IdempotencyConflict", outbound::VendorMessage(response.body));
    default:
      return outbound::ClassifyByStatus(request, response);
  }
}

const outbound::Vendor& Cms() {
  static const outbound::Vendor* const kVendor =
      new outbound::Vendor{.name = "cms", .timeout = absl::Seconds(15), .classify = Classify};
  return *kVendor;
}

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

}  // namespace

WebhookClient::WebhookClient(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)) {}

Task<Outcome<outbound::HttpResponse>> WebhookClient::Send(const char* type, std::string seed,
                                                          absl::Time created, std::string data,
                                                          outbound::CallContext context) {
  const std::string id = wire::UuidOf(wire::Cat(type, "\n", seed));
  const Json body = {{"id", id},
                     {"type", type},
                     {"created", Rfc3339(created)},
                     {"data", wire::ParseJson(data).value_or(Json::object())}};
  outbound::HttpRequest request = wire::JsonRequest("POST", options_.url, body, type);
  request.repeat = outbound::Repeat::kSafe;  // the key makes a repeated event the same one
  context.idempotency_key = id;
  const std::string secret = options_.secret.value();
  if (!secret.empty()) {
    const absl::StatusOr<std::string> key = KeyOf(secret);
    if (!key.ok()) {
      co_return base::Failure::Permanent("InvalidSecret", std::string(key.status().message()));
    }
    const int64_t now = absl::ToUnixSeconds(outbound_.loop().clock().Now());
    request.headers.emplace_back("webhook-id", id);
    request.headers.emplace_back("webhook-timestamp", std::to_string(now));
    request.headers.emplace_back("webhook-signature", Sign(*key, id, now, request.body));
  }
  Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Cms(), std::move(request), std::move(context));
  co_return response;
}

Task<Outcome<Published>> WebhookClient::Publish(Content content, outbound::CallContext context) {
  const Json data = {{"name", content.name},       {"title", content.title},
                     {"summary", content.summary}, {"html", content.html},
                     {"link", content.link},       {"image_url", content.image_url}};
  Outcome<outbound::HttpResponse> response = co_await Send(
      kPublished, content.name, content.created, wire::DumpJson(data), std::move(context));
  if (!response.ok()) co_return response.failure();
  if (response->status == 404) {
    co_return base::Failure::Permanent("NotFound", "cms: nothing takes events there (404)");
  }
  // Any 2xx is enough; a receiver that says more is believed.
  const Json answer = wire::ParseJson(response->body).value_or(Json());
  co_return Published{.id = wire::StringAt(answer, "id"), .url = wire::StringAt(answer, "url")};
}

Task<Outcome<bool>> WebhookClient::Retract(std::string name, absl::Time created, int look,
                                           outbound::CallContext context) {
  const Json data = {{"name", name}, {"look", look}};
  Outcome<outbound::HttpResponse> response = co_await Send(
      kRetracted, wire::Cat(name, "\n", look), created, wire::DumpJson(data), std::move(context));
  if (!response.ok()) co_return response.failure();
  if (response->status == 404) co_return false;
  const Json answer = wire::ParseJson(response->body).value_or(Json());
  const Json& retracted = wire::At(answer, "retracted");
  co_return !retracted.is_boolean() || retracted.get<bool>();
}

}  // namespace webhook
