// What a schedule's run knows, and its decisions that need no waiting: pure changes of a
// v1::ScheduleInput, so that continue-as-new carries all of it.
//
// Thread-safety: belongs to its workflow's thread.
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/schedules/timetable.h"
#include "orchestrator/v1/schedule.pb.h"
#include "orchestrator/v1/service.pb.h"

namespace schedules {

inline constexpr int kRecentMax = 10;
inline constexpr int kRunningMax = 100;  // remembered; beyond it the oldest are forgotten
inline constexpr int kBufferMax = 1000;
inline constexpr int kPendingMax = 1000;
inline constexpr int kDueAtOnceMax = 10;  // times taken in one turn
inline constexpr int kRequestIdsMax = 100;

class ScheduleRun {
 public:
  // `input` was checked.
  ScheduleRun(v1::ScheduleInput input, Timetable table, absl::Time now);

  v1::ScheduleInput& input() { return input_; }
  v1::ScheduleState& state() { return *input_.mutable_state(); }
  const v1::ScheduleState& state() const { return input_.state(); }
  const Timetable& table() const { return table_; }

  // True when the timetable must be asked what is due at `now`.
  bool MustAsk(absl::Time now) const;
  v1::DueTimes AskDue(absl::Time now) const;  // depends on the time zone database
  void Take(const v1::DueTimes& due);
  bool MustAskBackfill() const;
  v1::DueTimes AskBackfill() const;
  void TakeBackfill(const v1::DueTimes& due);

  // When to look again, without a change from outside; InfiniteFuture() for never.
  absl::Time NextWake() const;
  // No times are left, nothing waits and nobody may want to change it.
  bool Ended() const;

  v1::OverlapPolicy::Value PolicyOf(const v1::PendingStart& start) const;
  // The request that starts a run for it; the same for the same time, always.
  v1::StartWorkflowRequest StartRequest(const v1::PendingStart& start) const;
  void Started(const v1::PendingStart& start, const v1::StartWorkflowRequest& request,
               const base::Outcome<v1::StartWorkflowResponse>& outcome, absl::Time now);
  // A run is open: what becomes of the start. True when the open runs are to be stopped.
  bool Overlaps(const v1::PendingStart& start);

  // The updates. Their requests were checked.
  void Pause(bool paused, const std::string& note, absl::Time now);
  std::string Trigger(const v1::TriggerScheduleRequest& request, absl::Time now);
  void Backfill(const v1::BackfillScheduleRequest& request);
  void Update(const v1::Schedule& schedule, Timetable table, absl::Time now);

  v1::ScheduleInfo Describe(absl::Time now, int next_times) const;

 private:
  absl::Duration CatchUpWindow() const;
  void Changed(absl::Time now);
  void DropTimes(google::protobuf::RepeatedPtrField<v1::PendingStart>* starts);
  void Remember(const std::string& request_id, const std::string& workflow_id);
  std::string WorkflowId(const v1::PendingStart& start) const;

  v1::ScheduleInput input_;
  Timetable table_;
  // Of the timetable's last answer; not carried over.
  bool known_ = false;
  absl::Time next_ = absl::InfiniteFuture();
};

// The parts of `update` that are given, in `schedule`.
v1::Schedule Merge(v1::Schedule schedule, const v1::Schedule& update);

}  // namespace schedules
