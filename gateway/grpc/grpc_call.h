// What the gRPC adapters share: the call's metadata, statuses with details, the two reactors,
// and the log line and metrics of a call. Included by grpc_*.cc only.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/front_door.h"
#include "gateway/grpc/grpc_services.h"
#include "gateway/grpc/stream.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/client/client.h"

namespace gateway {

// A method by its service's full name ("campaign.v1.CampaignService") and its own.
struct GrpcMethod {
  const char* service;
  const char* name;
};

// Makes a correlation id where the caller gives none, and sends it back.
CallInfo MakeCallInfo(grpc::CallbackServerContext* context, std::shared_ptr<Peer> peer,
                      const GrpcParts& parts);
// What the call has shown, and what it asks to work in; the request is still to be given.
FrontDoor::Knock MakeKnock(const grpc::CallbackServerContext& context, const GrpcMethod& method,
                           CallInfo call);
// Headers of an answer that is refused or admitted, before it is finished.
void AddHeaders(grpc::CallbackServerContext* context, const absl::StatusOr<Admission>& admission);
// "retry-after" and the like of a status that says when to come back.
void AddLimitHeaders(grpc::CallbackServerContext* context, const absl::Status& status);
// With the payloads as google.rpc.Status in the binary details.
grpc::Status ToGrpcStatus(const absl::Status& status);

// The peers of calls that are open, so that stopping need not wait for them. Thread-safe.
class OpenCalls {
 public:
  void Add(const std::shared_ptr<Peer>& peer);
  // Ends those that come.
  void TakeNoMore();
  // Ends those that are open, too.
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

// The one answer of a unary call: its handler's, or DEADLINE_EXCEEDED when that is too late.
// Thread-safe.
class UnaryAnswer : public std::enable_shared_from_this<UnaryAnswer> {
 public:
  UnaryAnswer(grpc::ServerUnaryReactor* reactor, CallRecord record)
      : reactor_(reactor), record_(std::move(record)), peer_(std::make_shared<Peer>()) {}

  // Answers by itself after `timeout`, if the caller's own deadline is not nearer; 0: never.
  void Limit(const grpc::CallbackServerContext& context, absl::Duration timeout);
  // Answers by itself when `calls` are ended. False: they have been, and it is answered.
  bool Join(OpenCalls& calls);
  // True for the first only: the others find context, response and reactor gone.
  bool Claim() { return !claimed_.exchange(true); }
  // After Claim.
  void Finish(const absl::Status& status);

 private:
  grpc::ServerUnaryReactor* const reactor_;
  CallRecord record_;
  const std::shared_ptr<Peer> peer_;
  std::atomic<bool> claimed_ = false;
  std::chrono::system_clock::time_point deadline_ = std::chrono::system_clock::time_point::max();
  std::unique_ptr<grpc::Alarm> alarm_;  // may be null
};

template <typename Request, typename Response, typename Impl>
grpc::ServerUnaryReactor* ServeUnary(grpc::CallbackServerContext* context, const Request& request,
                                     Response* response, Impl* impl,
                                     void (Impl::*method)(CallInfo, Request,
                                                          client::Callback<Response>),
                                     GrpcMethod name, const GrpcParts& parts) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  CallInfo call = MakeCallInfo(context, nullptr, parts);
  auto answer = std::make_shared<UnaryAnswer>(
      reactor, CallRecord(name.name, call.correlation_id, parts.metrics));
  FrontDoor::Knock knock = MakeKnock(*context, name, std::move(call));
  // The door writes into the request.
  auto own = std::make_unique<Request>(request);
  knock.read = [own = own.get()]() -> absl::StatusOr<google::protobuf::Message*> { return own; };
  // `context` and `response` live until the answer is finished.
  parts.door->Enter(std::move(knock), [context, response, impl, method, answer, calls = parts.unary,
                                       timeout = parts.request_timeout, own = std::move(own)](
                                          absl::StatusOr<Admission> admission) mutable {
    AddHeaders(context, admission);
    if (!admission.ok()) {
      if (answer->Claim()) answer->Finish(admission.status());
      return;
    }
    answer->Limit(*context, timeout);
    if (!answer->Join(*calls)) return admission->Leave(ServerStopping());
    CallInfo admitted = std::move(admission->call);
    (impl->*method)(std::move(admitted), std::move(*own),
                    [context, response, answer,
                     admission = *std::move(admission)](absl::StatusOr<Response> result) mutable {
                      admission.Leave(result.status(), result.ok() ? &*result : nullptr);
                      if (!answer->Claim()) return;
                      AddLimitHeaders(context, result.status());
                      const absl::Status status = WithDetails(result.status(), admission.resource);
                      if (result.ok()) *response = *std::move(result);
                      answer->Finish(status);
                    });
  });
  return reactor;
}

// Owns itself until OnDone, which comes after Finish. The stream object stands between it and the
// handler, and finishes the call when the handler lets go of it unfinished.
template <typename T>
class StreamReactor : public grpc::ServerWriteReactor<T> {
 public:
  StreamReactor(std::shared_ptr<Peer> peer, CallRecord record)
      : peer_(std::move(peer)),
        record_(std::move(record)),
        stream_(std::make_shared<Handle>(this)) {}

