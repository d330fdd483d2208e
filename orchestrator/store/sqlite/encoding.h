// How ids, times and run rows lie in SQLite columns. Pure functions; thread-safe.
//
// Example:
//   RunKey key(run_id);
//   key.BindTo(statement, 1);
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "orchestrator/database/statement.h"
#include "orchestrator/store/store.h"

namespace store::sqlite {

// A run id as it is stored: the 16 bytes of a UUID in canonical lower-case form, else the text.
class RunKey {
 public:
  explicit RunKey(const base::RunId& run_id);
  // This object and the run id must live until the statement has run.
  void BindTo(database::Statement& statement, int parameter) const;
  bool is_uuid() const { return is_uuid_; }
  absl::string_view bytes() const { return {bytes_, sizeof(bytes_)}; }  // of a UUID

 private:
  const std::string& text_;
  bool is_uuid_;
  char bytes_[16];
};
base::RunId ReadRunId(const database::Statement& statement, int column);

// Rows of `history` and `attempts`: (runs.id << kEventBits) + event id.
inline constexpr int kEventBits = 24;
inline constexpr base::EventId kEventIdMax = (base::EventId{1} << kEventBits) - 1;
inline int64_t EventKey(int64_t row_id, base::EventId event_id) {
  return (row_id << kEventBits) + event_id;
}
inline base::EventId EventIdOf(int64_t key) { return key & kEventIdMax; }

// Microseconds since 1970, rounded down; the infinities are the ends of int64.
int64_t EncodeTime(absl::Time time);
absl::Time DecodeTime(int64_t micros);

// wake_at: InfinitePast is 0, and nothing else is; InfiniteFuture is NULL, here kNever.
inline constexpr int64_t kNever = INT64_MAX;
int64_t EncodeWake(absl::Time time);
absl::Time DecodeWake(int64_t micros);
// Binds NULL for kNever.
void BindTime(database::Statement& statement, int parameter, int64_t micros);

inline bool IsOpen(v1::RunStatus::Value status) {
  return status == v1::RunStatus::RUNNING || status == v1::RunStatus::PAUSED ||
         status == v1::RunStatus::STUCK;
}

// A SELECT's columns for ReadRunRow from kRunTables; `id`, the row id, comes last.
inline constexpr char kRunColumns[] =
    "run_id, namespace, workflow_id, workflow_type, task_queue, request_id, correlation_id, "
    "trace_id, start_time, status, status_reason, close_time, next_event_id, wake_at, saga_state, "
    "parent_workflow_id, build_id, search_attributes, memo, patches, id";
inline constexpr int kRowIdColumn = 20;
inline constexpr char kRunJoins[] =
    " LEFT JOIN run_properties ON run_properties.run = runs.id"
    " LEFT JOIN builds ON builds.number = runs.build";
RunRow ReadRunRow(const database::Statement& statement);

}  // namespace store::sqlite
