#include "gateway/rest/sse.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/json/json_writer.h"
#include "gateway/json/rpc_status.h"
#include "gateway/rest/header_fields.h"

namespace gateway {

namespace {

// What a caller sends back as Last-Event-ID: the message's resume_token.
std::string IdOf(const google::protobuf::Message& message) {
  const auto* field = message.GetDescriptor()->FindFieldByName("resume_token");
  if (field == nullptr || field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
    return "";
  }
  return message.GetReflection()->GetString(message, field);
}

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

  void Open() override { Begin(); }

  void Write(MessagePtr message, absl::AnyInvocable<void(bool)> done) override {
    Begin();
    exchange_->Run([exchange = exchange_, event_name = event_name_, message = std::move(message),
                    done = std::move(done)]() mutable {
      exchange->Write(EventText(event_name, IdOf(*message), ToJson(*message)), std::move(done));
    });
  }

  void Finish(absl::Status status) override {
    finished_ = true;
    if (!started_ && !status.ok()) {
      head_.status = HttpStatusOf(status.code());
      answered_(head_.status, status);
      exchange_->Run([exchange = exchange_, head = std::move(head_), status]() mutable {
        if (std::string after = RetryAfterOf(status); !after.empty()) {
          head.headers.emplace_back("Retry-After", std::move(after));
        }
        head.body = StatusJson(status);
        exchange->Send(std::move(head));
      });
      return;
    }
    Begin();
    answered_(200, status);
    exchange_->Run([exchange = exchange_, status]() mutable {
      std::string last =
          status.ok() ? EventText("end", "", "{}") : EventText("error", "", StatusJson(status));
      Exchange* writer = exchange.get();
      writer->Write(std::move(last),
                    [exchange = std::move(exchange)](bool) { exchange->EndStream(); });
    });
  }

 private:
  void Begin() {
    if (std::exchange(started_, true)) return;
    exchange_->Run([exchange = exchange_, head = std::move(head_)]() mutable {
      head.content_type = kEventStreamType;
      head.headers.emplace_back("Cache-Control", "no-store");
      head.headers.emplace_back("X-Accel-Buffering", "no");
      exchange->StartStream(std::move(head), ": keep-alive\n\n");
    });
  }

  const std::shared_ptr<Exchange> exchange_;
  const std::string event_name_;
  HttpResponse head_;
  const std::function<void(int, const absl::Status&)> answered_;
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace

std::string EventText(absl::string_view name, absl::string_view id, absl::string_view data) {
  return absl::StrCat(id.empty() ? "" : "id: ", id, id.empty() ? "" : "\n", "event: ", name,
                      "\ndata: ", data, "\n\n");
}

std::shared_ptr<Stream<MessagePtr>> MakeEventStream(
    std::shared_ptr<Exchange> exchange, std::string event_name, HttpResponse head,
    std::function<void(int, const absl::Status&)> answered) {
  return std::make_shared<EventStream>(std::move(exchange), std::move(event_name), std::move(head),
                                       std::move(answered));
}

}  // namespace gateway
