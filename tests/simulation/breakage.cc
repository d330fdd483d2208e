#include "tests/simulation/breakage.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace sim {

absl::Status BreakingStore::Commit(const store::WriteBatch& batch) {
  const absl::Status status = CommitBroken(batch);
  if (status.ok()) checker_.OnAccepted(batch);
  return status;
}

absl::Status BreakingStore::CommitBroken(const store::WriteBatch& batch) {
  store::WriteBatch changed = batch;
  switch (rule_) {
    case Rule::kNoEpochCheck:
      changed.epoch = checker_.epoch(batch.partition);
      return store().Commit(changed);
    case Rule::kLostWrite:
      if (scheduler_.Chance(0.03)) return absl::OkStatus();
      break;
    case Rule::kAckBeforeDurable:
      before_last_ = disk_.Snapshot();
      break;
    case Rule::kAttemptsForgotten:
      for (store::RunWrite& write : changed.writes) write.attempts_put.clear();
      if (const absl::Status status = store().Commit(changed); !status.ok()) return status;
      return absl::OkStatus();
    case Rule::kClosedRunChanges: {
      const absl::Status status = store().Commit(batch);
      if (!status.ok()) return status;
      for (const store::RunWrite& write : batch.writes) {
        if (write.row.close_time == absl::InfiniteFuture()) continue;
        store::RunWrite again{.row = write.row, .expected_next_event_id = write.row.next_event_id};
        again.row.status_reason = "changed";
        changed.writes = {again};
        // NOLINTNEXTLINE(bugprone-unused-return-value): whether it works does not matter
        (void)store().Commit(changed);
      }
      return status;
    }
    default:
      break;
  }
  return store().Commit(batch);
}

absl::StatusOr<std::vector<store::DueRun>> BreakingStore::DueRuns(int slot_first, int slot_last,
                                                                  const store::DueRun& after,
                                                                  absl::Time until, int limit) {
  if (rule_ == Rule::kDueRunsLost) return std::vector<store::DueRun>();
  return store().DueRuns(slot_first, slot_last, after, until, limit);
}

absl::Status BreakingStore::CheckEpoch(int partition, int64_t epoch) {
  if (rule_ == Rule::kLeaseNotChecked || rule_ == Rule::kNoEpochCheck) return absl::OkStatus();
  return store().CheckEpoch(partition, epoch);
}

void BreakingStore::Crash() {
  if (rule_ == Rule::kAckBeforeDurable && before_last_.has_value()) {
    disk_.Restore(*std::exchange(before_last_, std::nullopt));
  }
}

void BreakingExecutor::Start(engine::ActivityTask task) {
  checker_.OnDispatch(task, node_);
  newest_[{task.token.run_id, task.token.scheduled_event_id}] = task.token;
  if (rule_ == Rule::kNewKeyPerAttempt) {
    auto scheduled = std::make_shared<engine::v1::ActivityTaskScheduled>(*task.scheduled);
    scheduled->set_idempotency_key(
        absl::StrCat(scheduled->idempotency_key(), "/", task.token.attempt));
    task.scheduled = std::move(scheduled);
  }
  executor_.Start(std::move(task));
}

engine::ActivityToken BreakingExecutor::Newest(const engine::ActivityToken& token) const {
  const auto it = newest_.find({token.run_id, token.scheduled_event_id});
  return it == newest_.end() ? token : it->second;
}

}  // namespace sim
