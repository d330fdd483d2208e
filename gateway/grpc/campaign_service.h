// CampaignServiceImpl: campaign.v1.CampaignService over a WorkflowClient and a WizardStore: starts
// campaigns, keeps drafts, passes decisions on and shows progress. gRPC and REST share it.
//
// Thread-safety: thread-safe. Each callback is called exactly once, on the caller's thread, an
// engine thread or the wizard store's. The service outlives its calls: stop the servers first.
//
// Example:
//   CampaignServiceImpl service({client, *wizards, clock, random});
//   service.CreateCampaign(call, request, [](absl::StatusOr<CampaignStarted> started) { ... });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "campaign/v1/service.pb.h"
#include "gateway/auth/user_quotas.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/progress_hub.h"
#include "gateway/grpc/stream.h"
#include "gateway/grpc/stream_slots.h"
#include "gateway/grpc/wizard_preview.h"
#include "gateway/grpc/wizard_store.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/random.h"
#include "orchestrator/client/client.h"

namespace gateway {

namespace cv1 = ::campaign::v1;
using client::Callback;

inline constexpr char kCampaignType[] = "campaign";

class CampaignServiceImpl {
 public:
  struct Dependencies {
    client::WorkflowClient& client;
    WizardStore& wizards;
    base::Clock& clock;
    base::Random& random;
    PreviewSettings preview = {};
    StreamSlots* streams = nullptr;      // null: some of its own
    auth::UserQuotas* quotas = nullptr;  // null: anybody may start any number
  };
  // Told of every decision that is made by a call. Any thread; must not block.
  using Decided = std::function<void(const std::string& ns, const std::string& workflow_id,
                                     const cv1::ApprovalDecision& decision)>;
  explicit CampaignServiceImpl(Dependencies dependencies)
      : d_(std::move(dependencies)),
        previewer_(d_.preview),
        streams_(d_.streams == nullptr ? own_streams_ : *d_.streams),
        hub_(d_.client, d_.clock) {}
  // Before the first call.
  void OnDecision(Decided decided) { decided_ = std::move(decided); }

  void CreateCampaign(CallInfo call, cv1::CreateCampaignRequest request,
                      Callback<cv1::CampaignStarted> done);

  void CreateWizard(CallInfo call, cv1::CreateWizardRequest request, Callback<cv1::Wizard> done);
  void CloneWizard(CallInfo call, cv1::CloneWizardRequest request, Callback<cv1::Wizard> done);
  void ListWizards(CallInfo call, cv1::ListWizardsRequest request,
                   Callback<cv1::ListWizardsResponse> done);
  void GetWizard(CallInfo call, cv1::GetWizardRequest request, Callback<cv1::Wizard> done);
  void UpdateWizard(CallInfo call, cv1::UpdateWizardRequest request, Callback<cv1::Wizard> done);
  void DeleteWizard(CallInfo call, cv1::DeleteWizardRequest request,
                    Callback<cv1::DeleteWizardResponse> done);
  void ValidateWizard(CallInfo call, cv1::ValidateWizardRequest request,
                      Callback<cv1::ValidateWizardResponse> done);
  void PreviewWizard(CallInfo call, cv1::PreviewWizardRequest request,
                     Callback<cv1::PreviewWizardResponse> done);
  void ApproveWizard(CallInfo call, cv1::ApproveWizardRequest request,
                     Callback<cv1::CampaignStarted> done);

  void GetProgress(CallInfo call, cv1::GetProgressRequest request,
                   Callback<cv1::CampaignProgress> done);
  // RESOURCE_EXHAUSTED when the streams are all taken.
  void WatchProgress(CallInfo call, cv1::GetProgressRequest request,
                     std::shared_ptr<Stream<cv1::CampaignProgress>> stream);

  void ApproveCampaign(CallInfo call, cv1::DecideCampaignRequest request,
                       Callback<cv1::DecideCampaignResponse> done);
  void RejectCampaign(CallInfo call, cv1::DecideCampaignRequest request,
                      Callback<cv1::DecideCampaignResponse> done);
  void UpdateContent(CallInfo call, cv1::UpdateContentRequest request,
                     Callback<cv1::UpdateContentResponse> done);

  int watches() const { return streams_.open(); }
  // For whoever else starts campaigns, or will.
  const WizardPreviewer& previewer() const { return previewer_; }

  // What is wrong with a request (refused.h).
  void Check(const cv1::CreateCampaignRequest& request, FieldViolations* violations) const;
  void Check(const cv1::CreateWizardRequest& request, FieldViolations* violations) const;
  void Check(const cv1::CloneWizardRequest& request, FieldViolations* violations) const;
  void Check(const cv1::ListWizardsRequest& request, FieldViolations* violations) const;
  void Check(const cv1::GetWizardRequest& request, FieldViolations* violations) const;
  void Check(const cv1::UpdateWizardRequest& request, FieldViolations* violations) const;
  void Check(const cv1::DeleteWizardRequest& request, FieldViolations* violations) const;
  void Check(const cv1::ValidateWizardRequest& request, FieldViolations* violations) const;
  void Check(const cv1::PreviewWizardRequest& request, FieldViolations* violations) const;
  void Check(const cv1::ApproveWizardRequest& request, FieldViolations* violations) const;
  void Check(const cv1::GetProgressRequest& request, FieldViolations* violations) const;
  void Check(const cv1::DecideCampaignRequest& request, FieldViolations* violations) const;
  void Check(const cv1::UpdateContentRequest& request, FieldViolations* violations) const;

 private:
  void Start(const CallInfo& call, const cv1::CampaignSpec& spec, const std::string& workflow_id,
             const std::string& request_id, Callback<cv1::CampaignStarted> done);
  void FindSource(CallInfo call, cv1::CloneWizardRequest request, std::string digest,
                  Callback<cv1::Wizard> done);
  void MakeClone(CallInfo call, const cv1::CloneWizardRequest& request, cv1::CampaignSpec spec,
                 std::string digest, Callback<cv1::Wizard> done);
  void StartWizard(CallInfo call, cv1::Wizard wizard, Callback<cv1::CampaignStarted> done);
  void AnswerApproved(const CallInfo& call, const cv1::Wizard& wizard,
                      Callback<cv1::CampaignStarted> done);
  void Decide(const char* update_name, CallInfo call, cv1::DecideCampaignRequest request,
              Callback<cv1::DecideCampaignResponse> done);

  const Dependencies d_;
  const WizardPreviewer previewer_;
  StreamSlots own_streams_;
  StreamSlots& streams_;
  ProgressHub hub_;
  Decided decided_;
};

}  // namespace gateway
