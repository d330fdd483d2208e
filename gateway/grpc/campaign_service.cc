#include "gateway/grpc/campaign_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/ids.h"
#include "gateway/grpc/progress.h"
#include "gateway/grpc/refused.h"
#include "gateway/grpc/start_quota.h"
#include "gateway/grpc/validate.h"
#include "orchestrator/history/payload.h"

namespace gateway {

namespace v1 = ::orchestrator::v1;

void CampaignServiceImpl::Check(const cv1::CreateCampaignRequest& request,
                                FieldViolations* violations) const {
  previewer_.CheckStart(request.campaign(), "campaign", d_.clock.Now(), violations);
  CheckRequestId("request_id", request.request_id(), violations);
}

void CampaignServiceImpl::CreateCampaign(CallInfo call, cv1::CreateCampaignRequest request,
                                         Callback<cv1::CampaignStarted> done) {
  if (Refused(*this, request, done)) return;
  const std::string workflow_id =
      absl::StrCat("campaign-", request.request_id().empty() ? RandomHex(d_.random)
                                                             : HashHex(request.request_id()));
  Start(call, request.campaign(), workflow_id, request.request_id(), std::move(done));
}

void CampaignServiceImpl::Start(const CallInfo& call, const cv1::CampaignSpec& spec,
                                const std::string& workflow_id, const std::string& request_id,
                                Callback<cv1::CampaignStarted> done) {
  v1::StartWorkflowRequest start;
  start.set_namespace_(call.ns);
  start.set_workflow_id(workflow_id);
  start.set_workflow_type(kCampaignType);
  *start.mutable_input() = history::ToPayload(spec);
  start.set_request_id(request_id);
  start.set_traceparent(call.traceparent);
  start.set_correlation_id(call.correlation_id);
  start.set_identity(call.IdentityOr(""));
  auto kept = std::make_unique<v1::StartWorkflowRequest>(std::move(start));
  const v1::StartWorkflowRequest& counted = *kept;
  WithinQuota(d_.quotas, call, counted,
              [this, kept = std::move(kept),
               done = std::move(done)](absl::StatusOr<StartReservation> place) mutable {
                if (!place.ok()) return done(place.status());
                d_.client.StartWorkflow(
                    std::move(*kept),
                    [place = *std::move(place), done = std::move(done)](
                        absl::StatusOr<v1::StartWorkflowResponse> response) mutable {
                      place.Ended(response.status(), response.ok() && !response->already_started());
                      if (!response.ok()) return done(response.status());
                      cv1::CampaignStarted started;
                      started.set_workflow_id(response->workflow_id());
                      started.set_run_id(response->run_id());
                      started.set_status(v1::RunStatus::Value_Name(response->status()));
                      started.set_already_started(response->already_started());
                      done(std::move(started));
                    });
              });
}

void CampaignServiceImpl::Check(const cv1::GetProgressRequest& request,
                                FieldViolations* violations) const {
  CheckWorkflowId("workflow_id", request.workflow_id(), violations);
}

void CampaignServiceImpl::GetProgress(CallInfo call, cv1::GetProgressRequest request,
                                      Callback<cv1::CampaignProgress> done) {
  if (Refused(*this, request, done)) return;
  LookAtProgress(d_.client, d_.clock, call.ns, request.workflow_id(),
                 [done = std::move(done)](absl::StatusOr<ProgressView> view) mutable {
                   if (!view.ok()) return done(view.status());
                   done(std::move(view->progress));
                 });
}

void CampaignServiceImpl::WatchProgress(CallInfo call, cv1::GetProgressRequest request,
                                        std::shared_ptr<Stream<cv1::CampaignProgress>> stream) {
  if (absl::Status status = Checked(*this, request); !status.ok()) return stream->Finish(status);
  absl::StatusOr<StreamSlots::Slot> slot = streams_.Take(call);
  if (!slot.ok()) return stream->Finish(slot.status());
  hub_.Watch(request.workflow_id(), request.resume_token(), call, *std::move(slot),
             std::move(stream));
}

}  // namespace gateway
