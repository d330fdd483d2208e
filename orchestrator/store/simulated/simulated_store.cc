#include "orchestrator/store/simulated/simulated_store.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "orchestrator/base/status_macros.h"

namespace store {
namespace {

using Run = SimulatedDisk::Run;

constexpr int kPageSizeMax = 1000;
constexpr base::EventId kEventIdMax = (base::EventId{1} << 24) - 1;

// To the microsecond, rounded down; the infinities stay.
absl::Time Truncate(absl::Time time) {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return time;
  return absl::FromUnixMicros(absl::ToUnixMicros(time));
}

bool IsOpen(v1::RunStatus::Value status) {
  return status == v1::RunStatus::RUNNING || status == v1::RunStatus::PAUSED ||
         status == v1::RunStatus::STUCK;
}

RunRow Stored(RunRow row) {
  row.start_time = Truncate(row.start_time);
  row.close_time = Truncate(row.close_time);
  // A closed run needs nobody.
  row.wake_at = IsOpen(row.status) ? Truncate(row.wake_at) : absl::InfiniteFuture();
  return row;
}

// The caller's mistakes.
absl::Status CheckNumbers(const RunWrite& write) {
  const base::EventId before = write.is_new ? 1 : write.expected_next_event_id;
  const base::EventId after = write.row.next_event_id;
  const auto is_event = [](base::EventId id) { return id >= 1 && id <= kEventIdMax; };
  bool fits = !write.row.run_id.empty();
  for (const auto& attempt : write.attempts_put) fits &= is_event(attempt.scheduled_event_id());
  for (const base::EventId id : write.attempts_removed) fits &= is_event(id);
  if (write.transition.empty()) {
    fits &= after == before;
  } else {
    fits &= write.first_event_id == before && after > before && after <= kEventIdMax;
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "run ", write.row.run_id.value(), ": the write does not fit (stored events end ", "before ",
      before, ", first_event_id ", write.first_event_id, ", next_event_id ", after, ")"));
}

// Newest first.
bool Newer(const Run& a, const Run& b) {
  return std::tie(a.row.start_time, a.order) > std::tie(b.row.start_time, b.order);
}

absl::Status NoSuchRun(const base::RunId& id) {
  return absl::NotFoundError(absl::StrCat("no run ", id.value()));
}

}  // namespace

SimulatedDisk::Content SimulatedDisk::Snapshot() const {
  absl::MutexLock lock(&mutex_);
  return content_;
}

void SimulatedDisk::Restore(Content content) {
  absl::MutexLock lock(&mutex_);
  content_ = std::move(content);
}

absl::StatusOr<int64_t> SimulatedStore::AcquirePartition(int partition, const std::string& owner) {
  absl::MutexLock lock(&disk_->mutex_);
  return ++disk_->content_.epochs[partition];
}

absl::Status SimulatedStore::Commit(const WriteBatch& batch) {
  for (const RunWrite& write : batch.writes) RETURN_IF_ERROR(CheckNumbers(write));
  absl::MutexLock lock(&disk_->mutex_);
  const StoreFaults::CommitFault fault =
      faults_ == nullptr ? StoreFaults::CommitFault::kNone : faults_->OnCommit(batch);
  if (fault == StoreFaults::CommitFault::kBeforeWrite) {
    return absl::UnavailableError("simulated disk: I/O error, nothing was written");
  }
  RETURN_IF_ERROR(Apply(batch));
  if (faults_ != nullptr) faults_->OnWritten(batch);
  if (fault == StoreFaults::CommitFault::kAfterWrite) {
    return absl::UnavailableError("simulated disk: I/O error, the outcome is unknown");
  }
  return absl::OkStatus();
}

