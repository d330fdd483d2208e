#include "gateway/grpc/schedule_service.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/v1/campaign.pb.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/campaign_validation.h"
#include "gateway/grpc/described_runs.h"
#include "gateway/grpc/gather.h"
#include "gateway/grpc/refused.h"
#include "gateway/grpc/validate.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"
#include "orchestrator/schedules/check.h"
#include "orchestrator/schedules/schedule_workflow.h"
#include "orchestrator/schedules/timetable.h"

namespace gateway {
namespace {

constexpr size_t kScheduleIdLengthMax = 200;
constexpr size_t kNoteLengthMax = 1000;
constexpr size_t kNameLengthMax = 200;
constexpr int kPageSizeDefault = 20;
constexpr int kPageSizeMax = 100;
constexpr int kNextTimesDefault = 5;
constexpr int kNextTimesMax = 100;
constexpr int kTriesMax = 5;
constexpr char kDeleted[] = "deleted";

std::string IdOf(const v1::WorkflowInfo& run) {
  return run.workflow_id().substr(sizeof(schedules::kIdPrefix) - 1);
}

void CheckId(const std::string& id, FieldViolations* violations) {
  CheckWorkflowId("schedule_id", id, violations);
  if (id.size() > kScheduleIdLengthMax) {
    violations->Add("schedule_id", absl::StrCat("must have at most ", kScheduleIdLengthMax,
                                                " characters, has ", id.size()));
  }
}

void Add(const std::vector<schedules::Problem>& problems, FieldViolations* violations) {
  for (const schedules::Problem& p : problems) violations->Add(p.field, p.description);
}

void CheckCaller(const std::string& note, const std::string& request_id,
                 const std::string& identity, FieldViolations* violations) {
  CheckText("note", note, kNoteLengthMax, Presence::kOptional, Lines::kMultiple, violations);
  CheckRequestId("request_id", request_id, violations);
  CheckText("identity", identity, kNameLengthMax, Presence::kOptional, Lines::kSingle, violations);
}

// A scheduled campaign must be one that could be started now.
void CheckCampaignInput(const v1::ScheduleAction& action, const WizardPreviewer* previewer,
                        absl::Time now, FieldViolations* violations) {
  if (action.workflow_type() != kCampaignType) return;
  const absl::StatusOr<campaign::v1::CampaignSpec> spec =
      history::FromPayload<campaign::v1::CampaignSpec>(action.input());
  if (!spec.ok()) {
    violations->Add("schedule.action.input", spec.status().message());
    return;
  }
  // As JSON has it: a payload's message is in its "value".
  constexpr char kPath[] = "schedule.action.input.value";
  if (previewer == nullptr) {
    CheckCampaign(*spec, kPath, Completeness::kComplete, now, violations);
  } else {
    previewer->CheckStart(*spec, kPath, now, violations);
  }
}

absl::Status NoSuch(const std::string& schedule_id) {
  return absl::NotFoundError(absl::StrCat("there is no schedule \"", schedule_id, "\""));
}

// The workflow's refusal of an update.
absl::Status ToStatus(const v1::Failure& failure) {
  const std::string& message = failure.message();
  if (failure.type() == schedules::kOtherRevision) return absl::AbortedError(message);
  if (failure.type() == schedules::kTooMany) return absl::ResourceExhaustedError(message);
  if (failure.type() == "UnknownUpdate") return absl::FailedPreconditionError(message);
  return absl::InvalidArgumentError(message);
}

}  // namespace

void ScheduleServiceImpl::Check(const v1::CreateScheduleRequest& request,
                                FieldViolations* violations) const {
  CheckId(request.schedule_id(), violations);
  CheckCaller(request.note(), request.request_id(), request.identity(), violations);
  Add(schedules::CheckSchedule(request.schedule(), "schedule"), violations);
  const absl::Time now = d_.clock.Now();
  CheckCampaignInput(request.schedule().action(), d_.previewer, now, violations);
  if (schedules::CheckSpec(request.schedule().spec(), "").empty()) {
    const absl::StatusOr<schedules::Timetable> table =
        schedules::Timetable::Make(request.schedule_id(), request.schedule().spec());
    if (table.ok() && table->Next(now) == absl::InfiniteFuture()) {
      violations->Add("schedule.spec", "has no time after now");
    }
  }
}

void ScheduleServiceImpl::CreateSchedule(CallInfo call, v1::CreateScheduleRequest request,
                                         Callback<v1::ScheduleInfo> done) {
  if (Refused(*this, request, done)) return;
  v1::ScheduleInput input;
  input.set_schedule_id(request.schedule_id());
  *input.mutable_schedule() = request.schedule();
  input.set_paused(request.paused());
  input.set_note(request.note());
  v1::StartWorkflowRequest start;
  start.set_namespace_(call.ns);
  start.set_workflow_id(schedules::WorkflowIdOf(request.schedule_id()));
  start.set_workflow_type(schedules::kScheduleType);
  *start.mutable_input() = history::ToPayload(input);
  start.set_request_id(request.request_id());
  start.set_correlation_id(call.correlation_id);
  start.set_traceparent(call.traceparent);
  start.set_identity(call.IdentityOr(request.identity()));
  d_.client.StartWorkflow(
      std::move(start), [this, id = Id{call.ns, request.schedule_id()}, done = std::move(done)](
                            absl::StatusOr<v1::StartWorkflowResponse> started) mutable {
        if (absl::IsAlreadyExists(started.status())) {
          return done(absl::AlreadyExistsError(absl::StrCat(
              "schedule \"", id.schedule_id, "\" exists; update it, or delete it first")));
        }
        if (!started.ok()) return done(started.status());
        Describe(id, kNextTimesDefault, std::move(done));
      });
}

void ScheduleServiceImpl::Describe(const Id& id, int next_times, Callback<v1::ScheduleInfo> done) {
  v1::DescribeScheduleQuery query;
  *query.mutable_now() = history::ToProto(d_.clock.Now());
  query.set_next_times(next_times);
  v1::QueryWorkflowRequest request;
  request.set_namespace_(id.ns);
  request.set_workflow_id(schedules::WorkflowIdOf(id.schedule_id));
  request.set_query_name(schedules::kDescribe);
  *request.mutable_input() = history::ToPayload(query);
  d_.client.Query(std::move(request), [schedule_id = id.schedule_id, done = std::move(done)](
                                          absl::StatusOr<v1::QueryWorkflowResponse> r) mutable {
    if (absl::IsNotFound(r.status())) return done(NoSuch(schedule_id));
    if (!r.ok()) return done(r.status());
    absl::StatusOr<v1::ScheduleInfo> info = history::FromPayload<v1::ScheduleInfo>(r->result());
    if (!info.ok()) return done(info.status());
    if (info->status_reason() == kDeleted) return done(NoSuch(schedule_id));
    // Between two runs of the chain it goes on.
    info->set_status(r->status() == v1::RunStatus::CONTINUED_AS_NEW ? v1::RunStatus::RUNNING
                                                                    : r->status());
    done(*std::move(info));
  });
}

void ScheduleServiceImpl::Check(const v1::GetScheduleRequest& request,
                                FieldViolations* violations) const {
  CheckId(request.schedule_id(), violations);
  CheckRange("next_times", request.next_times(), 0, kNextTimesMax, violations);
}

void ScheduleServiceImpl::GetSchedule(CallInfo call, v1::GetScheduleRequest request,
                                      Callback<v1::ScheduleInfo> done) {
  if (Refused(*this, request, done)) return;
  Describe(
      {call.ns, request.schedule_id()},
      request.next_times() == 0 ? kNextTimesDefault : request.next_times(),
      [this, ns = call.ns, done = std::move(done)](absl::StatusOr<v1::ScheduleInfo> info) mutable {
        if (!info.ok()) return done(info.status());
        AddStatuses(ns, *std::move(info), std::move(done));
      });
}

void ScheduleServiceImpl::AddStatuses(const std::string& ns, v1::ScheduleInfo info,
                                      Callback<v1::ScheduleInfo> done) {
  auto shared = std::make_shared<v1::ScheduleInfo>(std::move(info));
  using Run = v1::WorkflowInfo;
  Gather<Run>(
      shared->recent_size(),
      [this, ns, shared](size_t i, Callback<Run> each) {
        v1::GetWorkflowRequest request;
        request.set_namespace_(ns);
        request.set_workflow_id(shared->recent(static_cast<int>(i)).workflow_id());
        d_.client.GetWorkflow(std::move(request), std::move(each));
      },
      [shared, done = std::move(done)](std::vector<absl::StatusOr<Run>> runs) mutable {
        for (size_t i = 0; i < runs.size(); ++i) {
          if (!runs[i].ok()) continue;  // gone: its retention is over
          shared->mutable_recent(static_cast<int>(i))->set_status(runs[i]->status());
        }
        done(std::move(*shared));
      });
}

void ScheduleServiceImpl::Check(const v1::ListSchedulesRequest& request,
                                FieldViolations* violations) const {
  CheckRange("page_size", request.page_size(), 0, kPageSizeMax, violations);
}

void ScheduleServiceImpl::ListSchedules(CallInfo call, v1::ListSchedulesRequest request,
                                        Callback<v1::ListSchedulesResponse> done) {
  if (Refused(*this, request, done)) return;
  v1::ListWorkflowsRequest list;
  list.set_namespace_(call.ns);
  list.set_filter(absl::StrCat("workflow_type = \"", schedules::kScheduleType,
                               "\" AND (status = RUNNING OR status = PAUSED OR status = STUCK)"));
  list.set_page_size(request.page_size() == 0 ? kPageSizeDefault : request.page_size());
  list.set_page_token(request.page_token());
  ListDescribed<v1::ScheduleInfo>(
      d_.client, std::move(list),
      [this](const v1::WorkflowInfo& run, Callback<v1::ScheduleInfo> each) {
        Describe({run.namespace_(), IdOf(run)}, 1, std::move(each));
      },
      [done = std::move(done)](absl::StatusOr<DescribedPage<v1::ScheduleInfo>> page) mutable {
        if (!page.ok()) return done(page.status());
        v1::ListSchedulesResponse response;
        for (auto& [run, info] : page->items) {
          v1::ScheduleInfo* schedule = response.add_schedules();
          if (info.ok()) {
            *schedule = *std::move(info);
            continue;
          }
          schedule->set_schedule_id(IdOf(run));  // one that cannot answer must not hide the others
          schedule->set_status(run.status());
          schedule->set_status_reason(std::string(info.status().message()));
        }
        response.set_next_page_token(page->next_page_token);
        done(std::move(response));
      });
}

void ScheduleServiceImpl::Update(const Id& id, const char* name, v1::Payload input,
                                 const std::string& identity, int tries,
                                 Callback<v1::Payload> done) {
  v1::UpdateWorkflowRequest request;
  request.set_namespace_(id.ns);
  request.set_workflow_id(schedules::WorkflowIdOf(id.schedule_id));
  request.set_update_name(name);
  *request.mutable_input() = input;
  request.set_identity(identity);
  d_.client.Update(
      std::move(request),
      [this, id, name, input = std::move(input), identity, tries,
       done = std::move(done)](absl::StatusOr<v1::UpdateWorkflowResponse> response) mutable {
        if (absl::IsNotFound(response.status())) return done(NoSuch(id.schedule_id));
        // The run just ended to continue as new: the one after it answers.
        const bool ended = absl::IsFailedPrecondition(response.status()) ||
                           (response.ok() && response->has_rejected() &&
                            response->rejected().type() == "UnknownUpdate");
        if (ended && tries < kTriesMax) {
          return Update(id, name, std::move(input), identity, tries + 1, std::move(done));
        }
        if (ended) return AnswerEnded(id, std::move(done));
        if (!response.ok()) return done(response.status());
        if (response->has_rejected()) return done(ToStatus(response->rejected()));
        if (response->has_failure()) return done(ToStatus(response->failure()));
        done(std::move(*response->mutable_result()));
      });
}

void ScheduleServiceImpl::AnswerEnded(const Id& id, Callback<v1::Payload> done) {
  Describe(
      id, 0,
      [schedule_id = id.schedule_id,
       done = std::move(done)](absl::StatusOr<v1::ScheduleInfo> info) mutable {
        if (!info.ok()) return done(info.status());  // deleted
        done(absl::FailedPreconditionError(absl::StrCat(
            "schedule \"", schedule_id, "\" has no more times and has ended; create it again")));
      });
}

void ScheduleServiceImpl::Change(const CallInfo& call, const std::string& schedule_id,
                                 const char* name, v1::Payload input, const std::string& identity,
                                 Callback<v1::ScheduleInfo> done) {
  const Id id = {call.ns, schedule_id};
  Update(id, name, std::move(input), call.IdentityOr(identity), 0,
         [this, id, done = std::move(done)](absl::StatusOr<v1::Payload> result) mutable {
           if (!result.ok()) return done(result.status());
           Describe(id, kNextTimesDefault, std::move(done));
         });
}

void ScheduleServiceImpl::Check(const v1::UpdateScheduleRequest& request,
                                FieldViolations* violations) const {
  CheckId(request.schedule_id(), violations);
  CheckCaller("", "", request.identity(), violations);
  const v1::Schedule& schedule = request.schedule();
  if (!schedule.has_spec() && !schedule.has_action() && !schedule.has_policies()) {
    violations->Add("schedule", "must have spec, action or policies");
  }
  if (schedule.has_spec()) Add(schedules::CheckSpec(schedule.spec(), "schedule.spec"), violations);
  if (schedule.has_action()) {
    Add(schedules::CheckAction(schedule.action(), "schedule.action"), violations);
    CheckCampaignInput(schedule.action(), d_.previewer, d_.clock.Now(), violations);
  }
  if (schedule.has_policies()) {
    Add(schedules::CheckPolicies(schedule.policies(), "schedule.policies"), violations);
  }
}

void ScheduleServiceImpl::UpdateSchedule(CallInfo call, v1::UpdateScheduleRequest request,
                                         Callback<v1::ScheduleInfo> done) {
  if (Refused(*this, request, done)) return;
  Change(call, request.schedule_id(), schedules::kUpdate, history::ToPayload(request),
         request.identity(), std::move(done));
}

void ScheduleServiceImpl::Check(const v1::PauseScheduleRequest& request,
                                FieldViolations* violations) const {
  CheckId(request.schedule_id(), violations);
  CheckCaller(request.note(), "", request.identity(), violations);
}

void ScheduleServiceImpl::PauseSchedule(CallInfo call, v1::PauseScheduleRequest request,
                                        Callback<v1::ScheduleInfo> done) {
  if (Refused(*this, request, done)) return;
  Change(call, request.schedule_id(), schedules::kPause, history::ToPayload(request),
         request.identity(), std::move(done));
}

void ScheduleServiceImpl::ResumeSchedule(CallInfo call, v1::PauseScheduleRequest request,
                                         Callback<v1::ScheduleInfo> done) {
  if (Refused(*this, request, done)) return;
  Change(call, request.schedule_id(), schedules::kResume, history::ToPayload(request),
         request.identity(), std::move(done));
}

void ScheduleServiceImpl::Check(const v1::TriggerScheduleRequest& request,
                                FieldViolations* violations) const {
  CheckId(request.schedule_id(), violations);
  CheckCaller("", request.request_id(), request.identity(), violations);
  if (!v1::OverlapPolicy::Value_IsValid(request.overlap())) {
    violations->Add("overlap", "is not an overlap policy");
  }
}

void ScheduleServiceImpl::TriggerSchedule(CallInfo call, v1::TriggerScheduleRequest request,
                                          Callback<v1::TriggerScheduleResponse> done) {
  if (Refused(*this, request, done)) return;
  Update({call.ns, request.schedule_id()}, schedules::kTrigger, history::ToPayload(request),
         call.IdentityOr(request.identity()), 0,
         [done = std::move(done)](absl::StatusOr<v1::Payload> result) mutable {
           if (!result.ok()) return done(result.status());
           done(history::FromPayload<v1::TriggerScheduleResponse>(*result));
         });
}

void ScheduleServiceImpl::Check(const v1::BackfillScheduleRequest& request,
                                FieldViolations* violations) const {
  CheckId(request.schedule_id(), violations);
  CheckCaller("", request.request_id(), request.identity(), violations);
  if (request.backfills().empty()) violations->Add("backfills", "must have an element");
  for (int i = 0; i < request.backfills_size(); ++i) {
    const std::string path = absl::StrCat("backfills[", i, "]");
    if (!request.backfills(i).has_start_time())
      violations->Add(path + ".start_time", "is required");
    if (!request.backfills(i).has_end_time()) violations->Add(path + ".end_time", "is required");
  }
}

void ScheduleServiceImpl::BackfillSchedule(CallInfo call, v1::BackfillScheduleRequest request,
                                           Callback<v1::ScheduleInfo> done) {
  if (Refused(*this, request, done)) return;
  Change(call, request.schedule_id(), schedules::kBackfill, history::ToPayload(request),
         request.identity(), std::move(done));
}

void ScheduleServiceImpl::Check(const v1::DeleteScheduleRequest& request,
                                FieldViolations* violations) const {
  CheckId(request.schedule_id(), violations);
  CheckCaller("", "", request.identity(), violations);
}

void ScheduleServiceImpl::DeleteSchedule(CallInfo call, v1::DeleteScheduleRequest request,
                                         Callback<v1::DeleteScheduleResponse> done) {
  if (Refused(*this, request, done)) return;
  Update({call.ns, request.schedule_id()}, schedules::kDelete, history::ToPayload(request),
         call.IdentityOr(request.identity()), 0,
         [done = std::move(done)](absl::StatusOr<v1::Payload> result) mutable {
           if (!result.ok()) return done(result.status());
           done(v1::DeleteScheduleResponse());
         });
}

}  // namespace gateway
