// Breakers: the circuit breakers of all services, with their metrics
// circuit_breaker_state{service} (0 closed, 1 open, 2 half-open),
// circuit_breaker_failures_total{service} and log lines.
//
// With a BreakerStore they last over restarts and are shared with other processes: the probe goes
// to one of them. The store is only called on a loop of its own, never by who asks.
//
// A service is a vendor ("github") or, for a vendor with many hosts, one of its hosts
// ("figma_images@cdn.example.com:443"); the metrics of hosts are kept under the vendor's name, and
// its state is that of the worst host. Hosts are forgotten: closed ones when there are too many,
// then those of open breakers whose probe is due longest, and all that are gone (kHostGoneAfter).
//
// Thread-safety: thread-safe.
//
// Example:
//   outbound::Breakers breakers(clock, random, metrics, {});
//   breakers.Register("github");
//   outbound::CircuitBreaker::Admission admission = breakers.Ask("github", "");
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "activities/outbound/breaker_store.h"
#include "activities/outbound/circuit_breaker.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"

namespace outbound {

struct BreakerStatus {
  std::string service;
  BreakerState state = BreakerState::kClosed;
  BreakerForce forced = BreakerForce::kNone;
  std::string forced_by;
  std::string reason;
  absl::Time opened_at;      // when not closed; wall clock
  absl::Time next_probe_at;  // when open and not forced; wall clock
  int64_t failures = 0;
  int consecutive_failures = 0;
  int64_t calls_held = 0;
};

class Breakers {
 public:
  // The arguments outlive the breakers. `random` is used under the lock by callers of Ask and
  // Failed only, which share one thread.
  Breakers(base::Clock& clock, base::Random& random, base::Metrics& metrics,
           BreakerOptions options);

  // Takes over what the store knows, and shares what changes from now on, on `loop`; both stay
  // until the loop has stopped, which it does before the breakers end. Before the first call.
  // Codes: the store's.
  absl::Status Share(BreakerStore& store, base::EventLoop& loop);

  // Shows the vendor in the metrics and the list before its first call.
  void Register(const std::string& vendor);

  // `host`: "" unless the vendor has a breaker a host. `caller`: as in CircuitBreaker.
  bool WouldGo(const std::string& vendor, const std::string& host, const std::string& caller = "");
  CircuitBreaker::Admission Ask(const std::string& vendor, const std::string& host,
                                const std::string& caller = "");
  void Succeeded(const std::string& vendor, const std::string& host, CircuitBreaker::Ticket ticket);
  // Returns whether the breaker is open now.
  bool Failed(const std::string& vendor, const std::string& host, CircuitBreaker::Ticket ticket,
              const CircuitBreaker::FailureNote& note);
  void Ended(const std::string& vendor, const std::string& host, CircuitBreaker::Ticket ticket);
  absl::Duration ComeBackAfter(const std::string& vendor, const std::string& host);

  // By an operator.
  bool ForcedClosed(const std::string& vendor, const std::string& host);

  const BreakerOptions& options() const { return options_; }
  std::vector<BreakerStatus> List();
  // NOT_FOUND for a service without a breaker.
  absl::StatusOr<BreakerStatus> Get(const std::string& service);
  // A force that was ordered before the start; makes the service's breaker when need be.
  void Restore(const std::string& service, BreakerForce force, const std::string& by,
               const std::string& reason);
  // kNone: closed and automatic again.
  absl::StatusOr<BreakerStatus> Force(const std::string& service, BreakerForce force,
                                      const std::string& by, const std::string& reason);

 private:
  struct Entry;
  Entry& Find(const std::string& vendor, const std::string& host)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The metric of a vendor: its worst state.
  void ShowVendor(const std::string& vendor) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Shows and logs the state when it is another than `before`.
  void Show(const Entry& entry, BreakerState before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // And stores it.
  void Changed(Entry& entry, BreakerState before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  BreakerStatus StatusOf(const std::string& service, const CircuitBreaker& breaker);
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Hosts whose breakers are open, the one whose probe is due longest first.
  std::vector<std::pair<absl::Time, std::string>> OpenHosts() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Forget(const std::string& service) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetGone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A clock that does not go back and keeps step with the wall clock's start.
  absl::Time Now();

  // The right to probe that is asked of the store.
  enum class Claim { kNone, kAsked, kGranted };
  struct Entry {
    std::string vendor;
    std::string service;
    CircuitBreaker breaker;
    Claim claim = Claim::kNone;
    absl::Time claim_until;                     // asked or granted
    absl::Time version = absl::InfinitePast();  // of the store's record
  };
  Entry& FindService(const std::string& service) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether the probe has to be asked for first; asks for it.
  bool MustClaim(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnClaim(const std::string& service, absl::StatusOr<BreakerStore::Probe> probe);
  // The store's record is newer than what is known here: it counts.
  void Adopt(const StoredBreaker& stored) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Save(Entry& entry, bool open) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Looks what others have stored and which hosts are gone, from time to time.
  void Refresh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  base::Clock& clock_;
  base::Random& random_;
  base::Metrics& metrics_;
  const BreakerOptions options_;
  const absl::Time start_;
  const absl::Duration start_monotonic_;
  const std::string owner_;  // of probes, against other processes
  absl::Mutex mu_;
  BreakerStore* store_ ABSL_GUARDED_BY(mu_) = nullptr;  // called on store_loop_ only
  base::EventLoop* store_loop_ ABSL_GUARDED_BY(mu_) = nullptr;
  absl::Time refresh_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  bool refreshing_ ABSL_GUARDED_BY(mu_) = false;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);  // by service
};

}  // namespace outbound
