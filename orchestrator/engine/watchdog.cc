#include "orchestrator/engine/watchdog.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "orchestrator/base/log.h"

namespace engine {
namespace {

const char* KindName(LoopWatch::Kind kind) {
  switch (kind) {
    case LoopWatch::Kind::kTask:
      return "task";
    case LoopWatch::Kind::kReplay:
      return "replay";
    case LoopWatch::Kind::kQuery:
      break;
  }
  return "query";
}

std::string ShortDuration(absl::Duration duration) {
  return absl::FormatDuration(absl::Trunc(duration, absl::Milliseconds(100)));
}

}  // namespace

void LoopWatch::Enter(Work work, absl::Duration now) {
  const absl::MutexLock lock(&mutex_);
  work_ = work;
  since_ = now;
  ++number_;
}

void LoopWatch::Leave() {
  const absl::MutexLock lock(&mutex_);
  work_.row = nullptr;
}

std::optional<LoopWatch::Blocked> LoopWatch::LongerThan(absl::Duration before) const {
  const absl::MutexLock lock(&mutex_);
  // While the lock is held Leave waits, and so does whatever would take the row away.
  if (work_.row == nullptr || since_ > before) return std::nullopt;
  return Blocked{.kind = work_.kind,
                 .number = number_,
                 .ns = work_.row->ns.value(),
                 .workflow_type = work_.row->workflow_type,
                 .workflow_id = work_.row->workflow_id.value(),
                 .run_id = work_.row->run_id.value(),
                 .events = work_.events,
                 .since = since_};
}

std::string LoopWatch::Blocked::Reason(absl::Duration now) const {
  const std::string held = ShortDuration(now - since);
  switch (kind) {
    case Kind::kReplay:
      return absl::StrCat("replaying: its history of ", events, " events has been replayed for ",
                          held, "; it goes on by itself");
    case Kind::kQuery:
      return absl::StrCat("blocked: a query of workflow type ", workflow_type,
                          " has held its partition's loop for ", held, "; queries must not block");
    case Kind::kTask:
      break;
  }
  return absl::StrCat("blocked: the code of workflow type ", workflow_type,
                      " has held its partition's loop for ", held,
                      "; workflow code must not block: move the work to an activity");
}

std::function<bool()> LoopWatch::Guard(Otherwise otherwise) {
  const absl::MutexLock lock(&mutex_);
  const uint64_t id = ++last_guard_;
  guarded_[id] = std::move(otherwise);
  return [this, id] {
    const absl::MutexLock claim(&mutex_);
    return guarded_.erase(id) > 0;
  };
}

void LoopWatch::AnswerGuarded(const Blocked& blocked) {
  absl::flat_hash_map<uint64_t, Otherwise> guarded;
  {
    const absl::MutexLock lock(&mutex_);
    guarded.swap(guarded_);
  }
  for (auto& [id, otherwise] : guarded) otherwise(blocked);
}

Watchdog::Watchdog(base::Clock& clock, base::Metrics& metrics, absl::Duration limit,
                   std::vector<LoopWatch*> watches)
    : clock_(clock),
      metrics_(metrics),
      limit_(limit),
      watches_(std::move(watches)),
      seen_(watches_.size()),
      thread_(clock, "watchdog") {
  thread_.Start();
  thread_.Post([this] { Schedule(); });
}

Watchdog::~Watchdog() { thread_.Stop(); }

void Watchdog::Schedule() {
  Look();
  thread_.PostAfter(limit_ / 4, [this] { Schedule(); });
}

std::optional<LoopWatch::Blocked> Watchdog::BlockedNow(const LoopWatch& watch) const {
  return watch.LongerThan(clock_.Monotonic() - limit_);
}

void Watchdog::Look() {
  int blocked_loops = 0;
  int replaying_loops = 0;
  for (size_t i = 0; i < watches_.size(); ++i) {
    std::optional<LoopWatch::Blocked> blocked = BlockedNow(*watches_[i]);
    const bool same =
        blocked.has_value() && seen_[i].has_value() && blocked->number == seen_[i]->number;
    if (seen_[i].has_value() && !same) Ended(*seen_[i]);
    if (blocked.has_value() && !same) Began(*blocked);
    seen_[i] = std::move(blocked);
    if (!seen_[i].has_value()) continue;
    ++(seen_[i]->kind == LoopWatch::Kind::kReplay ? replaying_loops : blocked_loops);
    watches_[i]->AnswerGuarded(*seen_[i]);
  }
  constexpr char kHelp[] = "Partition loops that workflow code, or a long replay, holds now.";
  metrics_.Gauge("workflow_loops_blocked", kHelp, {{"by", "code"}}).Set(blocked_loops);
  metrics_.Gauge("workflow_loops_blocked", kHelp, {{"by", "replay"}}).Set(replaying_loops);
}

void Watchdog::Began(const LoopWatch::Blocked& blocked) {
  const base::LogContext context{.workflow_id = blocked.workflow_id, .run_id = blocked.run_id};
  const double seconds = absl::ToDoubleSeconds(clock_.Monotonic() - blocked.since);
  if (blocked.kind == LoopWatch::Kind::kReplay) {
    base::Log(base::LogLevel::kInfo, "replaying a long history; its partition waits", context,
              {{"workflow_type", blocked.workflow_type},
               {"events", blocked.events},
               {"seconds", seconds}});
    return;
  }
  metrics_
      .Counter("workflow_task_blocked_total",
               "Workflow tasks and queries that held their partition's loop for too long.",
               {{"workflow", blocked.workflow_type}})
      .Increment();
  base::Log(base::LogLevel::kError, "workflow code blocks its partition's loop", context,
            {{"workflow_type", blocked.workflow_type},
             {"in", KindName(blocked.kind)},
             {"seconds", seconds}});
}

void Watchdog::Ended(const LoopWatch::Blocked& blocked) {
  base::Log(
      blocked.kind == LoopWatch::Kind::kReplay ? base::LogLevel::kInfo : base::LogLevel::kWarning,
      "the partition's loop goes on",
      {.workflow_id = blocked.workflow_id, .run_id = blocked.run_id},
      {{"workflow_type", blocked.workflow_type},
       {"in", KindName(blocked.kind)},
       {"seconds_at_most", absl::ToDoubleSeconds(clock_.Monotonic() - blocked.since)}});
}

}  // namespace engine
