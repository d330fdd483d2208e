#include "activities/connectors/sendgrid/sendgrid_client.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "activities/connectors/sendgrid/message_json.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace sendgrid {
namespace {

using base::Outcome;
using base::Task;
using base::Unit;
using outbound::CallContext;
using wire::Json;

constexpr int kSendRoundsMax = 4;

// 429 carries no Retry-After: the budget's reset is in X-RateLimit-Reset (epoch seconds). A 400
// about a batch is an answer that callers read ("already canceled", "no such batch").
outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response) {
  const int status = response.status;
  if (status == 429) {
    absl::Duration wait =
        outbound::ParseRetryAfter(response.Header("retry-after"), response.received_at);
    if (wait <= absl::ZeroDuration()) {
      const int64_t reset =
          std::strtoll(std::string(response.Header("x-ratelimit-reset")).c_str(), nullptr, 10);
      const absl::Duration left = absl::FromUnixSeconds(reset) - response.received_at;
      wait = reset > 0 ? std::clamp(left, absl::Seconds(1), absl::Hours(1)) : absl::Seconds(1);
    }
    return outbound::RateLimited(
        wait, wire::Cat("answered 429: ", outbound::VendorMessage(response.body)));
  }
  const bool about_batch = request.operation != "mail.send" && request.operation != "batch.create";
  if (status == 400 && about_batch) return {};
  const bool reads_body =
      request.operation == "batch.create" || request.operation == "scheduled_sends.get";
  if (status >= 200 && status < 300 && reads_body && !Json::accept(response.body)) {
    return {.verdict = outbound::Verdict::kRetryUnknown,
            .failure_type = "MalformedResponse",
            .failure_message = "the answer is not JSON"};
  }
  return outbound::ClassifyByStatus(request, response);
}

const outbound::Vendor kSendgrid{.name = "sendgrid", .classify = &Classify};

bool IsSuccess(const outbound::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

base::Failure Refused(const std::string& what, int status, const std::string& said) {
  return base::Failure::Permanent("InvalidRequest",
                                  wire::Cat("sendgrid: ", what, ": answered ", status, ": ", said));
}

}  // namespace

SendgridClient::SendgridClient(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)) {}

outbound::HttpRequest SendgridClient::Request(std::string method, std::string path,
                                              std::string operation) const {
  outbound::HttpRequest request;
  request.method = std::move(method);
  request.url = wire::JoinUrl(options_.base_url, path);
  request.operation = std::move(operation);
  request.headers = {{"Authorization", "Bearer " + options_.token.value()}};
  return request;
}

Task<Outcome<std::string>> SendgridClient::CreateBatch(CallContext context) {
  outbound::HttpRequest request = Request("POST", "/v3/mail/batch", "batch.create");
  Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(kSendgrid, std::move(request), std::move(context));
  if (!response.ok()) co_return response.failure();
  if (!IsSuccess(*response)) {
    co_return Refused("a new batch", response->status, outbound::VendorMessage(response->body));
  }
  std::string batch_id =
      wire::StringAt(wire::ParseJson(response->body).value_or(Json()), "batch_id");
  if (batch_id.empty()) co_return wire::Malformed("sendgrid", "batch.create", false);
  co_return batch_id;
}

Task<Outcome<Unit>> SendgridClient::SendScheduled(std::string batch_id, Message message,
                                                  absl::Time send_at, CallContext context) {
  Outcome<std::string> body =
      MailBody(message, batch_id, send_at, outbound_.loop().clock().Now(), context);
  if (!body.ok()) co_return body.failure();
  outbound::HttpRequest request = Request("POST", "/v3/mail/send", "mail.send");
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  request.body = std::move(*body);
  request.repeat = outbound::Repeat::kUnsafe;
  Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(kSendgrid, std::move(request), std::move(context));
  if (!response.ok()) co_return response.failure();
  if (!IsSuccess(*response)) {
    co_return Refused("the mail", response->status, outbound::VendorMessage(response->body));
  }
  co_return Unit{};
}

