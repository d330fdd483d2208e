// ScheduleServiceImpl: orchestrator.v1.ScheduleService over a WorkflowClient. A schedule is a run
// of the system workflow "system.schedule" (orchestrator/schedules); this checks requests and turns
// them into starts, updates and queries of it. gRPC and REST share it.
//
// Thread-safety: thread-safe. Each callback is called exactly once, on the caller's thread or an
// engine thread. The service outlives its calls.
//
// Example:
//   ScheduleServiceImpl service({client, clock});
//   service.GetSchedule(call, request, [](absl::StatusOr<v1::ScheduleInfo> info) { ... });
#pragma once

#include <string>

#include "gateway/grpc/call_info.h"
#include "gateway/grpc/wizard_preview.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/client/client.h"
#include "orchestrator/v1/schedule.pb.h"

namespace gateway {

namespace v1 = ::orchestrator::v1;
using client::Callback;

class ScheduleServiceImpl {
 public:
  struct Dependencies {
    client::WorkflowClient& client;
    base::Clock& clock;
    // What campaigns need of the settings; null: only their own fields are checked.
    const WizardPreviewer* previewer = nullptr;
  };
  explicit ScheduleServiceImpl(Dependencies dependencies) : d_(dependencies) {}

  void CreateSchedule(CallInfo call, v1::CreateScheduleRequest request,
                      Callback<v1::ScheduleInfo> done);
  void ListSchedules(CallInfo call, v1::ListSchedulesRequest request,
                     Callback<v1::ListSchedulesResponse> done);
  void GetSchedule(CallInfo call, v1::GetScheduleRequest request, Callback<v1::ScheduleInfo> done);
  void UpdateSchedule(CallInfo call, v1::UpdateScheduleRequest request,
                      Callback<v1::ScheduleInfo> done);
  void PauseSchedule(CallInfo call, v1::PauseScheduleRequest request,
                     Callback<v1::ScheduleInfo> done);
  void ResumeSchedule(CallInfo call, v1::PauseScheduleRequest request,
                      Callback<v1::ScheduleInfo> done);
  void TriggerSchedule(CallInfo call, v1::TriggerScheduleRequest request,
                       Callback<v1::TriggerScheduleResponse> done);
  void BackfillSchedule(CallInfo call, v1::BackfillScheduleRequest request,
                        Callback<v1::ScheduleInfo> done);
  void DeleteSchedule(CallInfo call, v1::DeleteScheduleRequest request,
                      Callback<v1::DeleteScheduleResponse> done);

  // What is wrong with a request (refused.h).
  void Check(const v1::CreateScheduleRequest& request, FieldViolations* violations) const;
  void Check(const v1::GetScheduleRequest& request, FieldViolations* violations) const;
  void Check(const v1::ListSchedulesRequest& request, FieldViolations* violations) const;
  void Check(const v1::UpdateScheduleRequest& request, FieldViolations* violations) const;
  void Check(const v1::PauseScheduleRequest& request, FieldViolations* violations) const;
  void Check(const v1::TriggerScheduleRequest& request, FieldViolations* violations) const;
  void Check(const v1::BackfillScheduleRequest& request, FieldViolations* violations) const;
  void Check(const v1::DeleteScheduleRequest& request, FieldViolations* violations) const;

 private:
  // The name of a schedule: ids are each namespace's own.
  struct Id {
    std::string ns;
    std::string schedule_id;
  };
  void Describe(const Id& id, int next_times, Callback<v1::ScheduleInfo> done);
  void AddStatuses(const std::string& ns, v1::ScheduleInfo info, Callback<v1::ScheduleInfo> done);
  // An update of the schedule's run; its answer is the raw result.
  void Update(const Id& id, const char* name, v1::Payload input, const std::string& identity,
              int tries, Callback<v1::Payload> done);
  void AnswerEnded(const Id& id, Callback<v1::Payload> done);
  // The same, answered with the schedule as it is then.
  void Change(const CallInfo& call, const std::string& schedule_id, const char* name,
              v1::Payload input, const std::string& identity, Callback<v1::ScheduleInfo> done);

  const Dependencies d_;
};

}  // namespace gateway
