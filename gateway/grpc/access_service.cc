#include "gateway/grpc/access_service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/auth/roles.h"
#include "gateway/auth/users.h"
#include "gateway/grpc/refused.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

namespace cv1 = campaign::v1;

constexpr size_t kNameLengthMax = 100;
constexpr int kPageSizeDefault = 50;
constexpr int kPageSizeMax = 1000;
constexpr char kEveryNamespace[] = "*";

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= kNameLengthMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(c) || std::string(" ._-@/").find(c) != std::string::npos;
         });
}

// An empty namespace: every one.
std::string OnlyNamespace(const CallInfo& call) {
  return call.caller.ns == kEveryNamespace ? "" : call.caller.ns;
}

cv1::ApiKey ToProto(const auth::ApiKey& key) {
  cv1::ApiKey proto;
  proto.set_key_id(key.id);
  proto.set_name(key.name);
  proto.set_role(auth::RoleName(key.role));
  proto.set_namespace_(key.ns);
  *proto.mutable_created_at() = history::ToProto(key.created);
  proto.set_created_by(key.created_by);
  if (key.expires != absl::InfiniteFuture()) {
    *proto.mutable_expires_at() = history::ToProto(key.expires);
  }
  if (key.last_used != absl::InfinitePast()) {
    *proto.mutable_last_used_at() = history::ToProto(key.last_used);
  }
  if (key.revoked != absl::InfiniteFuture()) {
    *proto.mutable_revoked_at() = history::ToProto(key.revoked);
    proto.set_revoked_by(key.revoked_by);
  }
  return proto;
}

cv1::User ToProto(const auth::User& user) {
  cv1::User proto;
  proto.set_email(user.email);
  proto.set_role(auth::RoleName(user.role));
  proto.set_namespace_(user.ns);
  *proto.mutable_updated_at() = history::ToProto(user.updated);
  proto.set_updated_by(user.updated_by);
  return proto;
}

void CheckPageSize(int asked, FieldViolations* violations) {
  if (asked < 0 || asked > kPageSizeMax) {
    violations->Add("page_size", absl::StrCat("must be 0 to ", kPageSizeMax));
  }
}

int PageSize(int asked) { return asked == 0 ? kPageSizeDefault : asked; }

// Role::kNone for "none", which is a role for users only.
std::optional<auth::Role> RoleOf(const std::string& text, bool none_allowed) {
  if (none_allowed && text == auth::RoleName(auth::Role::kNone)) return auth::Role::kNone;
  return auth::ParseRole(text);
}

}  // namespace

void AccessServiceImpl::GetCaller(CallInfo call, cv1::GetCallerRequest request,
                                  Callback<cv1::CallerInfo> done) {
  cv1::CallerInfo info;
  info.set_identity(call.caller.identity);
  info.set_credential(call.caller.credential);
  info.set_role(auth::RoleName(call.caller.role));
  info.set_namespace_(call.caller.ns);
  info.set_key_id(call.caller.key_id);
  info.set_address(call.caller.address);
  done(std::move(info));
}

void AccessServiceImpl::Check(const cv1::CreateApiKeyRequest& request,
                              FieldViolations* violations) const {
  if (!IsName(request.name())) {
    violations->Add("name", "must be 1 to 100 letters, digits, spaces and . _ - @ /");
  }
  if (!RoleOf(request.role(), false).has_value()) {
    violations->Add("role", "must be viewer, editor or admin");
  }
  if (request.has_expires_at() && history::FromProto(request.expires_at()) <= d_.clock.Now()) {
    violations->Add("expires_at", "must be in the future");
  }
}

void AccessServiceImpl::CreateApiKey(CallInfo call, cv1::CreateApiKeyRequest request,
                                     Callback<cv1::CreateApiKeyResponse> done) {
  if (Refused(*this, request, done)) return;
  auth::ApiKey key;
  if (request.has_expires_at()) key.expires = history::FromProto(request.expires_at());
  key.name = request.name();
  key.role = *RoleOf(request.role(), false);
  key.ns = request.namespace_().empty() ? call.ns : request.namespace_();
  key.created_by = call.IdentityOr("");
  d_.store.CreateKey(std::move(key),
                     [done = std::move(done)](absl::StatusOr<auth::NewKey> made) mutable {
                       if (!made.ok()) return done(made.status());
                       cv1::CreateApiKeyResponse response;
                       *response.mutable_api_key() = ToProto(made->key);
                       response.set_secret(std::move(made->secret));
                       done(std::move(response));
                     });
}

void AccessServiceImpl::Check(const cv1::ListApiKeysRequest& request,
                              FieldViolations* violations) const {
  CheckPageSize(request.page_size(), violations);
}

