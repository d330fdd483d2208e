// The wizard part of CampaignServiceImpl: drafts and their approval.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/campaign_validation.h"
#include "gateway/grpc/validate.h"

namespace gateway {

namespace {

constexpr int kPageSizeMax = 1000;
constexpr size_t kPageTokenLengthMax = 256;

void CheckWizardId(const std::string& id, FieldViolations* violations) {
  const bool known_characters = std::all_of(
      id.begin(), id.end(), [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; });
  if (id.empty()) {
    violations->Add("wizard_id", "is required");
  } else if (id.size() > 64 || !known_characters) {
    violations->Add("wizard_id", "is not a wizard id");
  }
}

// The fields to change: those of the mask, or without one those that are set.
std::vector<const google::protobuf::FieldDescriptor*> MaskedFields(
    const cv1::UpdateWizardRequest& request, FieldViolations* violations) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  const auto* type = cv1::CampaignSpec::descriptor();
  if (request.update_mask().paths().empty()) {
    request.campaign().GetReflection()->ListFields(request.campaign(), &fields);
    return fields;
  }
  for (absl::string_view path : request.update_mask().paths()) {
    if (path == "*") {
      for (int i = 0; i < type->field_count(); ++i) fields.push_back(type->field(i));
      continue;
    }
    if (absl::StartsWith(path, "campaign.")) path.remove_prefix(9);
    const auto* field = type->FindFieldByName(std::string(path));
    if (field == nullptr) {
      violations->Add("update_mask", absl::StrCat("names ", path, ", which no campaign has"));
    } else {
      fields.push_back(field);
    }
  }
  return fields;
}

// `to`'s field becomes what it is in `from`, unset included.
void CopyField(const google::protobuf::FieldDescriptor* field, const cv1::CampaignSpec& from,
               cv1::CampaignSpec* to) {
  cv1::CampaignSpec only = from;
  std::vector<const google::protobuf::FieldDescriptor*> set;
  only.GetReflection()->ListFields(only, &set);
  for (const auto* other : set) {
    if (other != field) only.GetReflection()->ClearField(&only, other);
  }
  to->GetReflection()->ClearField(to, field);
  to->MergeFrom(only);
}

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

}  // namespace

void CampaignServiceImpl::CreateWizard(CallInfo call, cv1::CreateWizardRequest request,
                                       Callback<cv1::Wizard> done) {
  FieldViolations violations;
  CheckCampaign(request.campaign(), "campaign", Completeness::kDraft, d_.clock.Now(), &violations);
  CheckRequestId("request_id", request.request_id(), &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  d_.wizards.Create(std::move(*request.mutable_campaign()), request.request_id(), std::move(done));
}

void CampaignServiceImpl::ListWizards(CallInfo call, cv1::ListWizardsRequest request,
                                      Callback<cv1::ListWizardsResponse> done) {
  FieldViolations violations;
  CheckRange("page_size", request.page_size(), 0, kPageSizeMax, &violations);
  if (request.page_token().size() > kPageTokenLengthMax) {
    violations.Add("page_token", "is not a token that this service gave");
  }
  if (!violations.empty()) return done(violations.ToStatus());
  d_.wizards.List(request.page_size(), request.page_token(), std::move(done));
}

void CampaignServiceImpl::GetWizard(CallInfo call, cv1::GetWizardRequest request,
                                    Callback<cv1::Wizard> done) {
  FieldViolations violations;
  CheckWizardId(request.wizard_id(), &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  d_.wizards.Get(request.wizard_id(), std::move(done));
}

void CampaignServiceImpl::UpdateWizard(CallInfo call, cv1::UpdateWizardRequest request,
                                       Callback<cv1::Wizard> done) {
  FieldViolations violations;
  CheckWizardId(request.wizard_id(), &violations);
  auto fields = MaskedFields(request, &violations);
  // The change is checked by itself first; what it makes of the draft again when it is known.
  CheckCampaign(request.campaign(), "campaign", Completeness::kDraft, d_.clock.Now(), &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  const std::string wizard_id = request.wizard_id();
  d_.wizards.Update(
      wizard_id,
      [this, fields = std::move(fields), request = std::move(request)](cv1::Wizard& wizard) {
        if (wizard.status() != kWizardDraft) return NotADraft(wizard);
        for (const auto* field : fields) {
          CopyField(field, request.campaign(), wizard.mutable_campaign());
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

void CampaignServiceImpl::ApproveWizard(CallInfo call, cv1::ApproveWizardRequest request,
                                        Callback<cv1::CampaignStarted> done) {
  FieldViolations violations;
  CheckWizardId(request.wizard_id(), &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  // Frozen before its campaign starts: whatever crashes, what runs is what the wizard shows.
  d_.wizards.Update(
      request.wizard_id(),
      [this](cv1::Wizard& wizard) {
        if (wizard.status() != kWizardDraft) return absl::OkStatus();
        FieldViolations violations;
        CheckCampaign(wizard.campaign(), "campaign", Completeness::kComplete, d_.clock.Now(),
                      &violations);
        if (violations.empty()) wizard.set_status(kWizardApproving);
        return violations.ToStatus();
      },
      [this, call = std::move(call),
       done = std::move(done)](absl::StatusOr<cv1::Wizard> wizard) mutable {
        if (!wizard.ok()) return done(wizard.status());
        if (wizard->status() == kWizardApproved) return AnswerApproved(*wizard, std::move(done));
        StartWizard(std::move(call), *std::move(wizard), std::move(done));
      });
}

void CampaignServiceImpl::StartWizard(CallInfo call, cv1::Wizard wizard,
                                      Callback<cv1::CampaignStarted> done) {
  const std::string& wizard_id = wizard.wizard_id();
  Start(call, wizard.campaign(), absl::StrCat("campaign-", wizard_id), wizard_id,
        [this, wizard_id,
         done = std::move(done)](absl::StatusOr<cv1::CampaignStarted> started) mutable {
          if (!started.ok()) {
            const bool surely_not_started = absl::IsInvalidArgument(started.status()) ||
                                            absl::IsResourceExhausted(started.status()) ||
                                            absl::IsAlreadyExists(started.status());
            if (!surely_not_started) return done(started.status());
            return d_.wizards.Update(
                wizard_id,
                [](cv1::Wizard& thawed) {
                  if (thawed.status() == kWizardApproving) thawed.set_status(kWizardDraft);
                  return absl::OkStatus();
                },
                [status = started.status(),
                 done = std::move(done)](absl::StatusOr<cv1::Wizard>) mutable { done(status); });
          }
          d_.wizards.Update(
              wizard_id,
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

void CampaignServiceImpl::AnswerApproved(const cv1::Wizard& wizard,
                                         Callback<cv1::CampaignStarted> done) {
  orchestrator::v1::GetWorkflowRequest get;
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