  // What is told how the stream ended; before the handler has the stream.
  void set_admission(Admission admission) { admission_ = std::move(admission); }
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
    void Open() override { reactor_->StartSendInitialMetadata(); }
    void Write(T message, absl::AnyInvocable<void(bool)> done) override {
      reactor_->message_ = std::move(message);
      reactor_->written_ = std::move(done);
      reactor_->StartWrite(&reactor_->message_);
    }
    void Finish(absl::Status status) override {
      StreamReactor* reactor = std::exchange(reactor_, nullptr);
      CHECK(reactor != nullptr) << "a stream finished twice";
      reactor->record_.Done(status);
      reactor->admission_.Leave(status);
      reactor->Finish(ToGrpcStatus(WithDetails(status, reactor->admission_.resource)));
    }

   private:
    StreamReactor* reactor_;
  };

  const std::shared_ptr<Peer> peer_;
  CallRecord record_;
  Admission admission_;
  std::shared_ptr<Stream<T>> stream_;
  T message_;
  absl::AnyInvocable<void(bool)> written_;
};

template <typename Request, typename T, typename Impl>
grpc::ServerWriteReactor<T>* ServeStream(grpc::CallbackServerContext* context,
                                         const Request& request, Impl* impl,
                                         void (Impl::*method)(CallInfo, Request,
                                                              std::shared_ptr<Stream<T>>),
                                         GrpcMethod name, const GrpcParts& parts) {
  const auto peer = std::make_shared<Peer>();
  CallInfo call = MakeCallInfo(context, peer, parts);
  auto* reactor =
      new StreamReactor<T>(peer, CallRecord(name.name, call.correlation_id, parts.metrics));
  FrontDoor::Knock knock = MakeKnock(*context, name, std::move(call));
  auto own = std::make_unique<Request>(request);
  knock.read = [own = own.get()]() -> absl::StatusOr<google::protobuf::Message*> { return own; };
  // `context` and `reactor` live until the stream is finished.
  parts.door->Enter(std::move(knock),
                    [context, reactor, stream = reactor->stream(), impl, method,
                     own = std::move(own)](absl::StatusOr<Admission> admission) mutable {
                      AddHeaders(context, admission);
                      if (!admission.ok()) return stream->Finish(admission.status());
                      CallInfo call = std::move(admission->call);
                      reactor->set_admission(*std::move(admission));
                      (impl->*method)(std::move(call), std::move(*own), std::move(stream));
                    });
  parts.streams->Add(peer);
  return reactor;
}

}  // namespace gateway
