// The wizard part of CampaignServiceImpl: drafts and their approval. Looking at them without
// changing anything, and cloning, is in campaign_wizard_views.cc.
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/campaign_validation.h"
#include "gateway/grpc/refused.h"
#include "gateway/grpc/start_outcome.h"
#include "gateway/grpc/validate.h"
#include "gateway/grpc/wizard_fields.h"
#include "orchestrator/base/status_macros.h"

namespace gateway {

namespace {

constexpr int kPageSizeMax = 1000;
constexpr size_t kPageTokenLengthMax = 2048;

absl::Status NotADraft(const cv1::Wizard& wizard) {
  if (wizard.status() == kWizardApproving) {
    return absl::FailedPreconditionError(
        absl::StrCat("wizard ", wizard.wizard_id(),
                     " is being approved and cannot change; approve it again to finish"));
  }
  return absl::FailedPreconditionError(absl::StrCat("wizard ", wizard.wizard_id(),
                                                    " is approved, its campaign is workflow ",
                                                    wizard.workflow_id(), "; make another wizard"));
}

// An empty etag asks for nothing; "*" for any wizard that exists (RFC 9110 section 13.1.1).
absl::Status CheckEtag(const cv1::Wizard& wizard, const std::string& etag) {
  if (etag.empty() || etag == "*" || etag == wizard.etag()) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("wizard ", wizard.wizard_id(), " was changed: etag ", etag,
                                         " is not its current one, ", wizard.etag(), " (revision ",
                                         wizard.revision(), "); read it again"));
}

}  // namespace

void CampaignServiceImpl::Check(const cv1::CreateWizardRequest& request,
                                FieldViolations* violations) const {
  CheckCampaign(request.campaign(), "campaign", Completeness::kDraft, d_.clock.Now(), violations);
  CheckRequestId("request_id", request.request_id(), violations);
}

void CampaignServiceImpl::CreateWizard(CallInfo call, cv1::CreateWizardRequest request,
                                       Callback<cv1::Wizard> done) {
  if (Refused(*this, request, done)) return;
  d_.wizards.Create({.ns = call.ns,
                     .spec = std::move(*request.mutable_campaign()),
                     .request_id = request.request_id(),
                     .created_by = call.IdentityOr("")},
                    std::move(done));
}

void CampaignServiceImpl::Check(const cv1::ListWizardsRequest& request,
                                FieldViolations* violations) const {
  CheckRange("page_size", request.page_size(), 0, kPageSizeMax, violations);
  if (request.page_token().size() > kPageTokenLengthMax) {
    violations->Add("page_token", "is not a token that this service gave");
  }
}

void CampaignServiceImpl::ListWizards(CallInfo call, cv1::ListWizardsRequest request,
                                      Callback<cv1::ListWizardsResponse> done) {
  if (Refused(*this, request, done)) return;
  d_.wizards.List(call.ns, std::move(request), std::move(done));
}

void CampaignServiceImpl::Check(const cv1::GetWizardRequest& request,
                                FieldViolations* violations) const {
  CheckWizardId("wizard_id", request.wizard_id(), violations);
}

void CampaignServiceImpl::GetWizard(CallInfo call, cv1::GetWizardRequest request,
                                    Callback<cv1::Wizard> done) {
  if (Refused(*this, request, done)) return;
  d_.wizards.Get(call.ns, request.wizard_id(), std::move(done));
}

void CampaignServiceImpl::Check(const cv1::UpdateWizardRequest& request,
                                FieldViolations* violations) const {
  CheckWizardId("wizard_id", request.wizard_id(), violations);
  MaskedFields(request.campaign(), request.update_mask(), "update_mask", violations);
  // The change is checked by itself first; what it makes of the draft again when it is known.
  CheckCampaign(request.campaign(), "campaign", Completeness::kDraft, d_.clock.Now(), violations);
}

void CampaignServiceImpl::UpdateWizard(CallInfo call, cv1::UpdateWizardRequest request,
                                       Callback<cv1::Wizard> done) {
  if (Refused(*this, request, done)) return;
  FieldViolations none;  // it was checked
  auto fields = MaskedFields(request.campaign(), request.update_mask(), "update_mask", &none);
  const std::string wizard_id = request.wizard_id();
  d_.wizards.Update(
      call.ns, wizard_id,
      [this, fields = std::move(fields), request = std::move(request)](cv1::Wizard& wizard) {
        if (wizard.status() != kWizardDraft) return NotADraft(wizard);
        RETURN_IF_ERROR(CheckEtag(wizard, request.etag()));
        for (const auto* field : fields) {
          CopyCampaignField(field, request.campaign(), wizard.mutable_campaign());
        }
        // A schedule_time that has passed since it was drafted is for the approval to refuse.
        cv1::CampaignSpec timeless = wizard.campaign();
        timeless.clear_schedule_time();
        FieldViolations violations;
        CheckCampaign(timeless, "campaign", Completeness::kDraft, d_.clock.Now(), &violations);
        return violations.ToStatus();
      },
      std::move(done));
}

void CampaignServiceImpl::Check(const cv1::DeleteWizardRequest& request,
                                FieldViolations* violations) const {
  CheckWizardId("wizard_id", request.wizard_id(), violations);
}

