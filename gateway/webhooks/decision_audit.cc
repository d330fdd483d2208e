#include "gateway/webhooks/decision_audit.h"

#include <prometheus/counter.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "orchestrator/base/metrics.h"

namespace webhooks {
namespace {

using Go = absl::AnyInvocable<void(absl::StatusOr<Decisions::Ended>)>;

// Attempts that were recorded lately: a delivery whose answer Slack does not take is worked on
// again and again, and decides the same each time.
class Recent {
 public:
  struct Known {
    int64_t sequence = 0;  // of its start
    bool ended = false;
  };
  std::optional<Known> Find(const std::string& key) {
    absl::MutexLock lock(&mu_);
    const auto found = known_.find(key);
    if (found == known_.end()) return std::nullopt;
    return found->second;
  }
  void Set(const std::string& key, Known known) {
    if (key.empty()) return;
    absl::MutexLock lock(&mu_);
    if (known_.insert_or_assign(key, known).second) order_.push_back(key);
    if (order_.size() > kRecentMax) {
      known_.erase(order_.front());
      order_.pop_front();
    }
  }

 private:
  static constexpr size_t kRecentMax = 10'000;
  absl::Mutex mu_;
  std::map<std::string, Known> known_ ABSL_GUARDED_BY(mu_);
  std::deque<std::string> order_ ABSL_GUARDED_BY(mu_);
};

audit::Event StartOf(Attempt attempt) {
  return {.actor = std::move(attempt.who),
          .credential = std::move(attempt.via),
          .action = std::move(attempt.action),
          .subject = absl::StrCat("workflow/", attempt.workflow_id),
          .outcome = audit::kStarted,
          .detail = std::move(attempt.detail),
          .correlation_id = std::move(attempt.key),
          .ns = std::move(attempt.ns)};
}

struct Trail {
  audit::AuditLog* log;
  bool required;
  base::Metrics& metrics;
  Recent recent;
};

// What tells the trail how an attempt ended.
Decisions::Ended EndOf(std::shared_ptr<Trail> trail, std::string key, audit::Event event,
                       int64_t sequence) {
  return [trail = std::move(trail), key = std::move(key), event = std::move(event), sequence](
             const std::string& outcome, const std::string& detail) mutable {
    trail->recent.Set(key, {.sequence = sequence, .ended = true});
    event.outcome = outcome;
    event.detail = detail;
    event.started_by = sequence;
    trail->log->AppendLater(std::move(event));
  };
}

void Begin(const std::shared_ptr<Trail>& trail, Attempt attempt, Go go) {
  const std::string key =
      attempt.key.empty() ? "" : absl::StrCat(attempt.via, "/", attempt.action, "/", attempt.key);
  audit::Event event = StartOf(std::move(attempt));
  if (const auto known = trail->recent.Find(key); known.has_value()) {
    if (known->ended) return go(Decisions::Ended());
    return go(EndOf(trail, key, std::move(event), known->sequence));
  }
  trail->log->Append(
      event, [trail, key, event, go = std::move(go)](absl::StatusOr<int64_t> sequence) mutable {
        if (sequence.ok()) {
          trail->recent.Set(key, {.sequence = *sequence});
          return go(EndOf(trail, std::move(key), std::move(event), *sequence));
        }
        if (trail->required) {
          return go(absl::UnavailableError(
              absl::StrCat("nothing was done, for it could not be recorded in the audit trail: ",
                           std::string(sequence.status().message()))));
        }
        trail->metrics.Counter("audit_events_lost_total", "Outcomes that could not be recorded.")
            .Increment();
        go(Decisions::Ended());
      });
}

}  // namespace

Decisions::Recorder AuditDecisions(audit::AuditLog* log, bool required, base::Metrics& metrics) {
  if (log == nullptr) return nullptr;
  const std::shared_ptr<Trail> trail(new Trail{log, required, metrics, {}});
  return [trail](Attempt attempt, Go go) { Begin(trail, std::move(attempt), std::move(go)); };
}

}  // namespace webhooks
