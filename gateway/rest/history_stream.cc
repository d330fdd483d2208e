#include "gateway/rest/history_stream.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/grpc/progress.h"
#include "gateway/json/field_violations.h"
#include "gateway/json/json_writer.h"
#include "gateway/json/rpc_status.h"
#include "gateway/rest/header_fields.h"
#include "gateway/rest/sse.h"
#include "orchestrator/v1/service.pb.h"

namespace gateway {

namespace {

namespace v1 = ::orchestrator::v1;

constexpr int kWaitSeconds = 30;
constexpr int kPageSize = 100;  // events written at once

// Reads "RUN_ID/EVENT_ID" into the request.
absl::Status ReadLastEventId(const std::string& id, v1::GetWorkflowHistoryRequest* request) {
  if (id.empty()) return absl::OkStatus();
  const size_t slash = id.rfind('/');
  int64_t event_id = 0;
  if (slash == id.npos || slash == 0 || !absl::SimpleAtoi(id.substr(slash + 1), &event_id) ||
      event_id < 0) {
    return FieldError("Last-Event-ID", "is not the id of an event of a history");
  }
  const std::string run_id = id.substr(0, slash);
  if (!request->run_id().empty() && request->run_id() != run_id) {
    return FieldError(
        "run_id", absl::StrCat("is ", request->run_id(), ", but Last-Event-ID is of run ", run_id));
  }
  request->set_run_id(run_id);
  request->set_after_event_id(event_id);
  return absl::OkStatus();
}

// Everything happens on the connection's thread. One thing is under way at a time (a call or a
// write), whose callback does the next.
class HistoryStream : public std::enable_shared_from_this<HistoryStream> {
 public:
  HistoryStream(const Router::Method& method, CallInfo call, v1::GetWorkflowHistoryRequest request,
                StreamSlots::Slot slot, Resource resource, std::shared_ptr<Exchange> exchange,
                HttpResponse head, std::function<void(int, const absl::Status&)> answered)
      : method_(method),
        call_(std::move(call)),
        request_(std::move(request)),
        slot_(std::move(slot)),
        resource_(std::move(resource)),
        exchange_(std::move(exchange)),
        head_(std::move(head)),
        answered_(std::move(answered)) {}

  void Start() {
    request_.set_page_size(kPageSize);
    request_.clear_wait();  // the first page comes at once, or the error does
    if (call_.peer != nullptr) {
      call_.peer->OnGone([weak = weak_from_this()] {
        if (auto self = weak.lock()) self->Leave();
      });
    }
    Read();
  }

  Exchange* exchange() { return exchange_.get(); }

  void Finish(const absl::Status& why) {
    if (std::exchange(finished_, true)) return;
    slot_.reset();
    const absl::Status status = WithDetails(why, resource_);
    if (!begun_) {
      if (std::string delay = RetryAfterOf(status); !delay.empty()) {
        head_.headers.emplace_back("Retry-After", std::move(delay));
      }
      head_.status = HttpStatusOf(status.code());
      head_.body = StatusJson(status);
      answered_(head_.status, status);
      return exchange_->Send(std::move(head_));
    }
    answered_(200, status);
    std::string last = status.ok()
                           ? EventText("end", "", absl::StrCat("{\"status\":\"", closed_, "\"}"))
                           : EventText("error", "", StatusJson(status));
    exchange_->Write(std::move(last), [exchange = exchange_](bool) { exchange->EndStream(); });
  }

 private:
  void Read() {
    if (finished_) return;
    method_.unary(call_, std::make_unique<v1::GetWorkflowHistoryRequest>(request_),
                  [self = shared_from_this()](absl::StatusOr<MessagePtr> response) {
                    Exchange* runner = self->exchange_.get();
                    runner->Run([self, response = std::move(response)]() mutable {
                      self->OnPage(std::move(response));
                    });
                  });
  }

  void OnPage(absl::StatusOr<MessagePtr> message) {
    if (finished_) return;
    if (!message.ok()) return Finish(message.status());
    const auto& page = static_cast<const v1::GetWorkflowHistoryResponse&>(**message);
    request_.set_run_id(page.run_id());
    std::string events;
    for (const v1::HistoryEvent& event : page.events()) {
      request_.set_after_event_id(event.event_id());
      absl::StrAppend(
          &events,
          EventText("history", absl::StrCat(page.run_id(), "/", event.event_id()), ToJson(event)));
    }
    const bool more = page.next_after_event_id() != 0;
    if (IsClosed(page.status()) && !more) {
      closed_ = v1::RunStatus::Value_Name(page.status());
    }
    if (more) {
      request_.clear_wait();
    } else {
      request_.mutable_wait()->set_seconds(kWaitSeconds);
    }
    Begin();
    if (events.empty()) return Written(true);
    writing_ = true;
    exchange_->Write(std::move(events),
                     [self = shared_from_this()](bool ok) { self->Written(ok); });
  }

  void Begin() {
    if (std::exchange(begun_, true)) return;
    head_.content_type = kEventStreamType;
    head_.headers.emplace_back("Cache-Control", "no-store");
    head_.headers.emplace_back("X-Accel-Buffering", "no");
    exchange_->StartStream(std::move(head_), ": keep-alive\n\n");
  }

  void Written(bool ok) {
    writing_ = false;
    if (!ok || leaving_) return Finish(WhyLeft());
    if (!closed_.empty()) return Finish(absl::OkStatus());
    Read();
  }

  // The peer has left, or the server stops. A write under way ends first.
  void Leave() {
    leaving_ = true;
    if (!writing_) Finish(WhyLeft());
  }

  absl::Status WhyLeft() const {
    absl::Status why = call_.peer == nullptr ? absl::OkStatus() : call_.peer->why();
    return why.ok() ? absl::CancelledError("the caller has left") : why;
  }

  const Router::Method& method_;
  const CallInfo call_;
  v1::GetWorkflowHistoryRequest request_;  // the next one
  StreamSlots::Slot slot_;
  const Resource resource_;
  const std::shared_ptr<Exchange> exchange_;
  HttpResponse head_;
  const std::function<void(int, const absl::Status&)> answered_;
  bool begun_ = false;
  std::string closed_;  // the run's status, when it is

  bool writing_ = false;
  bool leaving_ = false;
  bool finished_ = false;
};

}  // namespace

bool WantsEvents(const HttpRequest& request) {
  return absl::StrContains(absl::AsciiStrToLower(request.Header("accept")), kEventStreamType);
}

void StreamHistory(const Router::Method& method, CallInfo call, MessagePtr request,
                   const std::string& last_event_id, StreamSlots::Slot slot, Resource resource,
                   std::shared_ptr<Exchange> exchange, HttpResponse head,
                   std::function<void(int, const absl::Status&)> answered) {
  auto& history = static_cast<v1::GetWorkflowHistoryRequest&>(*request);
  const absl::Status status = ReadLastEventId(last_event_id, &history);
  auto stream = std::make_shared<HistoryStream>(
      method, std::move(call), std::move(history), std::move(slot), std::move(resource),
      std::move(exchange), std::move(head), std::move(answered));
  Exchange* runner = stream->exchange();
  runner->Run([stream, status] { status.ok() ? stream->Start() : stream->Finish(status); });
}

}  // namespace gateway
