#include "activities/outbound/breakers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/log.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"

namespace outbound {
namespace {

// Of all vendors together; hosts make room.
constexpr size_t kBreakersMax = 512;
// To which so many open ones of hosts are cut: not one at a time.
constexpr size_t kBreakersKept = 384;
static_assert(kStoredHostsMax < kBreakersKept);  // what is forgotten is not taken over again

// How long whoever asks first waits while the store is asked for the probe.
constexpr absl::Duration kClaimPatience = absl::Milliseconds(200);
constexpr absl::Duration kClaimFor = absl::Minutes(2);
// When those that do not get the probe look again.
constexpr absl::Duration kOthersProbe = absl::Seconds(2);
constexpr absl::Duration kRefreshEvery = absl::Seconds(2);

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
      start_monotonic_(clock.Monotonic()),
      owner_(absl::StrCat(absl::Hex(random.Next(), absl::kZeroPad16))) {}

absl::Time Breakers::Now() { return start_ + (clock_.Monotonic() - start_monotonic_); }

void Breakers::Register(const std::string& vendor) {
  absl::MutexLock lock(&mu_);
  StateGauge(metrics_, vendor);
  FailureCounter(metrics_, vendor);
  Find(vendor, "");
}

absl::Status Breakers::Share(BreakerStore& store, base::EventLoop& loop) {
  auto known = store.Load();
  if (!known.ok()) return known.status();
  absl::MutexLock lock(&mu_);
  store_ = &store;
  store_loop_ = &loop;
  for (const StoredBreaker& stored : *known) Adopt(stored);
  return absl::OkStatus();
}

Breakers::Entry& Breakers::FindService(const std::string& service) {
  const size_t at = service.find('@');
  return Find(service.substr(0, at), at == std::string::npos ? "" : service.substr(at + 1));
}

void Breakers::Adopt(const StoredBreaker& stored) {
  const auto known = entries_.find(stored.service);
  if (known == entries_.end()) {
    const bool host = stored.service.find('@') != std::string::npos;
    const bool gone = host && clock_.Now() >= stored.probe_at + kHostGoneAfter;
    if (!stored.open || gone) return;
  } else {
    const Entry& entry = known->second;
    const bool own = entry.breaker.forced() != BreakerForce::kNone ||
                     entry.breaker.state() == BreakerState::kHalfOpen;
    if (stored.changed_at <= entry.version || own) return;
  }
  Entry& entry = known == entries_.end() ? FindService(stored.service) : known->second;
  entry.version = stored.changed_at;
  entry.claim = Claim::kNone;
  const BreakerState before = entry.breaker.state();
  if (!stored.open) {
    entry.breaker.CloseAs(Now());
  } else {
    // Never longer than it was when it was stored, should the wall clock have gone back.
    const absl::Duration left =
        std::min(stored.probe_at - clock_.Now(), stored.probe_at - stored.changed_at);
    entry.breaker.OpenAs(stored.reason, stored.opened_at - (clock_.Now() - Now()), Now() + left,
                         stored.opened_in_a_row);
  }
  Show(entry, before);
}

void Breakers::Save(Entry& entry, bool open) {
  if (store_ == nullptr) return;
  const absl::Duration to_wall = clock_.Now() - Now();
  // Later than what it replaces, by the store's precision.
  const absl::Time changed_at = std::max(absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now())),
                                         entry.version + absl::Microseconds(1));
  StoredBreaker stored{.service = entry.service,
                       .open = open,
                       .reason = entry.breaker.reason(),
                       .opened_at = entry.breaker.opened_at() + to_wall,
                       .probe_at = entry.breaker.probe_at() + to_wall,
                       .opened_in_a_row = entry.breaker.opened_in_a_row(),
                       .changed_at = changed_at};
  entry.version = changed_at;
  entry.claim = Claim::kNone;
  store_loop_->Post([store = store_, stored = std::move(stored)] {
    const absl::Status saved = store->Save(stored);
    if (saved.ok()) return;
    base::Log(base::LogLevel::kWarning, "the state of a circuit breaker could not be stored", {},
              {{"service", stored.service}, {"reason", saved.ToString()}});
  });
}

bool Breakers::MustClaim(Entry& entry) {
  if (store_ == nullptr || !entry.breaker.DueForProbe(Now())) return false;
  if (entry.claim != Claim::kNone && Now() < entry.claim_until) {
    return entry.claim == Claim::kAsked;
  }
  entry.claim = Claim::kAsked;
  entry.claim_until = Now() + kClaimFor;
  const absl::Time now = clock_.Now();
  store_loop_->Post([this, store = store_, service = entry.service, version = entry.version, now] {
    OnClaim(service, store->TakeProbe(service, version, owner_, now, now + kClaimFor));
  });
  return true;
}

void Breakers::OnClaim(const std::string& service, absl::StatusOr<BreakerStore::Probe> probe) {
  absl::MutexLock lock(&mu_);
  const auto known = entries_.find(service);
  // Forgotten or decided otherwise meanwhile.
  if (known == entries_.end() || known->second.claim != Claim::kAsked) return;
  Entry& entry = known->second;
  if (!probe.ok()) {
    base::Log(base::LogLevel::kWarning, "the probe of a circuit breaker is not shared", {},
              {{"service", service}, {"reason", probe.status().ToString()}});
  }
  if (!probe.ok() || probe->granted) {
    entry.claim = Claim::kGranted;
    return;
  }
  entry.claim = Claim::kNone;
  if (probe->current.has_value()) Adopt(*probe->current);
  entry.breaker.PutOffProbe(Now() + kOthersProbe);
}

