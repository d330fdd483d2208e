#include "orchestrator/store/sqlite/write_check.h"

#include "absl/strings/str_cat.h"
#include "orchestrator/store/sqlite/encoding.h"

namespace store::sqlite {

absl::Status CheckWrite(const RunWrite& write) {
  const base::EventId before = write.is_new ? 1 : write.expected_next_event_id;
  const base::EventId after = write.row.next_event_id;
  const auto error = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(
        "run ", write.row.run_id.value(), ": ", what, " (stored events end before ", before,
        ", first_event_id ", write.first_event_id, ", next_event_id ", after, ")"));
  };
  const auto is_event = [](base::EventId id) { return id >= 1 && id <= kEventIdMax; };
  if (write.row.run_id.empty()) return error("a write needs a run id");
  if (write.deletes) return absl::OkStatus();
  for (const Blob& blob : write.blobs) {
    if (blob.hash.size() != 32) return error("a blob has no SHA-256");
    if (blob.attempt < 0 || blob.attempt > kEventIdMax) return error("a blob names no event");
  }
  for (const v1::ActivityAttemptState& attempt : write.attempts_put) {
    if (!is_event(attempt.scheduled_event_id())) return error("an attempt names no event");
  }
  for (const base::EventId scheduled : write.attempts_removed) {
    if (!is_event(scheduled)) return error("an attempt to remove names no event");
  }
  if (write.transition.empty()) {
    if (after == before) return absl::OkStatus();
    return error("events are counted that no transition holds");
  }
  if (write.first_event_id != before || after <= before) {
    return error("the transition does not continue the history");
  }
  if (after > kEventIdMax) return error("the history is too long for the store");
  return absl::OkStatus();
}

}  // namespace store::sqlite
