// Validate, preview and clone: the wizard methods of CampaignServiceImpl that change no wizard.
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/campaign_validation.h"
#include "gateway/grpc/ids.h"
#include "gateway/grpc/refused.h"
#include "gateway/grpc/validate.h"
#include "gateway/grpc/wizard_fields.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

namespace v1 = ::orchestrator::v1;

void AddViolations(const FieldViolations& violations,
                   google::protobuf::RepeatedPtrField<cv1::FieldViolation>* out) {
  for (const FieldViolation& violation : violations.list()) {
    cv1::FieldViolation* added = out->Add();
    added->set_field(violation.field);
    added->set_description(violation.description);
  }
}

// What the campaign of the history's first event was asked to be.
absl::StatusOr<cv1::CampaignSpec> SpecOf(
    const std::string& workflow_id, const absl::StatusOr<v1::GetWorkflowHistoryResponse>& history) {
  RETURN_IF_ERROR(history.status());
  if (history->events().empty() || !history->events(0).has_workflow_execution_started()) {
    return absl::DataLossError(
        absl::StrCat("the history of workflow ", workflow_id, " has no beginning"));
  }
  const auto& started = history->events(0).workflow_execution_started();
  if (started.workflow_type() != kCampaignType) {
    return absl::FailedPreconditionError(absl::StrCat("workflow ", workflow_id, " is a ",
                                                      started.workflow_type(), ", not a campaign"));
  }
  return history::FromPayload<cv1::CampaignSpec>(started.input());
}

}  // namespace

void CampaignServiceImpl::Check(const cv1::ValidateWizardRequest& request,
                                FieldViolations* violations) const {
  CheckWizardId("wizard_id", request.wizard_id(), violations);
}

void CampaignServiceImpl::ValidateWizard(CallInfo call, cv1::ValidateWizardRequest request,
                                         Callback<cv1::ValidateWizardResponse> done) {
  if (Refused(*this, request, done)) return;
  d_.wizards.Get(call.ns, request.wizard_id(),
                 [this, done = std::move(done)](absl::StatusOr<cv1::Wizard> wizard) mutable {
                   if (!wizard.ok()) return done(wizard.status());
                   FieldViolations faults;
                   previewer_.CheckStart(wizard->campaign(), "campaign", d_.clock.Now(), &faults);
                   cv1::ValidateWizardResponse response;
                   response.set_wizard_id(wizard->wizard_id());
                   response.set_valid(faults.empty());
                   AddViolations(faults, response.mutable_violations());
                   response.set_etag(wizard->etag());
                   done(std::move(response));
                 });
}

void CampaignServiceImpl::Check(const cv1::PreviewWizardRequest& request,
                                FieldViolations* violations) const {
  CheckWizardId("wizard_id", request.wizard_id(), violations);
}

void CampaignServiceImpl::PreviewWizard(CallInfo call, cv1::PreviewWizardRequest request,
                                        Callback<cv1::PreviewWizardResponse> done) {
  if (Refused(*this, request, done)) return;
  d_.wizards.Get(call.ns, request.wizard_id(),
                 [this, done = std::move(done)](absl::StatusOr<cv1::Wizard> wizard) mutable {
                   if (!wizard.ok()) return done(wizard.status());
                   const absl::Time now = d_.clock.Now();
                   FieldViolations faults;
                   previewer_.CheckStart(wizard->campaign(), "campaign", now, &faults);
                   cv1::PreviewWizardResponse response = previewer_.Preview(*wizard, now);
                   AddViolations(faults, response.mutable_violations());
                   done(std::move(response));
                 });
}

