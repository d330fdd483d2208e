// The system workflow "system.schedule": one open run a schedule, workflow id "schedule:<id>".
// Updates "pause", "resume", "trigger", "backfill", "update", "delete" take the requests of
// ScheduleService; query "describe" takes a DescribeScheduleQuery and answers a ScheduleInfo.
//
// A time is dealt with in this order: the cursor passes it and the start is made pending (one
// commit); the overlap policy decides; an activity starts the run, with a workflow id and a
// request id that follow from the time. A crash at any point repeats at most the activity, and the
// engine answers it with the run that there is.
//
// Thread-safety: as of workflows.
//
// Example: see register.h of the server: schedules::Register(registry, slot).
#pragma once

#include <string>

#include "orchestrator/client/call.h"
#include "orchestrator/sdk/registry.h"
#include "orchestrator/v1/schedule.pb.h"
#include "orchestrator/v1/service.pb.h"

namespace schedules {

namespace v1 = ::orchestrator::v1;

inline constexpr char kScheduleType[] = "system.schedule";
inline constexpr char kIdPrefix[] = "schedule:";
std::string WorkflowIdOf(const std::string& schedule_id);

inline constexpr char kDescribe[] = "describe";
inline constexpr char kPause[] = "pause";
inline constexpr char kResume[] = "resume";
inline constexpr char kTrigger[] = "trigger";
inline constexpr char kBackfill[] = "backfill";
inline constexpr char kUpdate[] = "update";
inline constexpr char kDelete[] = "delete";
// Types of the failures of refused updates.
inline constexpr char kInvalid[] = "InvalidSchedule";
inline constexpr char kOtherRevision[] = "OtherRevision";
inline constexpr char kTooMany[] = "TooMany";

// Starts a run.
inline constexpr sdk::ActivityType<v1::StartWorkflowRequest, v1::StartWorkflowResponse> kStart{
    "system.schedule.start"};
// Those of the given runs that are open.
inline constexpr sdk::ActivityType<v1::ScheduledRuns, v1::ScheduledRuns> kLook{
    "system.schedule.look"};
// Cancels or terminates the given runs.
inline constexpr sdk::ActivityType<v1::ScheduledRuns, v1::ScheduledRuns> kStop{
    "system.schedule.stop"};
// Waits until all of the given runs are closed.
inline constexpr sdk::ActivityType<v1::ScheduledRuns, v1::ScheduledRuns> kWatch{
    "system.schedule.watch"};

sdk::Workflow<v1::ScheduleInfo> RunSchedule(sdk::Context ctx, v1::ScheduleInput input);

// The workflow and its activities.
void Register(sdk::Registry& registry, client::ClientSlot slot);

}  // namespace schedules
