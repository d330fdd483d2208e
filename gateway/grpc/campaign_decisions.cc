// The decision part of CampaignServiceImpl: approve, reject and update_content, which are updates
// of the campaign's workflow.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "campaign/v1/activities.pb.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/campaign_validation.h"
#include "gateway/grpc/ids.h"
#include "gateway/grpc/refused.h"
#include "gateway/grpc/validate.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

namespace v1 = ::orchestrator::v1;

constexpr size_t kPersonLengthMax = 200;
constexpr size_t kCommentLengthMax = 2000;
constexpr size_t kContentLengthMax = 20000;

absl::Status AlreadyDecided(const std::string& workflow_id, const cv1::ApprovalDecision& decision) {
  return absl::AlreadyExistsError(
      absl::StrCat("campaign ", workflow_id, " was already ", decision.decision(), " by ",
                   decision.decided_by(), " (", decision.via(), ") at ",
                   absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", history::FromProto(decision.decided_at()),
                                    absl::UTCTimeZone())));
}

// What a validator says of a field, "FIELD: WHAT", as a violation of the field.
absl::Status Violation(absl::string_view field, absl::string_view message) {
  if (absl::ConsumePrefix(&message, field)) absl::ConsumePrefix(&message, ": ");
  return FieldError(field, message);
}

// What the campaign's validators say, as a status of ours.
absl::Status RefusalStatus(const v1::Failure& rejected) {
  const std::string& type = rejected.type();
  if (type == "AlreadyDecided") return absl::AlreadyExistsError(rejected.message());
  if (type == "UnknownContent") return Violation("content_id", rejected.message());
  if (type == "InvalidContent") return Violation("new_content", rejected.message());
  return absl::FailedPreconditionError(rejected.message());
}

v1::UpdateWorkflowRequest MakeUpdate(const std::string& ns, const std::string& workflow_id,
                                     const char* name, const google::protobuf::MessageLite& input,
                                     std::string identity, base::Random& random) {
  v1::UpdateWorkflowRequest update;
  update.set_namespace_(ns);
  update.set_workflow_id(workflow_id);
  update.set_update_name(name);
  update.set_update_id(absl::StrCat(name, "-", RandomHex(random)));
  *update.mutable_input() = history::ToPayload(input);
  update.set_identity(std::move(identity));
  return update;
}

// The update's typed result, or why there is none.
template <typename T>
absl::StatusOr<T> ResultOf(const absl::StatusOr<v1::UpdateWorkflowResponse>& response) {
  if (!response.ok()) return response.status();
  switch (response->outcome_case()) {
    case v1::UpdateWorkflowResponse::kRejected:
      return RefusalStatus(response->rejected());
    case v1::UpdateWorkflowResponse::kFailure:
      return RefusalStatus(response->failure());
    default:
      return history::FromPayload<T>(response->result());
  }
}

// `refused` is what a closed run answered: the better answer is who had decided, if anybody had.
template <typename T>
void AnswerClosed(client::WorkflowClient& client, const std::string& ns,
                  const std::string& workflow_id, absl::Status refused, Callback<T> done) {
  v1::QueryWorkflowRequest query;
  query.set_namespace_(ns);
  query.set_workflow_id(workflow_id);
  query.set_query_name("progress");
  client.Query(std::move(query),
               [workflow_id, refused = std::move(refused),
                done = std::move(done)](absl::StatusOr<v1::QueryWorkflowResponse> answer) mutable {
                 if (!answer.ok()) return done(std::move(refused));
                 auto progress = history::FromPayload<cv1::CampaignProgress>(answer->result());
                 if (progress.ok() && progress->has_decision()) {
                   return done(AlreadyDecided(workflow_id, progress->decision()));
                 }
                 if (answer->status() < v1::RunStatus::COMPLETED) return done(std::move(refused));
                 done(absl::FailedPreconditionError(
                     absl::StrCat("workflow ", workflow_id, " is closed (",
                                  v1::RunStatus::Value_Name(answer->status()), ")")));
               });
}

}  // namespace

void CampaignServiceImpl::ApproveCampaign(CallInfo call, cv1::DecideCampaignRequest request,
                                          Callback<cv1::DecideCampaignResponse> done) {
  Decide("approve", std::move(call), std::move(request), std::move(done));
}

