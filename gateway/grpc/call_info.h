// CallInfo: what a handler knows of its caller besides the request, the same for gRPC and REST.
// Value type; the Peer inside is thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "gateway/auth/caller.h"
#include "gateway/tls/peer_certificate.h"

namespace gateway {

// The other end of a connection: tells those who work for it when it has left.
class Peer {
 public:
  bool gone() const {
    absl::MutexLock lock(&mu_);
    return gone_;
  }
  // Why there is nobody to work for any more: the caller has left, or the server is stopping.
  absl::Status why() const {
    absl::MutexLock lock(&mu_);
    return why_;
  }
  // Calls `fn` once when the peer leaves, on the connection's thread; at once when it has left.
  void OnGone(absl::AnyInvocable<void()> fn) {
    {
      absl::MutexLock lock(&mu_);
      if (!gone_) {
        callbacks_.push_back(std::move(fn));
        return;
      }
    }
    fn();
  }
  void SetGone(absl::Status why = absl::CancelledError("the caller has left")) {
    std::vector<absl::AnyInvocable<void()>> callbacks;
    {
      absl::MutexLock lock(&mu_);
      if (std::exchange(gone_, true)) return;
      why_ = std::move(why);
      callbacks.swap(callbacks_);
    }
    for (auto& fn : callbacks) fn();
  }
  // Drops the callbacks, and what they hold, at the end of a call.
  void Forget() {
    std::vector<absl::AnyInvocable<void()>> callbacks;
    absl::MutexLock lock(&mu_);
    callbacks.swap(callbacks_);
  }

 private:
  mutable absl::Mutex mu_;
  bool gone_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status why_ ABSL_GUARDED_BY(mu_);
  std::vector<absl::AnyInvocable<void()>> callbacks_ ABSL_GUARDED_BY(mu_);
};

// The status that ends a stream when the server stops: its caller may connect again.
inline absl::Status ServerStopping() {
  return absl::UnavailableError("the server is stopping; try again");
}

struct CallInfo {
  std::string correlation_id;
  std::string traceparent;
  std::string user_agent;
  auth::Caller caller;
  std::string ns = auth::kDefaultNamespace;  // what the call works in
  std::shared_ptr<Peer> peer;                // null: nobody will say
  // What the client proved by mutual TLS; null: it showed no certificate.
  std::shared_ptr<const tls::PeerCertificate> certificate;

  bool gone() const { return peer != nullptr && peer->gone(); }
  // A proven identity wins over what the request says.
  std::string IdentityOr(const std::string& given) const {
    if (caller.proven()) return caller.identity;
    return given.empty() ? "api" : given;
  }
};

}  // namespace gateway
