#include "campaign/v1/operations.grpc.pb.h"
#include "gateway/grpc/grpc_call.h"
#include "gateway/grpc/grpc_services.h"
#include "gateway/grpc/operations_service.h"

namespace gateway {

namespace {

class OperationsGrpc : public campaign::v1::OperationsService::CallbackService {
 public:
  OperationsGrpc(OperationsServiceImpl* impl, GrpcParts parts) : impl_(impl), parts_(parts) {}

#define UNARY(Name, Request, Response)                                                            \
  grpc::ServerUnaryReactor* Name(grpc::CallbackServerContext* context,                            \
                                 const cv1::Request* request, cv1::Response* response) override { \
    return ServeUnary(context, *request, response, impl_, &OperationsServiceImpl::Name,           \
                      {campaign::v1::OperationsService::service_full_name(), #Name}, parts_);     \
  }
  UNARY(GetKillSwitch, GetKillSwitchRequest, KillSwitch)
  UNARY(SetKillSwitch, SetKillSwitchRequest, KillSwitch)
  UNARY(ListOperatorChanges, ListOperatorChangesRequest, ListOperatorChangesResponse)
  UNARY(ListBreakers, ListBreakersRequest, ListBreakersResponse)
  UNARY(ForceBreakerOpen, ForceBreakerRequest, Breaker)
  UNARY(ForceBreakerClosed, ForceBreakerRequest, Breaker)
  UNARY(ResetBreaker, ForceBreakerRequest, Breaker)
#undef UNARY

 private:
  OperationsServiceImpl* const impl_;
  const GrpcParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeOperationsGrpc(OperationsServiceImpl* impl, GrpcParts parts) {
  return std::make_unique<OperationsGrpc>(impl, parts);
}

}  // namespace gateway
