#include "gateway/rest/sse.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/json/json_writer.h"
#include "gateway/json/rpc_status.h"

namespace gateway {

namespace {

class EventStream : public Stream<MessagePtr> {
 public:
  EventStream(std::shared_ptr<Exchange> exchange, std::string event_name, HttpResponse head,
              std::function<void(int, const absl::Status&)> answered)
      : exchange_(std::move(exchange)),
        event_name_(std::move(event_name)),
        head_(std::move(head)),
        answered_(std::move(answered)) {}
  ~EventStream() override {
    if (!finished_) Finish(absl::UnavailableError("the server is stopping"));
  }

  void Write(MessagePtr message, absl::AnyInvocable<void(bool)> done) override {
    const bool first = !std::exchange(started_, true);
    exchange_->Run([exchange = exchange_, event_name = event_name_, first, head = head_,
                    message = std::move(message), done = std::move(done)]() mutable {
      if (first) {
        head.content_type = kEventStreamType;
        head.headers.emplace_back("Cache-Control", "no-store");
        head.headers.emplace_back("X-Accel-Buffering", "no");
        exchange->StartStream(std::move(head), ": keep-alive\n\n");
      }
      exchange->Write(absl::StrCat("event: ", event_name, "\ndata: ", ToJson(*message), "\n\n"),
                      std::move(done));
    });
  }

  void Finish(absl::Status status) override {
    finished_ = true;
    if (!started_) {
      if (status.ok()) status = absl::InternalError("the stream ended without a message");
      head_.status = HttpStatusOf(status.code());
      answered_(head_.status, status);
      exchange_->Run([exchange = exchange_, head = std::move(head_), status]() mutable {
        head.body = StatusJson(status);
        exchange->Send(std::move(head));
      });
      return;
    }
    answered_(200, status);
    exchange_->Run([exchange = exchange_, status]() mutable {
      std::string last = status.ok()
                             ? "event: end\ndata: {}\n\n"
                             : absl::StrCat("event: error\ndata: ", StatusJson(status), "\n\n");
      Exchange* writer = exchange.get();
      writer->Write(std::move(last),
                    [exchange = std::move(exchange)](bool) { exchange->EndStream(); });
    });
  }

 private:
  const std::shared_ptr<Exchange> exchange_;
  const std::string event_name_;
  HttpResponse head_;
  const std::function<void(int, const absl::Status&)> answered_;
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace

std::shared_ptr<Stream<MessagePtr>> MakeEventStream(
    std::shared_ptr<Exchange> exchange, std::string event_name, HttpResponse head,
    std::function<void(int, const absl::Status&)> answered) {
  return std::make_shared<EventStream>(std::move(exchange), std::move(event_name), std::move(head),
                                       std::move(answered));
}

}  // namespace gateway
