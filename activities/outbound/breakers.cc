#include "activities/outbound/breakers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/log.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"

namespace outbound {
namespace {

// Of all vendors together; hosts whose breakers are closed make room.
constexpr size_t kBreakersMax = 512;

std::string ServiceOf(const std::string& vendor, const std::string& host) {
  return host.empty() ? vendor : absl::StrCat(vendor, "@", host);
}

prometheus::Gauge& StateGauge(base::Metrics& metrics, const std::string& vendor) {
  return metrics.Gauge("circuit_breaker_state",
                       "State of a service's circuit breaker: 0 closed, 1 open, 2 half-open.",
                       {{"service", vendor}});
}

prometheus::Counter& FailureCounter(base::Metrics& metrics, const std::string& vendor) {
  return metrics.Counter("circuit_breaker_failures_total",
                         "Failed calls that speak of a service's health.", {{"service", vendor}});
}

// How bad a state is: a closed breaker is better than one that probes.
int Badness(BreakerState state) {
  return state == BreakerState::kOpen ? 2 : state == BreakerState::kHalfOpen ? 1 : 0;
}

}  // namespace

Breakers::Breakers(base::Clock& clock, base::Random& random, base::Metrics& metrics,
                   BreakerOptions options)
    : clock_(clock),
      random_(random),
      metrics_(metrics),
      options_(options),
      start_(clock.Now()),
      start_monotonic_(clock.Monotonic()) {}

absl::Time Breakers::Now() { return start_ + (clock_.Monotonic() - start_monotonic_); }

void Breakers::Register(const std::string& vendor) {
  absl::MutexLock lock(&mu_);
  StateGauge(metrics_, vendor);
  FailureCounter(metrics_, vendor);
  Find(vendor, "");
}

Breakers::Entry& Breakers::Find(const std::string& vendor, const std::string& host) {
  std::string service = ServiceOf(vendor, host);
  const auto it = entries_.find(service);
  if (it != entries_.end()) return it->second;
  if (entries_.size() >= kBreakersMax) MakeRoom();
  Entry entry{.vendor = vendor, .service = service, .breaker = CircuitBreaker(options_)};
  return entries_.emplace(std::move(service), std::move(entry)).first->second;
}

void Breakers::MakeRoom() {
  for (auto it = entries_.begin(); it != entries_.end();) {
    const bool forgettable = it->second.service != it->second.vendor &&
                             it->second.breaker.state() == BreakerState::kClosed &&
                             it->second.breaker.forced() == BreakerForce::kNone;
    it = forgettable ? entries_.erase(it) : std::next(it);
  }
}

void Breakers::Show(const Entry& entry, BreakerState before) {
  const BreakerState state = entry.breaker.state();
  if (state == before) return;
  BreakerState worst = state;
  for (const auto& [service, other] : entries_) {
    if (other.vendor == entry.vendor && Badness(other.breaker.state()) > Badness(worst)) {
      worst = other.breaker.state();
    }
  }
  StateGauge(metrics_, entry.vendor).Set(static_cast<double>(worst));
  const bool open = state == BreakerState::kOpen;
  base::Log(open ? base::LogLevel::kWarning : base::LogLevel::kInfo, "circuit breaker changed", {},
            {{"service", entry.service},
             {"from", BreakerStateName(before)},
             {"to", BreakerStateName(state)},
             {"forced", entry.breaker.forced() != BreakerForce::kNone},
             {"reason", entry.breaker.reason()},
             {"probe_in_ms", open && entry.breaker.forced() == BreakerForce::kNone
                                 ? absl::ToInt64Milliseconds(entry.breaker.probe_at() - Now())
                                 : int64_t{0}}});
}

bool Breakers::WouldGo(const std::string& vendor, const std::string& host,
                       const std::string& caller) {
  absl::MutexLock lock(&mu_);
  return Find(vendor, host).breaker.WouldGo(Now(), caller);
}

CircuitBreaker::Admission Breakers::Ask(const std::string& vendor, const std::string& host,
                                        const std::string& caller) {
  absl::MutexLock lock(&mu_);
  Entry& entry = Find(vendor, host);
  const BreakerState before = entry.breaker.state();
  const CircuitBreaker::Admission admission =
      entry.breaker.Ask(Now(), random_.NextDouble(), caller);
  Show(entry, before);
  return admission;
}

void Breakers::Succeeded(const std::string& vendor, const std::string& host,
                         CircuitBreaker::Ticket ticket) {
  absl::MutexLock lock(&mu_);
  Entry& entry = Find(vendor, host);
  const BreakerState before = entry.breaker.state();
  entry.breaker.Succeeded(ticket, Now());
  Show(entry, before);
}

bool Breakers::Failed(const std::string& vendor, const std::string& host,
                      CircuitBreaker::Ticket ticket, const CircuitBreaker::FailureNote& note) {
  absl::MutexLock lock(&mu_);
  Entry& entry = Find(vendor, host);
  const BreakerState before = entry.breaker.state();
  const bool open = entry.breaker.Failed(ticket, Now(), note);
  FailureCounter(metrics_, vendor).Increment();
  Show(entry, before);
  return open;
}

void Breakers::Ended(const std::string& vendor, const std::string& host,
                     CircuitBreaker::Ticket ticket) {
  absl::MutexLock lock(&mu_);
  Find(vendor, host).breaker.Ended(ticket);
}

absl::Duration Breakers::ComeBackAfter(const std::string& vendor, const std::string& host) {
  absl::MutexLock lock(&mu_);
  return Find(vendor, host).breaker.ComeBackAfter(Now(), random_.NextDouble());
}

BreakerStatus Breakers::StatusOf(const std::string& service, const CircuitBreaker& breaker) {
  BreakerStatus status{.service = service,
                       .state = breaker.state(),
                       .forced = breaker.forced(),
                       .forced_by = breaker.forced_by(),
                       .reason = breaker.reason(),
                       .opened_at = absl::InfinitePast(),
                       .next_probe_at = absl::InfinitePast(),
                       .failures = breaker.failures(),
                       .consecutive_failures = breaker.consecutive_failures(),
                       .calls_held = breaker.calls_held()};
  const absl::Duration to_wall = clock_.Now() - Now();
  if (status.state != BreakerState::kClosed) status.opened_at = breaker.opened_at() + to_wall;
  if (status.state == BreakerState::kOpen && status.forced == BreakerForce::kNone) {
    status.next_probe_at = breaker.probe_at() + to_wall;
  }
  return status;
}

std::vector<BreakerStatus> Breakers::List() {
  absl::MutexLock lock(&mu_);
  std::vector<BreakerStatus> list;
  for (const auto& [service, entry] : entries_) list.push_back(StatusOf(service, entry.breaker));
  return list;
}

absl::StatusOr<BreakerStatus> Breakers::Get(const std::string& service) {
  absl::MutexLock lock(&mu_);
  const auto it = entries_.find(service);
  if (it == entries_.end()) {
    return absl::NotFoundError(absl::StrCat("there is no circuit breaker of ", service));
  }
  return StatusOf(service, it->second.breaker);
}

void Breakers::Restore(const std::string& service, BreakerForce force, const std::string& by,
                       const std::string& reason) {
  {
    absl::MutexLock lock(&mu_);
    const size_t at = service.find('@');
    Find(service.substr(0, at), at == std::string::npos ? "" : service.substr(at + 1));
  }
  Force(service, force, by, reason).IgnoreError();
}

absl::StatusOr<BreakerStatus> Breakers::Force(const std::string& service, BreakerForce force,
                                              const std::string& by, const std::string& reason) {
  absl::MutexLock lock(&mu_);
  const auto it = entries_.find(service);
  if (it == entries_.end()) {
    return absl::NotFoundError(absl::StrCat("there is no circuit breaker of ", service));
  }
  Entry& entry = it->second;
  const BreakerState before = entry.breaker.state();
  if (force == BreakerForce::kNone) {
    entry.breaker.Reset(Now());
  } else {
    entry.breaker.Force(force, by, reason, Now());
  }
  Show(entry, before);
  return StatusOf(service, entry.breaker);
}

}  // namespace outbound
