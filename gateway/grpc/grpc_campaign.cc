#include "campaign/v1/service.grpc.pb.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/grpc_call.h"
#include "gateway/grpc/grpc_services.h"

namespace gateway {

namespace {

class CampaignGrpc : public campaign::v1::CampaignService::CallbackService {
 public:
  CampaignGrpc(CampaignServiceImpl* impl, GrpcParts parts) : impl_(impl), parts_(parts) {}

#define UNARY(Name, Request, Response)                                                            \
  grpc::ServerUnaryReactor* Name(grpc::CallbackServerContext* context,                            \
                                 const cv1::Request* request, cv1::Response* response) override { \
    return ServeUnary(context, *request, response, impl_, &CampaignServiceImpl::Name,             \
                      {campaign::v1::CampaignService::service_full_name(), #Name}, parts_);       \
  }
  UNARY(CreateCampaign, CreateCampaignRequest, CampaignStarted)
  UNARY(CreateWizard, CreateWizardRequest, Wizard)
  UNARY(CloneWizard, CloneWizardRequest, Wizard)
  UNARY(ListWizards, ListWizardsRequest, ListWizardsResponse)
  UNARY(GetWizard, GetWizardRequest, Wizard)
  UNARY(UpdateWizard, UpdateWizardRequest, Wizard)
  UNARY(DeleteWizard, DeleteWizardRequest, DeleteWizardResponse)
  UNARY(ValidateWizard, ValidateWizardRequest, ValidateWizardResponse)
  UNARY(PreviewWizard, PreviewWizardRequest, PreviewWizardResponse)
  UNARY(ApproveWizard, ApproveWizardRequest, CampaignStarted)
  UNARY(GetProgress, GetProgressRequest, CampaignProgress)
  UNARY(ApproveCampaign, DecideCampaignRequest, DecideCampaignResponse)
  UNARY(RejectCampaign, DecideCampaignRequest, DecideCampaignResponse)
  UNARY(UpdateContent, UpdateContentRequest, UpdateContentResponse)
#undef UNARY

  grpc::ServerWriteReactor<cv1::CampaignProgress>* WatchProgress(
      grpc::CallbackServerContext* context, const cv1::GetProgressRequest* request) override {
    return ServeStream(context, *request, impl_, &CampaignServiceImpl::WatchProgress,
                       {campaign::v1::CampaignService::service_full_name(), "WatchProgress"},
                       parts_);
  }

 private:
  CampaignServiceImpl* const impl_;
  const GrpcParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCampaignGrpc(CampaignServiceImpl* impl, GrpcParts parts) {
  return std::make_unique<CampaignGrpc>(impl, parts);
}

}  // namespace gateway
