// Local activities of an Instance: begun by the code, run by the worker, ended by a marker.
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/history/time.h"
#include "orchestrator/sdk/instance.h"

namespace sdk {
namespace {

Failure CanceledLocal(const std::string& reason) {
  Failure failure = Failure::Canceled(reason.empty() ? "canceled" : reason);
  failure.effect_unknown = true;  // an attempt may be under way
  return failure;
}

// "local_activity:17:check_address" -> 17; 0 when it is no such name.
int64_t SequenceOf(std::string_view marker_name) {
  const std::string_view prefix = kLocalMarkerPrefix;
  if (!marker_name.starts_with(prefix)) return 0;
  marker_name.remove_prefix(prefix.size());
  const std::string digits(marker_name.substr(0, marker_name.find(':')));
  int64_t sequence = 0;
  return absl::SimpleAtoi(digits, &sequence) ? sequence : 0;
}

}  // namespace

internal::FutureStatePtr Instance::StartLocal(const std::string& type, v1::Payload input,
                                              const LocalActivityOptions& options,
                                              const internal::ScopePtr& scope,
                                              std::source_location where) {
  internal::FutureStatePtr future = NewFuture();
  if (const auto* canceled = internal::CanceledBy(scope.get())) {
    Resolve(future, Failure::Canceled(canceled->reason.empty() ? "canceled" : canceled->reason));
    return future;
  }
  RequireWritable("ExecuteLocal");
  (void)where;  // no command is given: its marker comes with its end
  const int64_t sequence = ++last_sequence_;
  future->id = absl::StrCat(sequence);
  v1::ActivityTaskScheduled scheduled;
  scheduled.set_activity_id(future->id);
  scheduled.set_activity_type(type);
  scheduled.set_task_queue(info_.task_queue);
  *scheduled.mutable_input() = std::move(input);
  *scheduled.mutable_start_to_close_timeout() = history::ToProto(options.start_to_close_timeout);
  *scheduled.mutable_schedule_to_close_timeout() =
      history::ToProto(options.schedule_to_close_timeout);
  *scheduled.mutable_retry_policy() = ToProto(options.retry);
  scheduled.set_idempotency_key(absl::StrCat(info_.workflow_id, "/", info_.run_id, "/", sequence));
  locals_begun_.push_back({.sequence = sequence, .scheduled = scheduled});
  locals_[sequence] = {.scheduled = std::move(scheduled), .future = future, .scope = scope};
  return future;
}

bool Instance::EndLocal(const LocalEnd& end) {
  const auto it = locals_.find(end.sequence);
  if (closed_ || it == locals_.end()) return false;
  v1::MarkerRecorded* marker = AddCommand(std::source_location())->mutable_marker_recorded();
  commands_.back().clear_source();
  marker->set_marker_name(
      absl::StrCat(kLocalMarkerPrefix, end.sequence, ":", it->second.scheduled.activity_type()));
  if (end.outcome.ok()) {
    *marker->mutable_details() = *end.outcome;
  } else {
    *marker->mutable_details() = history::ToPayload(history::ToProto(end.outcome.failure()));
    (*marker->mutable_details()->mutable_metadata())[kLocalFailedKey] = "true";
  }
  const internal::FutureStatePtr future = it->second.future;
  locals_.erase(it);
  Resolve(future, end.outcome);
  return true;
}

bool Instance::EndRecordedLocals() {
  if (recorded_ == nullptr) return false;
  bool ended = false;
  for (const v1::HistoryEvent* event : *recorded_) {
    const v1::MarkerRecorded& marker = event->marker_recorded();
    const int64_t sequence = SequenceOf(marker.marker_name());
    if (sequence == 0) continue;
    LocalEnd end{.sequence = sequence, .outcome = marker.details()};
    if (marker.details().metadata().contains(kLocalFailedKey)) {
      v1::Failure failure;
      const absl::Status parsed = history::ParsePayload(marker.details(), &failure);
      end.outcome = parsed.ok() ? history::FromProto(failure)
                                : Failure::Permanent("UndecodablePayload", parsed.ToString());
    }
    // One that the code does not know leaves no command, and the check of the task says so.
    ended |= EndLocal(end);
  }
  return ended;
}

bool Instance::CancelLocal(const std::string& id, const std::string& reason) {
  int64_t sequence = 0;
  if (!absl::SimpleAtoi(id, &sequence)) return false;
  const auto it = locals_.find(sequence);
  if (it == locals_.end()) return false;
  RequireWritable("Cancel");
  const internal::FutureStatePtr future = it->second.future;
  locals_.erase(it);
  const size_t begun = std::erase_if(
      locals_begun_, [sequence](const LocalStart& start) { return start.sequence == sequence; });
  if (begun == 0) locals_canceled_.push_back(sequence);
  Resolve(future, CanceledLocal(reason));
  return true;
}

void Instance::CancelLocals(const std::string& reason) {
  std::vector<std::string> ids;
  for (const auto& [sequence, local] : locals_) {
    if (internal::CanceledBy(local.scope.get()) != nullptr) ids.push_back(absl::StrCat(sequence));
  }
  for (const std::string& id : ids) CancelLocal(id, reason);
}

std::vector<LocalStart> Instance::PendingLocals() const {
  std::vector<LocalStart> pending;
  for (const auto& [sequence, local] : locals_) {
    pending.push_back({.sequence = sequence, .scheduled = local.scheduled});
  }
  return pending;
}

}  // namespace sdk
