#include "orchestrator/store/simulated/simulated_store.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/store/match.h"

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
  row.wake_at = Truncate(row.wake_at);
  return row;
}

// The caller's mistakes.
absl::Status CheckNumbers(const RunWrite& write) {
  const base::EventId before = write.is_new ? 1 : write.expected_next_event_id;
  const base::EventId after = write.row.next_event_id;
  const auto is_event = [](base::EventId id) { return id >= 1 && id <= kEventIdMax; };
  bool fits = !write.row.run_id.empty();
  if (fits && write.deletes) return absl::OkStatus();
  for (const Blob& blob : write.blobs) fits &= blob.hash.size() == 32;
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

bool Fits(const RunFilter& filter, const RunRow& row) {
  if (!filter.ns.empty() && row.ns != filter.ns) return false;
  if (filter.status != v1::RunStatus::UNSPECIFIED && row.status != filter.status) return false;
  if (!filter.workflow_type.empty() && row.workflow_type != filter.workflow_type) return false;
  return filter.where == nullptr || Matches(*filter.where, row);
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
    if (write.deletes) {
      if (row != nullptr && IsOpen(row->status)) {
        return absl::AbortedError(
            absl::StrCat("run ", id.value(), ": it is open and cannot be deleted"));
      }
      rows[id] = nullptr;
      continue;
    }
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
    if (!write.is_new || rows[write.row.run_id] == nullptr ||
        !IsOpen(rows[write.row.run_id]->status))
      continue;
    const auto clash = [&](const RunRow& row) {
      return row.run_id != write.row.run_id && row.ns == write.row.ns &&
             row.workflow_id == write.row.workflow_id && IsOpen(row.status);
    };
    bool found = false;
    for (const auto& [id, row] : rows) found |= row != nullptr && clash(*row);
    for (const auto& [id, run] : disk.runs) found |= !rows.contains(id) && clash(run.row);
    if (found) {
      return absl::AbortedError(absl::StrCat("run ", write.row.run_id.value(), ": workflow id \"",
                                             write.row.workflow_id.value(), "\" in namespace \"",
                                             write.row.ns.value(), "\" has another open run"));
    }
  }
  for (const RunWrite& write : batch.writes) {
    if (write.deletes) {
      disk.runs.erase(write.row.run_id);
      continue;
    }
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
      run.row.build_id = changed.build_id;
      if (write.properties_changed) run.row.properties = changed.properties;
    }
    if (!write.transition.empty()) {
      run.transitions.emplace_back(write.first_event_id, write.transition);
    }
    for (const auto& attempt : write.attempts_put) {
      run.attempts[attempt.scheduled_event_id()] = attempt;
    }
    for (const base::EventId id : write.attempts_removed) run.attempts.erase(id);
    const auto replaced = [&write](base::EventId id) {
      const auto is_it = [id](const auto& put) { return put.scheduled_event_id() == id; };
      const auto& removed = write.attempts_removed;
      return std::find(removed.begin(), removed.end(), id) != removed.end() ||
             std::any_of(write.attempts_put.begin(), write.attempts_put.end(), is_it);
    };
    std::erase_if(run.blobs,
                  [&](const auto& ref) { return ref.first != 0 && replaced(ref.first); });
    for (const Blob& blob : write.blobs) {
      run.blobs.emplace(blob.attempt, blob.hash);
      disk.blobs.emplace(blob.hash, blob.data);
    }
  }
  if (!disk.blobs.empty()) {
    std::set<std::string> used;
    for (const auto& [id, run] : disk.runs) {
      for (const auto& [attempt, hash] : run.blobs) used.insert(hash);
    }
    std::erase_if(disk.blobs, [&used](const auto& blob) { return !used.contains(blob.first); });
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

absl::StatusOr<RunPage> SimulatedStore::List(const RunFilter& filter, RunOrder order, int page_size,
                                             const std::string& page_token) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  const bool by_close =
      order == RunOrder::kCloseTimeDescending || order == RunOrder::kCloseTimeAscending;
  const bool down =
      order == RunOrder::kStartTimeDescending || order == RunOrder::kCloseTimeDescending;
  using Position = std::pair<int64_t, int64_t>;  // time, order of creation
  Position after = down ? Position{INT64_MAX, INT64_MAX} : Position{INT64_MIN, INT64_MIN};
  if (!page_token.empty()) {
    const std::vector<std::string> parts = absl::StrSplit(page_token, '.');
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &after.first) ||
        !absl::SimpleAtoi(parts[1], &after.second)) {
      return absl::InvalidArgumentError("page_token is not one of this store");
    }
  }
  std::vector<std::pair<Position, const Run*>> found;
  for (const auto& [id, run] : disk_->content_.runs) {
    if (!Fits(filter, run.row) || (by_close && IsOpen(run.row.status))) continue;
    const absl::Time time = by_close ? run.row.close_time : run.row.start_time;
    const Position position(absl::ToUnixMicros(time), run.order);
    if (down ? position < after : position > after) found.emplace_back(position, &run);
  }
  std::sort(found.begin(), found.end(), [down](const auto& a, const auto& b) {
    return down ? a.first > b.first : a.first < b.first;
  });
  const size_t size = std::clamp(page_size, 1, kPageSizeMax);
  RunPage page;
  for (const auto& [position, run] : found) {
    if (page.rows.size() == size) {
      const Position& last = found[size - 1].first;
      page.next_page_token = absl::StrCat(last.first, ".", last.second);
      break;
    }
    page.rows.push_back(run->row);
  }
  return page;
}

