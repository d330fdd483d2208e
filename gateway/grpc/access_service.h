// AccessServiceImpl: campaign.v1.AccessService over the AccessStore: who am I, API keys, users.
// That the caller is an admin has been seen to by the front door.
//
// Thread-safety: thread-safe. Callbacks run on the caller's thread or the store's.
//
// Example:
//   AccessServiceImpl access({*store, clock, {"example.com"}});
//   access.CreateApiKey(call, request, [](absl::StatusOr<CreateApiKeyResponse> key) { ... });
#pragma once

#include <string>
#include <vector>

#include "campaign/v1/access.pb.h"
#include "gateway/auth/access_store.h"
#include "gateway/grpc/call_info.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/client/client.h"

namespace gateway {

class AccessServiceImpl {
 public:
  template <typename T>
  using Callback = client::Callback<T>;
  struct Dependencies {
    auth::AccessStore& store;
    base::Clock& clock;
    std::vector<std::string> email_domains;  // allowed ones, in lower case; empty: any
  };
  explicit AccessServiceImpl(Dependencies dependencies) : d_(std::move(dependencies)) {}

  void GetCaller(CallInfo call, campaign::v1::GetCallerRequest request,
                 Callback<campaign::v1::CallerInfo> done);
  void CreateApiKey(CallInfo call, campaign::v1::CreateApiKeyRequest request,
                    Callback<campaign::v1::CreateApiKeyResponse> done);
  void ListApiKeys(CallInfo call, campaign::v1::ListApiKeysRequest request,
                   Callback<campaign::v1::ListApiKeysResponse> done);
  void RevokeApiKey(CallInfo call, campaign::v1::RevokeApiKeyRequest request,
                    Callback<campaign::v1::ApiKey> done);
  void SetUser(CallInfo call, campaign::v1::SetUserRequest request,
               Callback<campaign::v1::User> done);
  void ListUsers(CallInfo call, campaign::v1::ListUsersRequest request,
                 Callback<campaign::v1::ListUsersResponse> done);
  void DeleteUser(CallInfo call, campaign::v1::DeleteUserRequest request,
                  Callback<campaign::v1::DeleteUserResponse> done);

  // What is wrong with a request (refused.h).
  void Check(const campaign::v1::GetCallerRequest& request, FieldViolations* violations) const {}
  void Check(const campaign::v1::CreateApiKeyRequest& request, FieldViolations* violations) const;
  void Check(const campaign::v1::ListApiKeysRequest& request, FieldViolations* violations) const;
  void Check(const campaign::v1::RevokeApiKeyRequest& request, FieldViolations* violations) const;
  void Check(const campaign::v1::SetUserRequest& request, FieldViolations* violations) const;
  void Check(const campaign::v1::ListUsersRequest& request, FieldViolations* violations) const;
  void Check(const campaign::v1::DeleteUserRequest& request, FieldViolations* violations) const;

 private:
  const Dependencies d_;
};

}  // namespace gateway
