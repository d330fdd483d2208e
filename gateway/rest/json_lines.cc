#include "gateway/rest/json_lines.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/json/json_writer.h"
#include "gateway/json/rpc_status.h"

namespace gateway {

namespace {

// Lines are sent in pieces of about this size.
constexpr size_t kPieceBytes = 16 * 1024;

class JsonLines : public Stream<MessagePtr> {
 public:
  JsonLines(std::shared_ptr<Exchange> exchange, HttpResponse head,
            std::function<void(int, const absl::Status&)> answered)
      : exchange_(std::move(exchange)), head_(std::move(head)), answered_(std::move(answered)) {
    head_.content_type = kJsonLinesType;
    head_.headers.emplace_back("Cache-Control", "no-store");
  }
  ~JsonLines() override {
    if (!finished_) Finish(absl::UnavailableError("the server is stopping"));
  }

  void Write(MessagePtr message, absl::AnyInvocable<void(bool)> done) override {
    absl::StrAppend(&lines_, ToJson(*message), "\n");
    if (lines_.size() < kPieceBytes) return done(true);
    exchange_->Run([exchange = exchange_, head = TakeHead(), lines = std::exchange(lines_, ""),
                    done = std::move(done)]() mutable {
      if (head != nullptr) exchange->StartStream(*std::move(head), "");
      exchange->Write(std::move(lines), std::move(done));
    });
  }

  void Finish(absl::Status status) override {
    finished_ = true;
    if (!started_ && !status.ok()) {
      head_.status = HttpStatusOf(status.code());
      head_.content_type = kJsonType;
      answered_(head_.status, status);
      exchange_->Run([exchange = exchange_, head = std::move(head_), status]() mutable {
        head.body = StatusJson(status);
        exchange->Send(std::move(head));
      });
      return;
    }
    answered_(200, status);
    if (!status.ok()) absl::StrAppend(&lines_, "{\"error\":", StatusJson(status), "}\n");
    if (!started_) {  // short: an ordinary answer
      exchange_->Run(
          [exchange = exchange_, head = std::move(head_), lines = std::move(lines_)]() mutable {
            head.body = std::move(lines);
            exchange->Send(std::move(head));
          });
      return;
    }
    exchange_->Run([exchange = exchange_, lines = std::move(lines_)]() mutable {
      if (lines.empty()) return exchange->EndStream();
      Exchange* writer = exchange.get();
      writer->Write(std::move(lines),
                    [exchange = std::move(exchange)](bool) { exchange->EndStream(); });
    });
  }

 private:
  // Null when the head has been sent.
  std::unique_ptr<HttpResponse> TakeHead() {
    if (std::exchange(started_, true)) return nullptr;
    return std::make_unique<HttpResponse>(head_);
  }

  const std::shared_ptr<Exchange> exchange_;
  HttpResponse head_;
  const std::function<void(int, const absl::Status&)> answered_;
  std::string lines_;
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace

std::shared_ptr<Stream<MessagePtr>> MakeJsonLines(
    std::shared_ptr<Exchange> exchange, HttpResponse head,
    std::function<void(int, const absl::Status&)> answered) {
  return std::make_shared<JsonLines>(std::move(exchange), std::move(head), std::move(answered));
}

}  // namespace gateway