void AccessServiceImpl::ListApiKeys(CallInfo call, cv1::ListApiKeysRequest request,
                                    Callback<cv1::ListApiKeysResponse> done) {
  if (Refused(*this, request, done)) return;
  const int size = PageSize(request.page_size());
  const std::string only = OnlyNamespace(call);
  const absl::Time now = d_.clock.Now();
  cv1::ListApiKeysResponse response;
  bool begun = request.page_token().empty();
  for (const auth::ApiKey& key : d_.store.Keys()) {
    if (!begun) {  // keys are never removed: the last one of the page before is there
      begun = key.id == request.page_token();
      continue;
    }
    if (!only.empty() && key.ns != only) continue;
    if (key.ended(now) && !request.include_ended()) continue;
    if (response.api_keys_size() == size) {
      response.set_next_page_token(response.api_keys().rbegin()->key_id());
      break;
    }
    *response.add_api_keys() = ToProto(key);
  }
  if (!begun) return done(FieldError("page_token", "is not a token that this service gave"));
  done(std::move(response));
}

void AccessServiceImpl::Check(const cv1::RevokeApiKeyRequest& request,
                              FieldViolations* violations) const {
  if (request.key_id().empty()) violations->Add("key_id", "is required");
}

void AccessServiceImpl::RevokeApiKey(CallInfo call, cv1::RevokeApiKeyRequest request,
                                     Callback<cv1::ApiKey> done) {
  if (Refused(*this, request, done)) return;
  d_.store.RevokeKey(request.key_id(), call.IdentityOr(""), OnlyNamespace(call),
                     [done = std::move(done)](absl::StatusOr<auth::ApiKey> key) mutable {
                       if (!key.ok()) return done(key.status());
                       done(ToProto(*key));
                     });
}

void AccessServiceImpl::Check(const cv1::SetUserRequest& request,
                              FieldViolations* violations) const {
  const std::string domain = auth::DomainOf(absl::AsciiStrToLower(request.email()));
  if (domain.empty()) {
    violations->Add("email", "must be an e-mail address");
  } else if (!d_.email_domains.empty() &&
             std::find(d_.email_domains.begin(), d_.email_domains.end(), domain) ==
                 d_.email_domains.end()) {
    violations->Add("email", absl::StrCat("the domain ", domain,
                                          " may not use this server (auth.email_domains)"));
  }
  if (!RoleOf(request.role(), true).has_value()) {
    violations->Add("role", "must be none, viewer, editor or admin");
  }
}

void AccessServiceImpl::SetUser(CallInfo call, cv1::SetUserRequest request,
                                Callback<cv1::User> done) {
  if (Refused(*this, request, done)) return;
  auth::User user;
  user.email = absl::AsciiStrToLower(request.email());
  user.role = *RoleOf(request.role(), true);
  user.ns = request.namespace_().empty() ? call.ns : request.namespace_();
  user.updated_by = call.IdentityOr("");
  d_.store.SetUser(std::move(user),
                   [done = std::move(done)](absl::StatusOr<auth::User> set) mutable {
                     if (!set.ok()) return done(set.status());
                     done(ToProto(*set));
                   });
}

void AccessServiceImpl::Check(const cv1::ListUsersRequest& request,
                              FieldViolations* violations) const {
  CheckPageSize(request.page_size(), violations);
}

void AccessServiceImpl::ListUsers(CallInfo call, cv1::ListUsersRequest request,
                                  Callback<cv1::ListUsersResponse> done) {
  if (Refused(*this, request, done)) return;
  const int size = PageSize(request.page_size());
  cv1::ListUsersResponse response;
  for (const auth::User& user : d_.store.Users()) {
    if (user.email <= request.page_token()) continue;  // by address
    if (response.users_size() == size) {
      response.set_next_page_token(response.users().rbegin()->email());
      break;
    }
    *response.add_users() = ToProto(user);
  }
  done(std::move(response));
}

void AccessServiceImpl::Check(const cv1::DeleteUserRequest& request,
                              FieldViolations* violations) const {
  if (request.email().empty()) violations->Add("email", "is required");
}

void AccessServiceImpl::DeleteUser(CallInfo call, cv1::DeleteUserRequest request,
                                   Callback<cv1::DeleteUserResponse> done) {
  if (Refused(*this, request, done)) return;
  d_.store.DeleteUser(absl::AsciiStrToLower(request.email()),
                      [done = std::move(done)](absl::StatusOr<auth::User> gone) mutable {
                        if (!gone.ok()) return done(gone.status());
                        done(cv1::DeleteUserResponse());
                      });
}

}  // namespace gateway