void CampaignServiceImpl::DeleteWizard(CallInfo call, cv1::DeleteWizardRequest request,
                                       Callback<cv1::DeleteWizardResponse> done) {
  if (Refused(*this, request, done)) return;
  const std::string wizard_id = request.wizard_id();
  d_.wizards.Delete(
      call.ns, wizard_id,
      [request = std::move(request)](cv1::Wizard& wizard) {
        if (wizard.status() == kWizardApproving) {
          return absl::FailedPreconditionError(
              absl::StrCat("wizard ", wizard.wizard_id(),
                           " is being approved; approve it again to finish, then delete it"));
        }
        return CheckEtag(wizard, request.etag());
      },
      [done = std::move(done)](absl::StatusOr<cv1::Wizard> wizard) mutable {
        if (!wizard.ok()) return done(wizard.status());
        cv1::DeleteWizardResponse response;
        response.set_wizard_id(wizard->wizard_id());
        done(std::move(response));
      });
}

void CampaignServiceImpl::Check(const cv1::ApproveWizardRequest& request,
                                FieldViolations* violations) const {
  CheckWizardId("wizard_id", request.wizard_id(), violations);
}

void CampaignServiceImpl::ApproveWizard(CallInfo call, cv1::ApproveWizardRequest request,
                                        Callback<cv1::CampaignStarted> done) {
  if (Refused(*this, request, done)) return;
  // Frozen before its campaign starts: whatever crashes, what runs is what the wizard shows.
  const std::string wizard_id = request.wizard_id();
  const std::string ns = call.ns;
  d_.wizards.Update(
      ns, wizard_id,
      [this, request = std::move(request), by = call.IdentityOr("")](cv1::Wizard& wizard) {
        // A repeated approval is answered, whatever it had read: its wizard changes no more.
        if (wizard.status() != kWizardDraft) return absl::OkStatus();
        RETURN_IF_ERROR(CheckEtag(wizard, request.etag()));
        FieldViolations violations;
        previewer_.CheckStart(wizard.campaign(), "campaign", d_.clock.Now(), &violations);
        RETURN_IF_ERROR(violations.ToStatus());
        wizard.set_status(kWizardApproving);
        wizard.set_approved_revision(wizard.revision());
        wizard.set_approved_by(by);
        return absl::OkStatus();
      },
      [this, call = std::move(call),
       done = std::move(done)](absl::StatusOr<cv1::Wizard> wizard) mutable {
        if (!wizard.ok()) return done(wizard.status());
        if (wizard->status() == kWizardApproved)
          return AnswerApproved(call, *wizard, std::move(done));
        StartWizard(std::move(call), *std::move(wizard), std::move(done));
      });
}

void CampaignServiceImpl::StartWizard(CallInfo call, cv1::Wizard wizard,
                                      Callback<cv1::CampaignStarted> done) {
  const std::string wizard_id = wizard.wizard_id();
  Start(call, wizard.campaign(), absl::StrCat("campaign-", wizard_id), wizard_id,
        [this, ns = call.ns, wizard_id,
         done = std::move(done)](absl::StatusOr<cv1::CampaignStarted> started) mutable {
          if (!started.ok()) {
            if (!StartHadNoEffect(started.status())) return done(started.status());
            return d_.wizards.Update(
                ns, wizard_id,
                [](cv1::Wizard& thawed) {
                  if (thawed.status() != kWizardApproving) return absl::OkStatus();
                  thawed.set_status(kWizardDraft);
                  thawed.clear_approved_revision();
                  thawed.clear_approved_by();
                  return absl::OkStatus();
                },
                [status = started.status(),
                 done = std::move(done)](absl::StatusOr<cv1::Wizard>) mutable { done(status); });
          }
          d_.wizards.Update(
              ns, wizard_id,
              [started = *started](cv1::Wizard& approved) {
                approved.set_status(kWizardApproved);
                approved.set_workflow_id(started.workflow_id());
                approved.set_run_id(started.run_id());
                return absl::OkStatus();
              },
              [started = *started,
               done = std::move(done)](absl::StatusOr<cv1::Wizard> approved) mutable {
                if (!approved.ok()) return done(approved.status());
                done(std::move(started));
              });
        });
}

void CampaignServiceImpl::AnswerApproved(const CallInfo& call, const cv1::Wizard& wizard,
                                         Callback<cv1::CampaignStarted> done) {
  orchestrator::v1::GetWorkflowRequest get;
  get.set_namespace_(call.ns);
  get.set_workflow_id(wizard.workflow_id());
  get.set_run_id(wizard.run_id());
  cv1::CampaignStarted started;
  started.set_workflow_id(wizard.workflow_id());
  started.set_run_id(wizard.run_id());
  started.set_already_started(true);
  d_.client.GetWorkflow(
      std::move(get), [started = std::move(started), done = std::move(done)](
                          absl::StatusOr<orchestrator::v1::WorkflowInfo> info) mutable {
        if (!info.ok()) return done(info.status());
        started.set_status(orchestrator::v1::RunStatus::Value_Name(info->status()));
        done(std::move(started));
      });
}

}  // namespace gateway
