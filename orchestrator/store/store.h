// Store: where runs, their histories and what is due are kept. A verb is one transaction: it
// happens whole or not at all, and what Commit answered OK survives a power cut.
//
// Thread-safety: thread-safe. Commit blocks for the length of a sync and is called by one
// committer thread; reads may come from any thread and see everything committed before they
// began.
//
// Status codes: ABORTED (stale epoch, or the run moved on: drop what you hold and reload),
// UNAVAILABLE (busy, disk full, I/O error: nothing of the batch was written, or it is unknown
// whether it was; reload), NOT_FOUND, DATA_LOSS (a stored value cannot be read, or a gap),
// INVALID_ARGUMENT (the caller's mistake: nothing was written).
//
// Times are kept to the microsecond, rounded down.
//
// Example:
//   ASSIGN_OR_RETURN(int64_t epoch, store.AcquirePartition(0, "node-1"));
//   store::WriteBatch batch{.partition = 0, .epoch = epoch};
//   batch.writes.push_back({.row = row, .is_new = true, .transition = bytes, ...});
//   RETURN_IF_ERROR(store.Commit(batch));
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/base/ids.h"
#include "orchestrator/v1/common.pb.h"
#include "orchestrator/v1/history.pb.h"

namespace filter {
struct Expression;  // orchestrator/filter/expression.h
}  // namespace filter

namespace store {

namespace v1 = ::orchestrator::v1;

// Runs hash to slots by (namespace, workflow id); a partition is a range of slots.
inline constexpr int kSlots = 4096;
int SlotOf(const base::Namespace& ns, const base::WorkflowId& id);

// Facts of a run that lists show and filters find, beyond the columns of its row.
struct RunProperties {
  v1::SearchAttributes search_attributes;
  v1::Memo memo;
  std::vector<std::string> patches;  // sorted
};

// The projection of a run beside its history: what lists, look-ups and recovery need.
struct RunRow {
  // Constant after the run's creation.
  base::Namespace ns;
  base::WorkflowId workflow_id;
  base::RunId run_id;
  std::string workflow_type;
  std::string task_queue;
  std::string request_id;
  std::string correlation_id;
  std::string trace_id;
  absl::Time start_time;
  std::string parent_workflow_id;  // of a child
  // Changes with every transition.
  v1::RunStatus::Value status = v1::RunStatus::RUNNING;
  std::string status_reason;
  absl::Time close_time = absl::InfiniteFuture();  // InfiniteFuture: open
  base::EventId next_event_id = 1;
  // The earliest moment at which the run needs its engine after a restart: now or earlier when it
  // has activities to dispatch, its next timer or time-out, InfiniteFuture when it only waits for
  // messages, or is closed and owes nothing to other runs. InfinitePast is the "at once" to choose:
  // a wake_at that stays the same from one transition to the next costs the store nothing, one that
  // changes moves index entries.
  absl::Time wake_at = absl::InfiniteFuture();
  v1::SagaState::Value saga_state = v1::SagaState::FORWARD;
  std::string build_id;                             // of the code that ran its last workflow task
  std::shared_ptr<const RunProperties> properties;  // null: none
};

// A payload that is kept once, however often it occurs, by the SHA-256 of its bytes.
struct Blob {
  std::string hash;  // 32 bytes
  std::string data;
  // The attempt row that refers to it, by its scheduled event id; 0: the history, for good.
  base::EventId attempt = 0;
};

// One transition of one run.
struct RunWrite {
  RunRow row;
  bool is_new = false;                       // inserts; ABORTED when the run id exists, or when the
                                             // workflow id has another open run after this batch
  base::EventId expected_next_event_id = 0;  // of the stored row, when not new; else ABORTED
  base::EventId first_event_id = 0;  // of `transition`: 1 when new, else expected_next_event_id
  // Serialized v1::Transition in stored form with the events [first_event_id, row.next_event_id).
  // Empty: only the row and the attempts change, row.next_event_id stays as expected.
  // INVALID_ARGUMENT when the numbers do not fit, as a gap in a history may not arise.
  std::string transition;
  std::vector<v1::ActivityAttemptState> attempts_put;
  std::vector<base::EventId> attempts_removed;  // scheduled event ids; after the puts; may be gone
  // row.properties are not as they are stored. Look-ups by attributes are written only then.
  bool properties_changed = false;
  // What `transition` and `attempts_put` refer to. A blob lives as long as a row refers to it: the
  // history's references go with the run, an attempt's with the next put or removal of its row.
  std::vector<Blob> blobs;
  // Removes the closed run of row.run_id and everything that is kept for it; the other fields do
  // not matter. No run of this id: nothing happens. ABORTED when the run is open.
  bool deletes = false;
};

struct WriteBatch {
  int partition = 0;
  int64_t epoch = 0;
  std::vector<RunWrite> writes;  // in order; a run may occur more than once
};

struct StoredRun {
  RunRow row;
  std::vector<std::string> transitions;  // in order, from event 1
  std::vector<v1::ActivityAttemptState> attempts;
};

struct RunFilter {
  base::Namespace ns;  // empty: all
  v1::RunStatus::Value status = v1::RunStatus::UNSPECIFIED;
  std::string workflow_type;
  std::shared_ptr<const filter::Expression> where;  // null: all
};

// An order by close time lists closed runs only. Runs of one moment come in the order, or the
// reverse order, of their creation.
enum class RunOrder {
  kStartTimeDescending,
  kStartTimeAscending,
  kCloseTimeDescending,
  kCloseTimeAscending,
};

struct RunPage {
  std::vector<RunRow> rows;     // in the order that was asked for
  std::string next_page_token;  // empty: the last page
};

struct DueRun {
  base::RunId run_id;
  absl::Time wake_at;
};

struct StatusCount {
  std::string workflow_type;
  v1::RunStatus::Value status;
  int64_t count;
};

// How many runs use a patch or a build.
struct VersionCount {
  enum class Kind { kPatch, kBuild };
  Kind kind = Kind::kPatch;
  std::string id;
  std::string workflow_type;
  int64_t open = 0;
  int64_t closed = 0;
  // Of the oldest open run; empty when none is open.
  base::WorkflowId oldest_open;
  absl::Time oldest_open_start = absl::InfiniteFuture();
};

class Store {
 public:
  virtual ~Store() = default;

