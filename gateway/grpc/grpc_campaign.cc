#include "campaign/v1/service.grpc.pb.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/grpc_call.h"
#include "gateway/grpc/grpc_services.h"

namespace gateway {

namespace {

class CampaignGrpc : public campaign::v1::CampaignService::CallbackService {
 public:
  CampaignGrpc(CampaignServiceImpl* impl, base::Metrics* metrics, OpenStreams* streams)
      : impl_(impl), metrics_(metrics), streams_(streams) {}

#define UNARY(Name, Request, Response)                                                            \
  grpc::ServerUnaryReactor* Name(grpc::CallbackServerContext* context,                            \
                                 const cv1::Request* request, cv1::Response* response) override { \
    return ServeUnary(context, *request, response, impl_, &CampaignServiceImpl::Name, #Name,      \
                      metrics_);                                                                  \
  }
  UNARY(CreateCampaign, CreateCampaignRequest, CampaignStarted)
  UNARY(CreateWizard, CreateWizardRequest, Wizard)
  UNARY(ListWizards, ListWizardsRequest, ListWizardsResponse)
  UNARY(GetWizard, GetWizardRequest, Wizard)
  UNARY(UpdateWizard, UpdateWizardRequest, Wizard)
  UNARY(ApproveWizard, ApproveWizardRequest, CampaignStarted)
  UNARY(GetProgress, GetProgressRequest, CampaignProgress)
  UNARY(ApproveCampaign, DecideCampaignRequest, DecideCampaignResponse)
  UNARY(RejectCampaign, DecideCampaignRequest, DecideCampaignResponse)
  UNARY(UpdateContent, UpdateContentRequest, UpdateContentResponse)
#undef UNARY

  grpc::ServerWriteReactor<cv1::CampaignProgress>* WatchProgress(
      grpc::CallbackServerContext* context, const cv1::GetProgressRequest* request) override {
    auto* reactor = new StreamReactor<cv1::CampaignProgress>("WatchProgress", metrics_);
    const std::shared_ptr<Peer> peer = reactor->peer();  // the reactor may end within the call
    impl_->WatchProgress(MakeCallInfo(context, peer), *request, reactor->stream());
    streams_->Add(peer);
    return reactor;
  }

 private:
  CampaignServiceImpl* const impl_;
  base::Metrics* const metrics_;
  OpenStreams* const streams_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCampaignGrpc(CampaignServiceImpl* impl, base::Metrics* metrics,
                                                OpenStreams* streams) {
  return std::make_unique<CampaignGrpc>(impl, metrics, streams);
}

}  // namespace gateway