Task<Outcome<BatchState>> SendgridClient::GetBatch(std::string batch_id, CallContext context) {
  const std::string id = wire::PercentEncode(batch_id);
  outbound::HttpRequest request =
      Request("GET", "/v3/user/scheduled_sends/" + id, "scheduled_sends.get");
  Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(kSendgrid, std::move(request), context);
  if (!response.ok()) co_return response.failure();
  if (IsSuccess(*response)) {
    const Json list = wire::ParseJson(response->body).value_or(Json());
    const Json& first = list.is_array() && !list.empty() ? list.front() : list;
    const std::string status = wire::StringAt(first, "status");
    if (status == "cancel") co_return BatchState::kCanceled;
    if (status == "pause") co_return BatchState::kPaused;
  }
  outbound::HttpRequest validate = Request("GET", "/v3/mail/batch/" + id, "batch.get");
  Outcome<outbound::HttpResponse> valid =
      co_await outbound_.Call(kSendgrid, std::move(validate), context);
  if (!valid.ok()) co_return valid.failure();
  co_return IsSuccess(*valid) ? BatchState::kActive : BatchState::kUnknownBatch;
}

Task<Outcome<bool>> SendgridClient::CancelBatch(std::string batch_id, CallContext context) {
  outbound::HttpRequest request =
      Request("POST", "/v3/user/scheduled_sends", "scheduled_sends.create");
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  request.body = wire::DumpJson({{"batch_id", batch_id}, {"status", "cancel"}});
  Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(kSendgrid, std::move(request), context);
  if (!response.ok()) co_return response.failure();
  if (IsSuccess(*response)) co_return true;
  Outcome<bool> done = co_await CancelRefusedOnce(batch_id, outbound::VendorMessage(response->body),
                                                  std::move(context));
  co_return done;
}

// A second POST on a batch is refused, whatever the first one said.
Task<Outcome<bool>> SendgridClient::CancelRefusedOnce(std::string batch_id, std::string said,
                                                      CallContext context) {
  Outcome<BatchState> state = co_await GetBatch(batch_id, context);
  if (!state.ok()) co_return state.failure();
  if (*state == BatchState::kCanceled || *state == BatchState::kUnknownBatch) co_return false;
  if (*state == BatchState::kPaused) {
    outbound::HttpRequest request =
        Request("PATCH", "/v3/user/scheduled_sends/" + wire::PercentEncode(batch_id),
                "scheduled_sends.update");
    request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
    request.body = wire::DumpJson({{"status", "cancel"}});
    Outcome<outbound::HttpResponse> response =
        co_await outbound_.Call(kSendgrid, std::move(request), context);
    if (!response.ok()) co_return response.failure();
    if (IsSuccess(*response)) co_return true;
    said = outbound::VendorMessage(response->body);
  }
  // Not canceled and refused: the account holds too many cancellations at once. They free up as
  // their mails' times pass.
  base::Failure failure = base::Failure::Retryable(
      "CancelRefused", wire::Cat("sendgrid: batch ", batch_id, " cannot be canceled now: ", said));
  failure.retry_after = absl::Minutes(1);
  co_return failure;
}

Task<Outcome<Scheduled>> SendgridClient::SendOnce(Message message, absl::Time send_at,
                                                  std::vector<std::string> used_batch_ids,
                                                  Journal journal, CallContext context) {
  for (const std::string& batch_id : used_batch_ids) {
    Outcome<bool> canceled = co_await CancelBatch(batch_id, context);
    if (!canceled.ok()) co_return canceled.failure();
  }
  std::vector<std::string> batch_ids = std::move(used_batch_ids);
  for (int round = 1;; ++round) {
    Outcome<std::string> batch_id = co_await CreateBatch(context);
    if (!batch_id.ok()) co_return batch_id.failure();
    batch_ids.push_back(*batch_id);
    base::Done written = co_await journal(batch_ids);
    if (!written.ok()) co_return written.failure();
    Outcome<Unit> sent = co_await SendScheduled(*batch_id, message, send_at, context);
    if (sent.ok()) {
      co_return Scheduled{.batch_id = *batch_id, .send_at = send_at, .batch_ids = batch_ids};
    }
    if (!sent.failure().effect_unknown) co_return sent.failure();
    Outcome<bool> canceled = co_await CancelBatch(*batch_id, context);
    // Left uncanceled, the batch is in the journal: the next attempt or the undo cancels it.
    if (!canceled.ok()) co_return canceled.failure();
    if (round >= kSendRoundsMax) {
      base::Failure failure = sent.failure();
      failure.effect_unknown = false;  // nothing of it can go out
      co_return failure;
    }
  }
}

}  // namespace sendgrid
