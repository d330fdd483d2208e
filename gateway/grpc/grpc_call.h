// What the gRPC adapters share: the call's metadata, statuses with details, the two reactors,
// and the log line and metrics of a call. Included by grpc_*.cc only.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/stream.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/client/client.h"

namespace gateway {

CallInfo MakeCallInfo(grpc::CallbackServerContext* context, std::shared_ptr<Peer> peer);
// With the payloads as google.rpc.Status in the binary details.
grpc::Status ToGrpcStatus(const absl::Status& status);

// The peers of the streams that are open, so that stopping need not wait for them. Thread-safe.
class OpenStreams {
 public:
  void Add(const std::shared_ptr<Peer>& peer);
  // Ends those that are open and those that come.
  void EndAll();

 private:
  absl::Mutex mu_;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  size_t sweep_at_ ABSL_GUARDED_BY(mu_) = 64;
  std::vector<std::weak_ptr<Peer>> peers_ ABSL_GUARDED_BY(mu_);
};

// Counts and times one call; failures are logged.
class CallRecord {
 public:
  CallRecord(const char* method, std::string correlation_id, base::Metrics* metrics);
  void Done(const absl::Status& status);

 private:
  const char* method_;
  std::string correlation_id_;
  base::Metrics* metrics_;
  std::chrono::steady_clock::time_point start_;
};

template <typename Request, typename Response, typename Impl>
grpc::ServerUnaryReactor* ServeUnary(grpc::CallbackServerContext* context, const Request& request,
                                     Response* response, Impl* impl,
                                     void (Impl::*method)(CallInfo, Request,
                                                          client::Callback<Response>),
                                     const char* name, base::Metrics* metrics) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  CallInfo call = MakeCallInfo(context, nullptr);
  CallRecord record(name, call.correlation_id, metrics);
  // `response` and `reactor` live until Finish.
  (impl->*method)(
      std::move(call), request,
      [reactor, response, record = std::move(record)](absl::StatusOr<Response> result) mutable {
        record.Done(result.status());
        if (!result.ok()) return reactor->Finish(ToGrpcStatus(result.status()));
        *response = *std::move(result);
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

// Owns itself until OnDone, which comes after Finish. The stream object stands between it and the
// handler, and finishes the call when the handler lets go of it unfinished.
template <typename T>
class StreamReactor : public grpc::ServerWriteReactor<T> {
 public:
  StreamReactor(const char* name, base::Metrics* metrics)
      : peer_(std::make_shared<Peer>()),
        record_(name, "", metrics),
        stream_(std::make_shared<Handle>(this)) {}

  const std::shared_ptr<Peer>& peer() const { return peer_; }
  // For the handler; to be taken once.
  std::shared_ptr<Stream<T>> stream() { return std::move(stream_); }

  void OnWriteDone(bool ok) override { std::exchange(written_, nullptr)(ok); }
  void OnCancel() override { peer_->SetGone(); }
  void OnDone() override {
    peer_->Forget();
    delete this;
  }

 private:
  class Handle : public Stream<T> {
   public:
    explicit Handle(StreamReactor* reactor) : reactor_(reactor) {}
    ~Handle() override {
      if (reactor_ != nullptr) Finish(absl::UnavailableError("the server is stopping"));
    }
    void Write(T message, absl::AnyInvocable<void(bool)> done) override {
      reactor_->message_ = std::move(message);
      reactor_->written_ = std::move(done);
      reactor_->StartWrite(&reactor_->message_);
    }
    void Finish(absl::Status status) override {
      StreamReactor* reactor = std::exchange(reactor_, nullptr);
      CHECK(reactor != nullptr) << "a stream finished twice";
      reactor->record_.Done(status);
      reactor->Finish(ToGrpcStatus(status));
    }

   private:
    StreamReactor* reactor_;
  };

  const std::shared_ptr<Peer> peer_;
  CallRecord record_;
  std::shared_ptr<Stream<T>> stream_;
  T message_;
  absl::AnyInvocable<void(bool)> written_;
};

}  // namespace gateway
