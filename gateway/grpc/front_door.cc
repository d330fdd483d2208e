#include "gateway/grpc/front_door.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/auth/roles.h"
#include "gateway/json/field_violations.h"

namespace gateway {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kNamespaceField[] = "namespace";
constexpr char kEveryNamespace[] = "*";
constexpr size_t kNamespaceLengthMax = 64;

bool IsNamespace(const std::string& text) {
  return !text.empty() && text.size() <= kNamespaceLengthMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

struct NamespaceField {
  Message* holder = nullptr;
  const FieldDescriptor* field = nullptr;
};

// A request's own field, or that of the workflow that it starts; null: it has none.
NamespaceField FindNamespace(Message* request) {
  const auto is_text = [](const FieldDescriptor* field) {
    return field != nullptr && !field->is_repeated() &&
           field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  };
  const FieldDescriptor* own = request->GetDescriptor()->FindFieldByName(kNamespaceField);
  if (is_text(own)) return {request, own};
  const FieldDescriptor* start = request->GetDescriptor()->FindFieldByName("start");
  if (start == nullptr || start->is_repeated() ||
      start->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return {};
  }
  const FieldDescriptor* nested = start->message_type()->FindFieldByName(kNamespaceField);
  if (!is_text(nested)) return {};
  return {request->GetReflection()->MutableMessage(request, start), nested};
}

absl::Status CheckRole(const auth::Rule& rule, const auth::Caller& caller) {
  if (caller.role < rule.role) {
    return auth::PermissionDenied(
        "ROLE_TOO_LOW",
        absl::StrCat(std::string(rule.name), " needs the role ", auth::RoleName(rule.role), "; ",
                     caller.identity.empty() ? "the caller" : caller.identity, " has the role ",
                     auth::RoleName(caller.role)));
  }
  if (rule.scope == auth::Scope::kServer && caller.ns != kEveryNamespace) {
    return auth::PermissionDenied(
        "NAMESPACE_TOO_NARROW",
        absl::StrCat(std::string(rule.name), " concerns the whole server; ", caller.identity,
                     " is bound to the namespace ", caller.ns));
  }
  return absl::OkStatus();
}

// The namespace that the call works in: what it asks for, else the caller's own.
absl::StatusOr<std::string> Resolve(const auth::Rule& rule, const std::string& field,
                                    const std::string& header, const auth::Caller& caller) {
  if (!field.empty() && !header.empty() && field != header) {
    return FieldError(kNamespaceField, absl::StrCat("is ", field, ", but x-namespace is ", header));
  }
  const std::string& asked = field.empty() ? header : field;
  const bool every = caller.ns == kEveryNamespace;
  if (asked.empty()) return every ? auth::kDefaultNamespace : caller.ns;
  // What a key or a user is bound to may be every namespace.
  if (asked == kEveryNamespace && every && rule.group == "access") return asked;
  if (!IsNamespace(asked)) {
    return FieldError(kNamespaceField,
                      "must be 1 to 64 letters, digits, dots, hyphens or underscores");
  }
  if (!every && asked != caller.ns) {
    return auth::PermissionDenied("NAMESPACE_FORBIDDEN",
                                  absl::StrCat(caller.identity, " is bound to the namespace ",
                                               caller.ns, " and may not work in ", asked));
  }
  return asked;
}

}  // namespace

void FrontDoor::Enter(Knock knock, Done done) const {
  const auth::Rule* rule = auth::FindRule(knock.method);
  if (rule == nullptr) {
    return done(absl::PermissionDeniedError(
        absl::StrCat("nobody may call ", knock.method, ": it has no rule")));
  }
  if (rule->access == auth::Access::kOpen || options_.public_routes.contains(knock.method)) {
    auth::Caller caller;
    caller.credential = "none";
    caller.address = std::move(knock.credentials.address);
    Admission admission{.call = std::move(knock.call)};
    admission.call.caller = std::move(caller);
    if (guard_ != nullptr) {
      // A webhook proves by its signature where it comes from: its handler looks, and says 401.
      admission.leave = [guard = guard_, method = std::move(knock.method), call = admission.call](
                            const absl::Status& status, const Message*) {
        if (!absl::IsUnauthenticated(status)) return;
        guard->SignInFailed(method, call, call.caller.address, status).IgnoreError();
      };
    }
    return done(std::move(admission));
  }
  auth::Credentials credentials = std::move(knock.credentials);
  std::string address = credentials.address;
  authenticator_.Authenticate(
      std::move(credentials),
      [this, rule, address = std::move(address), knock = std::move(knock),
       done = std::move(done)](absl::StatusOr<auth::Caller> caller) mutable {
        if (caller.ok()) {
          if (caller->address.empty()) caller->address = std::move(address);
          return Let(*rule, std::move(knock), *std::move(caller), std::move(done));
        }
        if (guard_ == nullptr) return done(caller.status());
        done(guard_->SignInFailed(knock.method, knock.call, address, caller.status()));
      });
}

void FrontDoor::Let(const auth::Rule& rule, Knock knock, auth::Caller caller, Done done) const {
  Admission admission{.call = std::move(knock.call)};
  admission.call.caller = std::move(caller);
  if (guard_ != nullptr) guard_->SignedIn(admission.call);
  Message* request = nullptr;
  if (absl::Status status = Admit(rule, knock, &admission, &request); !status.ok()) {
    if (guard_ != nullptr) guard_->Refused(rule, admission.call, status);
    return done(std::move(status));
  }
  if (guard_ == nullptr) return done(std::move(admission));
  const CallInfo call = admission.call;
  guard_->Begin(rule, call, request,
                [admission = std::move(admission),
                 done = std::move(done)](absl::StatusOr<CallGuard::Leave> leave) mutable {
                  if (!leave.ok()) return done(leave.status());
                  admission.leave = *std::move(leave);
                  done(std::move(admission));
                });
}

absl::Status FrontDoor::Admit(const auth::Rule& rule, Knock& knock, Admission* admission,
                              Message** request) const {
  const auth::Caller& caller = admission->call.caller;
  if (absl::Status status = CheckRole(rule, caller); !status.ok()) return status;
  if (guard_ != nullptr) {
    const absl::Status status = guard_->Limit(rule, admission->call, &admission->headers);
    if (!status.ok()) return status;
  }
  NamespaceField place;
  std::string field;
  if (knock.read) {
    absl::StatusOr<Message*> read = knock.read();
    if (!read.ok()) return read.status();
    *request = *read;
    place = FindNamespace(*read);
    if (place.field != nullptr) {
      field = place.holder->GetReflection()->GetString(*place.holder, place.field);
    }
  }
  absl::StatusOr<std::string> ns = Resolve(rule, field, knock.ns, caller);
  if (!ns.ok()) return ns.status();
  if (place.field != nullptr) {
    place.holder->GetReflection()->SetString(place.holder, place.field, *ns);
  }
  admission->call.ns = *std::move(ns);
  if (*request != nullptr) admission->resource = ResourceOf(**request);
  return absl::OkStatus();
}

std::string Challenge(const absl::Status& status) {
  std::string challenge = "Bearer realm=\"campaignd\"";
  // Without a credential there is nothing wrong with it.
  if (auth::ReasonOf(status) == "CREDENTIAL_MISSING") return challenge;
  absl::StrAppend(&challenge, ", error=\"invalid_token\", error_description=\"",
                  absl::StrReplaceAll(status.message(), {{"\"", "'"}, {"\\", "/"}}), "\"");
  return challenge;
}

}  // namespace gateway