absl::StatusOr<std::vector<StatusCount>> SimulatedStore::Count(const RunFilter& filter) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  std::map<std::pair<std::string, v1::RunStatus::Value>, int64_t> counts;
  for (const auto& [id, run] : disk_->content_.runs) {
    if (Fits(filter, run.row)) ++counts[{run.row.workflow_type, run.row.status}];
  }
  std::vector<StatusCount> result;
  for (const auto& [group, count] : counts) result.push_back({group.first, group.second, count});
  return result;
}

absl::StatusOr<std::vector<VersionCount>> SimulatedStore::CountVersions(
    const base::Namespace& ns, const std::string& workflow_type) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  std::map<std::tuple<VersionCount::Kind, std::string, std::string>, VersionCount> versions;
  const auto add = [&](VersionCount::Kind kind, const std::string& id, const RunRow& row) {
    VersionCount& version = versions[{kind, id, row.workflow_type}];
    version.kind = kind;
    version.id = id;
    version.workflow_type = row.workflow_type;
    if (!IsOpen(row.status)) {
      ++version.closed;
      return;
    }
    ++version.open;
    if (row.start_time >= version.oldest_open_start) return;
    version.oldest_open_start = row.start_time;
    version.oldest_open = row.workflow_id;
  };
  for (const auto& [id, run] : disk_->content_.runs) {
    if (!Fits({.ns = ns, .workflow_type = workflow_type}, run.row)) continue;
    if (!run.row.build_id.empty()) add(VersionCount::Kind::kBuild, run.row.build_id, run.row);
    if (run.row.properties == nullptr) continue;
    for (const std::string& patch : run.row.properties->patches) {
      add(VersionCount::Kind::kPatch, patch, run.row);
    }
  }
  std::vector<VersionCount> result;
  for (auto& [key, version] : versions) result.push_back(std::move(version));
  return result;
}

absl::StatusOr<std::vector<std::string>> SimulatedStore::ReadBlobs(
    const std::vector<std::string>& hashes) {
  absl::MutexLock lock(&disk_->mutex_);
  RETURN_IF_ERROR(ReadFault());
  std::vector<std::string> data;
  for (const std::string& hash : hashes) {
    const auto found = disk_->content_.blobs.find(hash);
    if (found == disk_->content_.blobs.end()) {
      return absl::DataLossError(absl::StrCat(
          "the payload with the SHA-256 ", absl::BytesToHexString(hash), " is not in the store"));
    }
    data.push_back(found->second);
  }
  return data;
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