void CampaignServiceImpl::Check(const cv1::CloneWizardRequest& request,
                                FieldViolations* violations) const {
  const bool from_wizard = !request.source_wizard_id().empty();
  if (from_wizard == !request.source_workflow_id().empty()) {
    violations->Add("source_wizard_id", "must be given, or source_workflow_id, and not both");
  } else if (from_wizard) {
    CheckWizardId("source_wizard_id", request.source_wizard_id(), violations);
  } else {
    CheckWorkflowId("source_workflow_id", request.source_workflow_id(), violations);
  }
  MaskedFields(request.campaign(), request.override_mask(), "override_mask", violations);
  CheckCampaign(request.campaign(), "campaign", Completeness::kDraft, d_.clock.Now(), violations);
  CheckRequestId("request_id", request.request_id(), violations);
}

void CampaignServiceImpl::CloneWizard(CallInfo call, cv1::CloneWizardRequest request,
                                      Callback<cv1::Wizard> done) {
  if (Refused(*this, request, done)) return;

  // Of the request, not of what it makes: the source may have changed or gone when it is repeated.
  cv1::CloneWizardRequest asked = request;
  asked.clear_request_id();
  asked.clear_namespace_();
  const std::string digest = HashHex(absl::StrCat("clone", asked.SerializeAsString()));
  const std::string ns = call.ns;
  const std::string request_id = request.request_id();
  d_.wizards.FindCreated(
      ns, request_id, digest,
      [this, call = std::move(call), request = std::move(request), digest,
       done = std::move(done)](absl::StatusOr<std::optional<cv1::Wizard>> before) mutable {
        if (!before.ok()) return done(before.status());
        if (before->has_value()) return done(**std::move(before));
        FindSource(std::move(call), std::move(request), digest, std::move(done));
      });
}

void CampaignServiceImpl::FindSource(CallInfo call, cv1::CloneWizardRequest request,
                                     std::string digest, Callback<cv1::Wizard> done) {
  const std::string ns = call.ns;
  if (!request.source_wizard_id().empty()) {
    const std::string source = request.source_wizard_id();
    return d_.wizards.Get(
        ns, source,
        [this, call = std::move(call), request = std::move(request), digest = std::move(digest),
         done = std::move(done)](absl::StatusOr<cv1::Wizard> wizard) mutable {
          if (!wizard.ok()) return done(wizard.status());
          MakeClone(std::move(call), request, std::move(*wizard->mutable_campaign()),
                    std::move(digest), std::move(done));
        });
  }
  v1::GetWorkflowHistoryRequest history;
  history.set_namespace_(ns);
  history.set_workflow_id(request.source_workflow_id());
  history.set_page_size(1);
  d_.client.GetHistory(
      std::move(history),
      [this, call = std::move(call), request = std::move(request), digest = std::move(digest),
       done = std::move(done)](absl::StatusOr<v1::GetWorkflowHistoryResponse> page) mutable {
        auto spec = SpecOf(request.source_workflow_id(), page);
        if (!spec.ok()) return done(spec.status());
        MakeClone(std::move(call), request, *std::move(spec), std::move(digest), std::move(done));
      });
}

void CampaignServiceImpl::MakeClone(CallInfo call, const cv1::CloneWizardRequest& request,
                                    cv1::CampaignSpec spec, std::string digest,
                                    Callback<cv1::Wizard> done) {
  const absl::Time now = d_.clock.Now();
  // What went out in the past has a time that no new campaign may have.
  if (spec.has_schedule_time() && history::FromProto(spec.schedule_time()) <= now) {
    spec.clear_schedule_time();
  }
  FieldViolations violations;
  for (const auto* field :
       MaskedFields(request.campaign(), request.override_mask(), "override_mask", &violations)) {
    CopyCampaignField(field, request.campaign(), &spec);
  }
  CheckCampaign(spec, "campaign", Completeness::kDraft, now, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  d_.wizards.Create({.ns = call.ns,
                     .spec = std::move(spec),
                     .request_id = request.request_id(),
                     .request_digest = std::move(digest),
                     .created_by = call.IdentityOr(""),
                     .cloned_from = request.source_wizard_id().empty()
                                        ? absl::StrCat("workflows/", request.source_workflow_id())
                                        : absl::StrCat("wizards/", request.source_wizard_id())},
                    std::move(done));
}

}  // namespace gateway
