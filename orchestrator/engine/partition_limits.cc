// The limits of what callers give (DESIGN.md invariant 7). Each error names the limit and the value
// that was found.
#include "absl/strings/str_cat.h"
#include "orchestrator/engine/partition.h"

namespace engine {
namespace {

absl::Status CheckLength(const char* what, size_t bytes, const char* limit, int bytes_max) {
  if (bytes <= static_cast<size_t>(bytes_max)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " has ", bytes, " bytes (limit ", limit, " = ", bytes_max, ")"));
}

}  // namespace

absl::Status Partition::CheckPayloadSize(const v1::Payload& payload) const {
  const size_t bytes = payload.ByteSizeLong();
  if (bytes <= static_cast<size_t>(options_.payload_bytes_max)) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the payload has ", bytes,
                   " bytes (limit payload_bytes_max = ", options_.payload_bytes_max, ")"));
}

absl::Status Partition::CheckIdentity(const std::string& identity) const {
  return CheckLength("identity", identity.size(), "identity_bytes_max",
                     options_.identity_bytes_max);
}

absl::Status Partition::CheckReason(const std::string& reason) const {
  return CheckLength("reason", reason.size(), "reason_bytes_max", options_.reason_bytes_max);
}

absl::Status Partition::CheckName(const char* what, const std::string& name) const {
  return CheckLength(what, name.size(), "name_bytes_max", options_.name_bytes_max);
}

absl::Status Partition::CheckSignal(const LiveRun& run) const {
  if (run.state.signals_waiting >= options_.signals_pending_max) {
    return absl::ResourceExhaustedError(absl::StrCat(
        run.state.signals_waiting, " signals wait for the run's code (limit signals_pending_max = ",
        options_.signals_pending_max, "); the run is ", v1::RunStatus::Value_Name(run.row.status)));
  }
  if (run.state.signals_received >= options_.signals_max) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the run has received ", run.state.signals_received,
        " signals (limit signals_max = ", options_.signals_max, "); let it continue as new"));
  }
  return absl::OkStatus();
}

absl::Status Partition::CheckUpdate(const LiveRun& run) const {
  const core::RunState& state = run.state;
  if (state.paused) {
    return absl::FailedPreconditionError(absl::StrCat(
        "run ", run.id.value(), " is ", PausedReason(state), "; it takes updates when resumed"));
  }
  if (state.waits_for_cron()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "run ", run.id.value(), " waits for its time, ",
        absl::FormatTime(state.begins_at, absl::UTCTimeZone()), "; it takes updates from then on"));
  }
  const int kept = static_cast<int>(state.updates.size());
  const int in_flight = kept - state.updates_completed;
  if (in_flight >= options_.updates_in_flight_max) {
    return absl::ResourceExhaustedError(absl::StrCat(in_flight,
                                                     " updates of the run are not answered (limit "
                                                     "updates_in_flight_max = ",
                                                     options_.updates_in_flight_max, ")"));
  }
  if (kept >= options_.updates_max) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the run has taken ", kept, " updates (limit updates_max = ", options_.updates_max,
        "); let it continue as new"));
  }
  return absl::OkStatus();
}

}  // namespace engine
