#include "activities/outbound/kill_switch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/log.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"

namespace outbound {
namespace {

prometheus::Gauge& OnGauge(base::Metrics& metrics) {
  return metrics.Gauge("outbound_kill_switch", "Whether all outbound calls are stopped: 0 or 1.");
}

}  // namespace

KillSwitch::KillSwitch(base::Metrics& metrics, absl::Duration recheck)
    : metrics_(metrics), recheck_(recheck) {
  OnGauge(metrics_).Set(0);
}

void KillSwitch::Set(KillSwitchState state) {
  absl::MutexLock lock(&mu_);
  if (state.on && !on_) held_ = 0;
  const bool changed = on_.exchange(state.on) != state.on;
  OnGauge(metrics_).Set(state.on ? 1 : 0);
  if (changed) {
    base::Log(base::LogLevel::kWarning,
              state.on ? "the kill switch is on: no call leaves for a vendor"
                       : "the kill switch is off: calls to vendors go on",
              {}, {{"by", state.changed_by}, {"reason", state.reason}});
  }
  state_ = std::move(state);
}

KillSwitchState KillSwitch::Get() const {
  absl::MutexLock lock(&mu_);
  return state_;
}

base::Failure KillSwitch::Hold(const std::string& what, double random) {
  ++held_;
  std::string message;
  {
    absl::MutexLock lock(&mu_);
    message = absl::StrCat(what, ": the kill switch is on (", state_.changed_by, ": ",
                           state_.reason, "); it goes on when that is lifted");
  }
  return base::Failure::NotAttempted("KillSwitch", std::move(message), recheck_ * (0.5 + random));
}

}  // namespace outbound
