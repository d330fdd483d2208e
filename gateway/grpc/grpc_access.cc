#include "campaign/v1/access.grpc.pb.h"
#include "gateway/grpc/access_service.h"
#include "gateway/grpc/grpc_call.h"
#include "gateway/grpc/grpc_services.h"

namespace gateway {

namespace {

namespace cv1 = campaign::v1;

class AccessGrpc : public campaign::v1::AccessService::CallbackService {
 public:
  AccessGrpc(AccessServiceImpl* impl, GrpcParts parts) : impl_(impl), parts_(parts) {}

#define UNARY(Name, Request, Response)                                                            \
  grpc::ServerUnaryReactor* Name(grpc::CallbackServerContext* context,                            \
                                 const cv1::Request* request, cv1::Response* response) override { \
    return ServeUnary(context, *request, response, impl_, &AccessServiceImpl::Name,               \
                      {campaign::v1::AccessService::service_full_name(), #Name}, parts_);         \
  }
  UNARY(GetCaller, GetCallerRequest, CallerInfo)
  UNARY(CreateApiKey, CreateApiKeyRequest, CreateApiKeyResponse)
  UNARY(ListApiKeys, ListApiKeysRequest, ListApiKeysResponse)
  UNARY(RevokeApiKey, RevokeApiKeyRequest, ApiKey)
  UNARY(SetUser, SetUserRequest, User)
  UNARY(ListUsers, ListUsersRequest, ListUsersResponse)
  UNARY(DeleteUser, DeleteUserRequest, DeleteUserResponse)
#undef UNARY

 private:
  AccessServiceImpl* const impl_;
  const GrpcParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAccessGrpc(AccessServiceImpl* impl, GrpcParts parts) {
  return std::make_unique<AccessGrpc>(impl, parts);
}

}  // namespace gateway
