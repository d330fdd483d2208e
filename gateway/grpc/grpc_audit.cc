#include "campaign/v1/audit.grpc.pb.h"
#include "gateway/grpc/audit_service.h"
#include "gateway/grpc/grpc_call.h"
#include "gateway/grpc/grpc_services.h"

namespace gateway {

namespace {

class AuditGrpc : public campaign::v1::AuditService::CallbackService {
 public:
  AuditGrpc(AuditServiceImpl* impl, GrpcParts parts) : impl_(impl), parts_(parts) {}

#define UNARY(Name, Request, Response)                                                            \
  grpc::ServerUnaryReactor* Name(grpc::CallbackServerContext* context,                            \
                                 const cv1::Request* request, cv1::Response* response) override { \
    return ServeUnary(context, *request, response, impl_, &AuditServiceImpl::Name,                \
                      {campaign::v1::AuditService::service_full_name(), #Name}, parts_);          \
  }
  UNARY(ListAuditEvents, ListAuditEventsRequest, ListAuditEventsResponse)
  UNARY(VerifyAudit, VerifyAuditRequest, VerifyAuditResponse)
#undef UNARY

  grpc::ServerWriteReactor<cv1::AuditEvent>* ExportAuditEvents(
      grpc::CallbackServerContext* context, const cv1::ExportAuditEventsRequest* request) override {
    return ServeStream(context, *request, impl_, &AuditServiceImpl::ExportAuditEvents,
                       {campaign::v1::AuditService::service_full_name(), "ExportAuditEvents"},
                       parts_);
  }

 private:
  AuditServiceImpl* const impl_;
  const GrpcParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAuditGrpc(AuditServiceImpl* impl, GrpcParts parts) {
  return std::make_unique<AuditGrpc>(impl, parts);
}

}  // namespace gateway
