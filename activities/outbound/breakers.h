// Breakers: the circuit breakers of all services, with their metrics
// circuit_breaker_state{service} (0 closed, 1 open, 2 half-open),
// circuit_breaker_failures_total{service} and log lines.
//
// A service is a vendor ("github") or, for a vendor with many hosts, one of its hosts
// ("figma_images@cdn.example.com:443"); the metrics of hosts are kept under the vendor's name, and
// its state is that of the worst host.
//
// Thread-safety: thread-safe.
//
// Example:
//   outbound::Breakers breakers(clock, random, metrics, {});
//   breakers.Register("github");
//   outbound::Breakers::Admission admission = breakers.Ask("github", "");
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "activities/outbound/circuit_breaker.h"
#include "orchestrator/base/clock.h"
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
  // Shows and logs the state when it is another than `before`.
  void Show(const Entry& entry, BreakerState before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  BreakerStatus StatusOf(const std::string& service, const CircuitBreaker& breaker);
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A clock that does not go back and keeps step with the wall clock's start.
  absl::Time Now();

  struct Entry {
    std::string vendor;
    std::string service;
    CircuitBreaker breaker;
  };

  base::Clock& clock_;
  base::Random& random_;
  base::Metrics& metrics_;
  const BreakerOptions options_;
  const absl::Time start_;
  const absl::Duration start_monotonic_;
  absl::Mutex mu_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mu_);  // by service
};

}  // namespace outbound