void CampaignServiceImpl::RejectCampaign(CallInfo call, cv1::DecideCampaignRequest request,
                                         Callback<cv1::DecideCampaignResponse> done) {
  Decide("reject", std::move(call), std::move(request), std::move(done));
}

void CampaignServiceImpl::Check(const cv1::DecideCampaignRequest& request,
                                FieldViolations* violations) const {
  CheckWorkflowId("workflow_id", request.workflow_id(), violations);
  CheckText("decided_by", request.decided_by(), kPersonLengthMax, Presence::kOptional,
            Lines::kSingle, violations);
  CheckText("comment", request.comment(), kCommentLengthMax, Presence::kOptional, Lines::kMultiple,
            violations);
  const std::string& via = request.via();
  if (!via.empty() && via != "api" && via != "cli" && via != "web") {
    violations->Add("via", "must be one of api, cli, web");
  }
}

void CampaignServiceImpl::Decide(const char* update_name, CallInfo call,
                                 cv1::DecideCampaignRequest request,
                                 Callback<cv1::DecideCampaignResponse> done) {
  if (Refused(*this, request, done)) return;

  cv1::DecisionInput input;
  input.set_decided_by(call.IdentityOr(request.decided_by()));
  input.set_via(request.via().empty() ? "api" : request.via());
  input.set_comment(request.comment());
  const std::string& workflow_id = request.workflow_id();
  d_.client.Update(
      MakeUpdate(call.ns, workflow_id, update_name, input, input.decided_by(), d_.random),
      [this, ns = call.ns, workflow_id,
       done = std::move(done)](absl::StatusOr<v1::UpdateWorkflowResponse> response) mutable {
        if (absl::IsFailedPrecondition(response.status())) {
          return AnswerClosed(d_.client, ns, workflow_id, response.status(), std::move(done));
        }
        auto decision = ResultOf<cv1::ApprovalDecision>(response);
        if (!decision.ok()) return done(decision.status());
        cv1::DecideCampaignResponse answer;
        answer.set_workflow_id(workflow_id);
        *answer.mutable_decision() = *std::move(decision);
        if (decided_) decided_(ns, workflow_id, answer.decision());
        done(std::move(answer));
      });
}

void CampaignServiceImpl::Check(const cv1::UpdateContentRequest& request,
                                FieldViolations* violations) const {
  CheckWorkflowId("workflow_id", request.workflow_id(), violations);
  if (request.content_id().empty()) {
    violations->Add("content_id", "is required");
  } else if (!IsContentId(request.content_id())) {
    violations->Add("content_id", absl::StrCat("must be one of ", ContentIdsText()));
  }
  CheckText("new_content", request.new_content(), kContentLengthMax, Presence::kRequired,
            Lines::kMultiple, violations);
  CheckText("updated_by", request.updated_by(), kPersonLengthMax, Presence::kOptional,
            Lines::kSingle, violations);
}

void CampaignServiceImpl::UpdateContent(CallInfo call, cv1::UpdateContentRequest request,
                                        Callback<cv1::UpdateContentResponse> done) {
  if (Refused(*this, request, done)) return;

  cv1::UpdateContentInput input;
  input.set_content_id(request.content_id());
  input.set_new_content(request.new_content());
  input.set_updated_by(call.IdentityOr(request.updated_by()));
  const std::string& workflow_id = request.workflow_id();
  d_.client.Update(
      MakeUpdate(call.ns, workflow_id, "update_content", input, input.updated_by(), d_.random),
      [this, ns = call.ns, workflow_id,
       done = std::move(done)](absl::StatusOr<v1::UpdateWorkflowResponse> response) mutable {
        if (absl::IsFailedPrecondition(response.status())) {
          return AnswerClosed(d_.client, ns, workflow_id, response.status(), std::move(done));
        }
        auto output = ResultOf<cv1::UpdateContentOutput>(response);
        if (!output.ok()) return done(output.status());
        cv1::UpdateContentResponse answer;
        answer.set_workflow_id(workflow_id);
        answer.set_content_revision(output->content_revision());
        *answer.mutable_content() = std::move(*output->mutable_content());
        done(std::move(answer));
      });
}

}  // namespace gateway