  // Takes the partition over: the returned epoch is larger than any before, and a Commit with an
  // older one is ABORTED from now on.
  virtual absl::StatusOr<int64_t> AcquirePartition(int partition, const std::string& owner) = 0;

  // All writes or none. ABORTED names the run (or the partition) that was not as expected.
  virtual absl::Status Commit(const WriteBatch& batch) = 0;
  // OK while `epoch` is the partition's newest; ABORTED when another owner has taken it over. Any
  // thread; as cheap as a read.
  virtual absl::Status CheckEpoch(int partition, int64_t epoch) {
    return Commit({.partition = partition, .epoch = epoch, .writes = {}});
  }

  // NOT_FOUND; DATA_LOSS when the transitions are not contiguous from event 1.
  virtual absl::StatusOr<StoredRun> LoadRun(const base::RunId& run_id) = 0;
  // The newest run of the workflow id, open or closed.
  virtual absl::StatusOr<std::optional<RunRow>> FindRun(const base::Namespace& ns,
                                                        const base::WorkflowId& workflow_id) = 0;
  virtual absl::StatusOr<std::optional<RunRow>> FindRunById(const base::RunId& run_id) = 0;
  // `page_token` from the page before, empty for the first; INVALID_ARGUMENT when it is not one.
  // A page has 1 to 1,000 rows; `page_size` beyond that counts as the nearer end.
  // A token fits the filter and order that it was given for; the caller sees to that.
  virtual absl::StatusOr<RunPage> List(const RunFilter& filter, RunOrder order, int page_size,
                                       const std::string& page_token) = 0;
  // The runs that match, in groups by type and status. Without a namespace and with nothing but
  // types and statuses in the filter it costs as much as there are groups, else as the matches of
  // its most selective part.
  virtual absl::StatusOr<std::vector<StatusCount>> Count(const RunFilter& filter) = 0;
  // Patches and builds of stored runs, by kind, id and type. Empty `ns` or type: all. Costs as
  // much as there are groups.
  virtual absl::StatusOr<std::vector<VersionCount>> CountVersions(
      const base::Namespace& ns, const std::string& workflow_type) = 0;
  // The data of each blob, in order. DATA_LOSS when one is missing.
  virtual absl::StatusOr<std::vector<std::string>> ReadBlobs(
      const std::vector<std::string>& hashes) = 0;
  // Runs of slots [slot_first, slot_last], open or closed, with wake_at in (after, until], earliest
  // first. `after` is (wake_at, run id) of the last one seen, so that equal times page correctly;
  // the first page asks with {.wake_at = InfinitePast}, which leaves out nothing.
  virtual absl::StatusOr<std::vector<DueRun>> DueRuns(int slot_first, int slot_last,
                                                      const DueRun& after, absl::Time until,
                                                      int limit) = 0;
  // Transitions that hold events after `after_event_id`, at most `limit` of them; the first may
  // begin before. NOT_FOUND when there is no such run.
  virtual absl::StatusOr<std::vector<std::string>> ReadTransitions(const base::RunId& run_id,
                                                                   base::EventId after_event_id,
                                                                   int limit) = 0;
  // Open and closed runs; costs as much as there are groups, not runs.
  virtual absl::StatusOr<std::vector<StatusCount>> CountRuns() = 0;
};

}  // namespace store