absl::Status SimulatedStore::Apply(const WriteBatch& batch) {
  SimulatedDisk::Content& disk = disk_->content_;
  const auto epoch = disk.epochs.find(batch.partition);
  if (epoch == disk.epochs.end() || epoch->second != batch.epoch) {
    return absl::AbortedError(absl::StrCat("partition ", batch.partition, ": the batch has epoch ",
                                           batch.epoch, ", the partition is at epoch ",
                                           epoch == disk.epochs.end() ? 0 : epoch->second));
  }
  // First look, then write: what is known of each run while the batch is applied.
  std::map<base::RunId, const RunRow*> rows;
  for (const RunWrite& write : batch.writes) {
    const base::RunId& id = write.row.run_id;
    const auto stored = disk.runs.find(id);
    const RunRow* row = rows.contains(id)           ? rows[id]
                        : stored != disk.runs.end() ? &stored->second.row
                                                    : nullptr;
    if (write.is_new && row != nullptr) {
      return absl::AbortedError(absl::StrCat("run ", id.value(), ": the run id exists already"));
    }
    if (!write.is_new && row == nullptr) {
      return absl::AbortedError(absl::StrCat("run ", id.value(), ": it is not in the store"));
    }
    if (row != nullptr && row->next_event_id != write.expected_next_event_id) {
      return absl::AbortedError(absl::StrCat("run ", id.value(), ": the write expects next event ",
                                             write.expected_next_event_id, ", the store is at ",
                                             row->next_event_id, ": the run moved on"));
    }
    rows[id] = &write.row;
  }
  // One open run a workflow id after the batch.
  for (const RunWrite& write : batch.writes) {
    if (!write.is_new || !IsOpen(rows[write.row.run_id]->status)) continue;
    const auto clash = [&](const RunRow& row) {
      return row.run_id != write.row.run_id && row.ns == write.row.ns &&
             row.workflow_id == write.row.workflow_id && IsOpen(row.status);
    };
    bool found = false;
    for (const auto& [id, row] : rows) found |= clash(*row);
    for (const auto& [id, run] : disk.runs) found |= !rows.contains(id) && clash(run.row);
    if (found) {
      return absl::AbortedError(absl::StrCat("run ", write.row.run_id.value(), ": workflow id \"",
                                             write.row.workflow_id.value(), "\" in namespace \"",
                                             write.row.ns.value(), "\" has another open run"));
    }
  }
  for (const RunWrite& write : batch.writes) {
    Run& run = disk.runs[write.row.run_id];
    if (write.is_new) {
      run.order = ++disk.last_order;
      run.row = Stored(write.row);
    } else {
      const RunRow changed = Stored(write.row);
      run.row.status = changed.status;
      run.row.status_reason = changed.status_reason;
      run.row.close_time = changed.close_time;
      run.row.next_event_id = changed.next_event_id;
      run.row.wake_at = changed.wake_at;
      run.row.saga_state = changed.saga_state;
    }
    if (!write.transition.empty()) {
      run.transitions.emplace_back(write.first_event_id, write.transition);
    }
    for (const auto& attempt : write.attempts_put) {
      run.attempts[attempt.scheduled_event_id()] = attempt;
    }
    for (const base::EventId id : write.attempts_removed) run.attempts.erase(id);
  }
  return absl::OkStatus();
}

absl::StatusOr<StoredRun> SimulatedStore::LoadRun(const base::RunId& run_id) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  const auto it = disk_->content_.runs.find(run_id);
  if (it == disk_->content_.runs.end()) return NoSuchRun(run_id);
  StoredRun stored{.row = it->second.row};
  for (const auto& [first, bytes] : it->second.transitions) stored.transitions.push_back(bytes);
  for (const auto& [id, attempt] : it->second.attempts) stored.attempts.push_back(attempt);
  return stored;
}

absl::StatusOr<std::optional<RunRow>> SimulatedStore::FindRun(const base::Namespace& ns,
                                                              const base::WorkflowId& workflow_id) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  const Run* newest = nullptr;
  for (const auto& [id, run] : disk_->content_.runs) {
    if (run.row.ns != ns || run.row.workflow_id != workflow_id) continue;
    if (newest == nullptr || Newer(run, *newest)) newest = &run;
  }
  if (newest == nullptr) return std::nullopt;
  return newest->row;
}

