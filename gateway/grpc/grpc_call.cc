#include "gateway/grpc/grpc_call.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/auth/limit_status.h"
#include "gateway/grpc/ids.h"
#include "gateway/json/rpc_status.h"
#include "gateway/tls/certificates.h"
#include "google/rpc/status.pb.h"
#include "orchestrator/base/log.h"

namespace gateway {

namespace {

constexpr size_t kMetadataLengthMax = 128;

// The metadata's value; empty when it is missing, too long or not printable.
std::string Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end()) return "";
  const grpc::string_ref value = found->second;
  const bool printable = std::all_of(value.begin(), value.end(),
                                     [](unsigned char c) { return absl::ascii_isprint(c); });
  if (value.size() > kMetadataLengthMax || !printable) return "";
  return std::string(value.data(), value.size());
}

// What the client proved by mutual TLS; null: nothing.
std::shared_ptr<const tls::PeerCertificate> CertificateOf(
    const grpc::CallbackServerContext& context) {
  const auto auth = context.auth_context();
  if (auth == nullptr) return nullptr;
  const auto pem = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.empty()) return nullptr;
  return tls::DescribeCached(std::string(pem.front().data(), pem.front().size()));
}

}  // namespace

CallInfo MakeCallInfo(grpc::CallbackServerContext* context, std::shared_ptr<Peer> peer,
                      const GrpcParts& parts) {
  CallInfo call;
  call.correlation_id = Metadata(*context, "x-correlation-id");
  if (call.correlation_id.empty()) call.correlation_id = RandomHex(*parts.random);
  call.traceparent = Metadata(*context, "traceparent");
  call.user_agent = Metadata(*context, "user-agent");
  call.peer = std::move(peer);
  call.certificate = CertificateOf(*context);
  context->AddInitialMetadata("x-correlation-id", call.correlation_id);
  return call;
}

FrontDoor::Knock MakeKnock(const grpc::CallbackServerContext& context, const GrpcMethod& method,
                           CallInfo call) {
  FrontDoor::Knock knock;
  knock.method = absl::StrCat(method.service, ".", method.name);
  const auto found = context.client_metadata().find("authorization");
  if (found != context.client_metadata().end()) {
    knock.credentials.authorization.assign(found->second.data(), found->second.size());
  }
  knock.credentials.address = context.peer();
  if (call.certificate != nullptr) knock.credentials.certificate = call.certificate->Identity();
  knock.ns = Metadata(context, "x-namespace");
  knock.call = std::move(call);
  return knock;
}

void AddHeaders(grpc::CallbackServerContext* context, const absl::StatusOr<Admission>& admission) {
  if (admission.ok()) {
    for (const auto& [name, value] : admission->headers) {
      context->AddInitialMetadata(absl::AsciiStrToLower(name), value);
    }
  } else if (absl::IsUnauthenticated(admission.status())) {
    context->AddTrailingMetadata("www-authenticate", Challenge(admission.status()));
  } else {
    AddLimitHeaders(context, admission.status());
  }
}

void AddLimitHeaders(grpc::CallbackServerContext* context, const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return;
  for (const auto& [name, value] : auth::LimitHeadersOf(status)) {
    context->AddTrailingMetadata(absl::AsciiStrToLower(name), value);
  }
}

grpc::Status ToGrpcStatus(const absl::Status& plain) {
  if (plain.ok()) return grpc::Status::OK;
  const absl::Status status = WithDetails(plain);
  const auto code = static_cast<grpc::StatusCode>(status.code());
  bool has_details = false;
  status.ForEachPayload([&](absl::string_view, const absl::Cord&) { has_details = true; });
  if (!has_details) return grpc::Status(code, std::string(status.message()));
  return grpc::Status(code, std::string(status.message()), ToRpcStatus(status).SerializeAsString());
}

void OpenCalls::Add(const std::shared_ptr<Peer>& peer) {
  {
    absl::MutexLock lock(&mu_);
    if (peers_.size() >= sweep_at_) {
      std::erase_if(peers_, [](const auto& weak) { return weak.expired(); });
      sweep_at_ = 2 * peers_.size() + 64;
    }
    peers_.push_back(peer);
    if (!ended_) return;
  }
  peer->SetGone(ServerStopping());
}

void OpenCalls::TakeNoMore() {
  absl::MutexLock lock(&mu_);
  ended_ = true;
}

void OpenCalls::EndAll() {
  std::vector<std::weak_ptr<Peer>> peers;
  {
    absl::MutexLock lock(&mu_);
    ended_ = true;
    peers.swap(peers_);
  }
  for (const auto& weak : peers) {
    if (auto peer = weak.lock()) peer->SetGone(ServerStopping());
  }
}

void UnaryAnswer::Limit(const grpc::CallbackServerContext& context, absl::Duration timeout) {
  deadline_ = context.deadline();
  if (timeout <= absl::ZeroDuration()) return;
  const auto limit = std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout);
  if (deadline_ <= limit) return;  // gRPC itself ends the call then
  deadline_ = limit;
  alarm_ = std::make_unique<grpc::Alarm>();
  alarm_->Set(limit, [weak = weak_from_this(), timeout](bool ok) {
    const auto self = weak.lock();
    if (!ok || self == nullptr || !self->Claim()) return;
    self->Finish(absl::DeadlineExceededError(
        absl::StrCat("there was no answer within ", absl::FormatDuration(timeout),
                     "; what was asked for may be done all the same")));
  });
}

bool UnaryAnswer::Join(OpenCalls& calls) {
  peer_->OnGone([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self != nullptr && self->Claim()) self->Finish(self->peer_->why());
  });
  calls.Add(peer_);
  return !peer_->gone();
}

void UnaryAnswer::Finish(const absl::Status& status) {
  const bool late = std::chrono::system_clock::now() > deadline_;
  const absl::Status said =
      late && status.ok() ? absl::DeadlineExceededError("the answer came too late") : status;
  record_.Done(said);
  reactor_->Finish(ToGrpcStatus(said));
}

CallRecord::CallRecord(const char* method, std::string correlation_id, base::Metrics* metrics)
    : method_(method),
      correlation_id_(std::move(correlation_id)),
      metrics_(metrics),
      start_(std::chrono::steady_clock::now()) {}

void CallRecord::Done(const absl::Status& status) {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  const std::string code = absl::StatusCodeToString(status.code());
  if (metrics_ != nullptr) {
    metrics_
        ->Counter("grpc_requests_total", "gRPC calls answered.",
                  {{"method", method_}, {"code", code}})
        .Increment();
    metrics_
        ->Histogram("grpc_request_duration_seconds", "Time to answer a gRPC call.",
                    {{"method", method_}}, base::Metrics::LatencyBuckets())
        .Observe(elapsed.count());
  }
  base::Log(status.ok() ? base::LogLevel::kDebug : base::LogLevel::kInfo, "grpc call",
            {.correlation_id = correlation_id_},
            {{"method", method_},
             {"code", code},
             {"error", std::string(status.message())},
             {"duration_ms", elapsed.count() * 1000}});
}

}  // namespace gateway
