// What an Instance records as markers: side effects and patches.
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/sdk/instance.h"

namespace sdk {
namespace {

// Metadata of a side effect's marker that holds the failure of its function.
constexpr char kSideEffectFailedKey[] = "failed";

}  // namespace

void Instance::RequireWritable(const char* verb) const {
  if (!read_only_) return;
  throw base::FailureException(Failure::Permanent(
      "ReadOnly", absl::StrCat(verb,
                               " in a query handler, a validator, a condition or a side "
                               "effect: these may only look; do it in the workflow's body, in an "
                               "update handler or in an activity")));
}

v1::Payload Instance::SideEffect(const std::function<v1::Payload()>& fn,
                                 std::source_location where) {
  RequireWritable("SideEffect");
  const std::string name = absl::StrCat("side_effect:", ++last_side_effect_);
  v1::Payload details;
  if (!replaying_) {
    try {
      const ReadOnly guard(this);
      details = fn();
    } catch (const base::FailureException& e) {
      details = history::ToPayload(history::ToProto(e.failure()));
      (*details.mutable_metadata())[kSideEffectFailedKey] = "true";
    }
  } else if (const v1::MarkerRecorded* marker = ReplayedMarker(name)) {
    details = marker->details();
  }
  v1::MarkerRecorded* command = AddCommand(where)->mutable_marker_recorded();
  command->set_marker_name(name);
  *command->mutable_details() = details;
  if (replaying_ && ReplayedMarker(name) == nullptr) {
    // The check of this task finds the command that the history does not have.
    throw base::FailureException(
        Failure::Permanent("Nondeterminism", absl::StrCat("the history has no ", name, " here")));
  }
  if (details.metadata().contains(kSideEffectFailedKey)) {
    v1::Failure failure;
    const absl::Status parsed = history::ParsePayload(details, &failure);
    if (!parsed.ok()) {
      throw base::FailureException(Failure::Permanent("UndecodablePayload", parsed.ToString()));
    }
    throw base::FailureException(history::FromProto(failure));
  }
  return details;
}

bool Instance::Patched(const std::string& id, bool deprecated, std::source_location where) {
  const auto known = patches_.find(id);
  if (known != patches_.end()) return known->second;
  if (read_only_) return false;
  const std::string name = absl::StrCat(kPatchMarkerPrefix, id);
  if (replaying_ && ReplayedMarker(name) == nullptr) {
    // The run passed this place before the patch. That answer stays, unless the run met the patch
    // at a place further on, by code that did not ask here.
    if (!patches_recorded_.contains(name)) patches_[id] = false;
    return false;
  }
  patches_[id] = true;
  v1::MarkerRecorded* command = AddCommand(where)->mutable_marker_recorded();
  command->set_marker_name(name);
  if (deprecated) (*command->mutable_details()->mutable_metadata())[kPatchDeprecatedKey] = "true";
  return true;
}

const v1::MarkerRecorded* Instance::ReplayedMarker(const std::string& name) const {
  if (recorded_ == nullptr) return nullptr;
  for (const v1::HistoryEvent* event : *recorded_) {
    if (event->marker_recorded().marker_name() == name) return &event->marker_recorded();
  }
  return nullptr;
}

}  // namespace sdk
