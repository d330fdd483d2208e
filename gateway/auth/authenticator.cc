#include "gateway/auth/authenticator.h"

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace auth {

namespace {

absl::Status WithReason(absl::Status status, absl::string_view reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kErrorDomain);
  const std::string bytes = info.SerializeAsString();
  status.SetPayload(kErrorInfoUrl, absl::Cord(absl::string_view(bytes)));
  return status;
}

// The host of "localhost:8080", "[::1]:8080" or "127.0.0.1".
absl::string_view HostOf(absl::string_view authority) {
  if (!authority.empty() && authority[0] == '[') {
    const size_t end = authority.find(']');
    return end == authority.npos ? authority : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool IsThisMachine(absl::string_view authority) {
  const std::string host = absl::AsciiStrToLower(HostOf(authority));
  if (host == "localhost" || absl::EndsWith(host, ".localhost") || host == "::1") return true;
  // An address, not a name that begins like one.
  return absl::StartsWith(host, "127.") &&
         host.find_first_not_of("0123456789.") == std::string::npos;
}

bool IsOriginOfThisMachine(absl::string_view origin) {
  const size_t scheme = origin.find("://");
  return scheme != origin.npos && IsThisMachine(origin.substr(scheme + 3));
}

}  // namespace

absl::Status Unauthenticated(absl::string_view reason, absl::string_view message) {
  return WithReason(absl::UnauthenticatedError(message), reason);
}

absl::Status PermissionDenied(absl::string_view reason, absl::string_view message) {
  return WithReason(absl::PermissionDeniedError(message), reason);
}

std::string ReasonOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  if (const auto payload = status.GetPayload(kErrorInfoUrl)) {
    info.ParseFromString(std::string(*payload));
  }
  return info.reason();
}

void OpenAuthenticator::Authenticate(Credentials credentials, Done done) {
  if (!credentials.host.empty() && !IsThisMachine(credentials.host)) {
    // A name that was made to point here (DNS rebinding).
    return done(PermissionDenied(
        "HOST_NOT_LOCAL",
        "this server has no credentials and answers only to the names of this machine; call it "
        "as 127.0.0.1 or localhost, or create a key: campaignd --create-admin-key NAME"));
  }
  if ((!credentials.origin.empty() && !IsOriginOfThisMachine(credentials.origin)) ||
      credentials.fetch_site == "cross-site") {
    return done(PermissionDenied(
        "ORIGIN_NOT_LOCAL",
        "this server has no credentials and takes no calls from web pages of other origins; "
        "create a key: campaignd --create-admin-key NAME"));
  }
  Caller caller;
  caller.credential = "none";
  caller.role = Role::kAdmin;
  caller.ns = "*";
  caller.address = std::move(credentials.address);
  done(std::move(caller));
}

}  // namespace auth