void Breakers::Refresh() {
  if (store_ == nullptr || refreshing_ || Now() < refresh_at_) return;
  refreshing_ = true;
  store_loop_->Post([this, store = store_] {
    const auto known = store->Load();
    absl::MutexLock lock(&mu_);
    refreshing_ = false;
    refresh_at_ = Now() + kRefreshEvery;
    if (known.ok()) {
      for (const StoredBreaker& stored : *known) Adopt(stored);
    }
    ForgetGone();
  });
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
  if (entries_.size() < kBreakersMax) return;
  for (const auto& [due, service] : OpenHosts()) {
    if (entries_.size() <= kBreakersKept) return;
    Forget(service);
  }
}

std::vector<std::pair<absl::Time, std::string>> Breakers::OpenHosts() {
  std::vector<std::pair<absl::Time, std::string>> hosts;
  for (const auto& [service, entry] : entries_) {
    if (service == entry.vendor || entry.breaker.forced() != BreakerForce::kNone ||
        entry.breaker.state() == BreakerState::kClosed) {
      continue;
    }
    hosts.emplace_back(entry.breaker.probe_at(), service);
  }
  std::sort(hosts.begin(), hosts.end());
  return hosts;
}

void Breakers::Forget(const std::string& service) {
  const auto it = entries_.find(service);
  const std::string vendor = it->second.vendor;
  entries_.erase(it);
  ShowVendor(vendor);
  base::Log(base::LogLevel::kInfo, "circuit breaker forgotten", {}, {{"service", service}});
}

void Breakers::ForgetGone() {
  const absl::Time before = Now() - kHostGoneAfter;
  for (const auto& [due, service] : OpenHosts()) {
    if (due > before) return;
    Forget(service);
  }
}

void Breakers::ShowVendor(const std::string& vendor) {
  BreakerState worst = BreakerState::kClosed;
  for (const auto& [service, entry] : entries_) {
    const BreakerState state = entry.breaker.state();
    if (entry.vendor == vendor && Badness(state) > Badness(worst)) worst = state;
  }
  StateGauge(metrics_, vendor).Set(static_cast<double>(worst));
}

void Breakers::Show(const Entry& entry, BreakerState before) {
  const BreakerState state = entry.breaker.state();
  if (state == before) return;
  ShowVendor(entry.vendor);
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

void Breakers::Changed(Entry& entry, BreakerState before) {
  const BreakerState state = entry.breaker.state();
  if (state == before) return;
  Show(entry, before);
  // The probe's end is what is stored; its begin is known by who took it.
  if (state != BreakerState::kHalfOpen && entry.breaker.forced() == BreakerForce::kNone) {
    Save(entry, state == BreakerState::kOpen);
  }
}

bool Breakers::WouldGo(const std::string& vendor, const std::string& host,
                       const std::string& caller) {
  absl::MutexLock lock(&mu_);
  Refresh();
  Entry& entry = Find(vendor, host);
  return entry.breaker.WouldGo(Now(), caller) && !MustClaim(entry);
}

CircuitBreaker::Admission Breakers::Ask(const std::string& vendor, const std::string& host,
                                        const std::string& caller) {
  absl::MutexLock lock(&mu_);
  Refresh();
  Entry& entry = Find(vendor, host);
  if (MustClaim(entry)) {
    return {.come_back_after = kClaimPatience * (0.5 + random_.NextDouble()) +
                               entry.breaker.ComeBackAfter(Now(), random_.NextDouble())};
  }
  entry.claim = Claim::kNone;
  const BreakerState before = entry.breaker.state();
  const CircuitBreaker::Admission admission =
      entry.breaker.Ask(Now(), random_.NextDouble(), caller);
  Changed(entry, before);
  return admission;
}

void Breakers::Succeeded(const std::string& vendor, const std::string& host,
                         CircuitBreaker::Ticket ticket) {
  absl::MutexLock lock(&mu_);
  Entry& entry = Find(vendor, host);
  const BreakerState before = entry.breaker.state();
  entry.breaker.Succeeded(ticket, Now());
  Changed(entry, before);
}

bool Breakers::Failed(const std::string& vendor, const std::string& host,
                      CircuitBreaker::Ticket ticket, const CircuitBreaker::FailureNote& note) {
  absl::MutexLock lock(&mu_);
  Entry& entry = Find(vendor, host);
  const BreakerState before = entry.breaker.state();
  const bool open = entry.breaker.Failed(ticket, Now(), note);
  FailureCounter(metrics_, vendor).Increment();
  Changed(entry, before);
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
    FindService(service);
  }
  Force(service, force, by, reason).IgnoreError();
}

bool Breakers::ForcedClosed(const std::string& vendor, const std::string& host) {
  absl::MutexLock lock(&mu_);
  return Find(vendor, host).breaker.forced() == BreakerForce::kClosed;
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
  // Beneath the order it is closed now.
  if (entry.version != absl::InfinitePast()) Save(entry, /*open=*/false);
  return StatusOf(service, entry.breaker);
}

}  // namespace outbound
