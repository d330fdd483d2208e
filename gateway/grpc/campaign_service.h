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

#include <atomic>
#include <memory>

#include "campaign/v1/service.pb.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/stream.h"
#include "gateway/grpc/wizard_store.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/random.h"
#include "orchestrator/client/client.h"

namespace gateway {

namespace cv1 = ::campaign::v1;
using client::Callback;

inline constexpr char kCampaignType[] = "campaign";
inline constexpr int kWatchesMax = 1000;

class CampaignServiceImpl {
 public:
  struct Dependencies {
    client::WorkflowClient& client;
    WizardStore& wizards;
    base::Clock& clock;
    base::Random& random;
  };
  explicit CampaignServiceImpl(Dependencies dependencies) : d_(dependencies) {}

  void CreateCampaign(CallInfo call, cv1::CreateCampaignRequest request,
                      Callback<cv1::CampaignStarted> done);

  void CreateWizard(CallInfo call, cv1::CreateWizardRequest request, Callback<cv1::Wizard> done);
  void ListWizards(CallInfo call, cv1::ListWizardsRequest request,
                   Callback<cv1::ListWizardsResponse> done);
  void GetWizard(CallInfo call, cv1::GetWizardRequest request, Callback<cv1::Wizard> done);
  void UpdateWizard(CallInfo call, cv1::UpdateWizardRequest request, Callback<cv1::Wizard> done);
  void ApproveWizard(CallInfo call, cv1::ApproveWizardRequest request,
                     Callback<cv1::CampaignStarted> done);

  void GetProgress(CallInfo call, cv1::GetProgressRequest request,
                   Callback<cv1::CampaignProgress> done);
  // RESOURCE_EXHAUSTED beyond kWatchesMax at once.
  void WatchProgress(CallInfo call, cv1::GetProgressRequest request,
                     std::shared_ptr<Stream<cv1::CampaignProgress>> stream);

  void ApproveCampaign(CallInfo call, cv1::DecideCampaignRequest request,
                       Callback<cv1::DecideCampaignResponse> done);
  void RejectCampaign(CallInfo call, cv1::DecideCampaignRequest request,
                      Callback<cv1::DecideCampaignResponse> done);
  void UpdateContent(CallInfo call, cv1::UpdateContentRequest request,
                     Callback<cv1::UpdateContentResponse> done);

  int watches() const { return watches_->load(); }

 private:
  void Start(const CallInfo& call, const cv1::CampaignSpec& spec, const std::string& workflow_id,
             const std::string& request_id, Callback<cv1::CampaignStarted> done);
  void StartWizard(CallInfo call, cv1::Wizard wizard, Callback<cv1::CampaignStarted> done);
  void AnswerApproved(const cv1::Wizard& wizard, Callback<cv1::CampaignStarted> done);
  void Decide(const char* update_name, CallInfo call, cv1::DecideCampaignRequest request,
              Callback<cv1::DecideCampaignResponse> done);

  const Dependencies d_;
  const std::shared_ptr<std::atomic<int>> watches_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace gateway