absl::StatusOr<std::optional<RunRow>> SimulatedStore::FindRunById(const base::RunId& run_id) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  const auto it = disk_->content_.runs.find(run_id);
  if (it == disk_->content_.runs.end()) return std::nullopt;
  return it->second.row;
}

absl::StatusOr<RunPage> SimulatedStore::List(const RunFilter& filter, int page_size,
                                             const std::string& page_token) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  std::pair<int64_t, int64_t> before = {INT64_MAX, INT64_MAX};  // start time, order
  if (!page_token.empty()) {
    const std::vector<std::string> parts = absl::StrSplit(page_token, '.');
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &before.first) ||
        !absl::SimpleAtoi(parts[1], &before.second)) {
      return absl::InvalidArgumentError("page_token is not one of this store");
    }
  }
  std::vector<const Run*> found;
  for (const auto& [id, run] : disk_->content_.runs) {
    const RunRow& row = run.row;
    if (!filter.ns.empty() && row.ns != filter.ns) continue;
    if (filter.status != v1::RunStatus::UNSPECIFIED && row.status != filter.status) continue;
    if (!filter.workflow_type.empty() && row.workflow_type != filter.workflow_type) continue;
    if (std::pair(absl::ToUnixMicros(row.start_time), run.order) < before) found.push_back(&run);
  }
  std::sort(found.begin(), found.end(), [](const Run* a, const Run* b) { return Newer(*a, *b); });
  const size_t size = std::clamp(page_size, 1, kPageSizeMax);
  RunPage page;
  for (const Run* run : found) {
    if (page.rows.size() == size) {
      const Run& last = *found[size - 1];
      page.next_page_token = absl::StrCat(absl::ToUnixMicros(last.row.start_time), ".", last.order);
      break;
    }
    page.rows.push_back(run->row);
  }
  return page;
}

absl::StatusOr<std::vector<DueRun>> SimulatedStore::DueRuns(int slot_first, int slot_last,
                                                            const DueRun& after, absl::Time until,
                                                            int limit) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  std::set<std::pair<absl::Time, base::RunId>> due;
  const std::pair seen(Truncate(after.wake_at), after.run_id);
  for (const auto& [id, run] : disk_->content_.runs) {
    const RunRow& row = run.row;
    if (row.wake_at == absl::InfiniteFuture() || row.wake_at > until) continue;
    if (std::pair(row.wake_at, id) <= seen) continue;
    const int slot = SlotOf(row.ns, row.workflow_id);
    if (slot >= slot_first && slot <= slot_last) due.emplace(row.wake_at, id);
  }
  std::vector<DueRun> page;
  for (const auto& [wake_at, id] : due) {
    if (static_cast<int>(page.size()) >= limit) break;
    page.push_back({.run_id = id, .wake_at = wake_at});
  }
  return page;
}

absl::StatusOr<std::vector<std::string>> SimulatedStore::ReadTransitions(
    const base::RunId& run_id, base::EventId after_event_id, int limit) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  const auto it = disk_->content_.runs.find(run_id);
  if (it == disk_->content_.runs.end()) return NoSuchRun(run_id);
  const Run& run = it->second;
  std::vector<std::string> transitions;
  for (size_t i = 0; i < run.transitions.size(); ++i) {
    const base::EventId next =
        i + 1 < run.transitions.size() ? run.transitions[i + 1].first : run.row.next_event_id;
    if (next - 1 <= after_event_id || static_cast<int>(transitions.size()) >= limit) continue;
    transitions.push_back(run.transitions[i].second);
  }
  return transitions;
}

absl::StatusOr<std::vector<StatusCount>> SimulatedStore::CountRuns() {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  std::map<std::pair<std::string, v1::RunStatus::Value>, int64_t> counts;
  for (const auto& [id, run] : disk_->content_.runs) {
    ++counts[{run.row.workflow_type, run.row.status}];
  }
  std::vector<StatusCount> result;
  for (const auto& [group, count] : counts) result.push_back({group.first, group.second, count});
  return result;
}

}  // namespace store
