// FrontDoor: what every call of both fronts passes before its handler and after it: who calls
// (gateway/auth), may they (permissions.h), in which namespace. What it learns is in the CallInfo.
//
// Thread-safety: thread-safe.
//
// Example:
//   door.Enter({.method = "campaign.v1.CampaignService.GetWizard", .credentials = ..., .call = ...,
//               .read = [&] { return &request; }},
//              [](absl::StatusOr<Admission> admission) {
//                if (!admission.ok()) return Answer(admission.status());
//                ... handle admission->call, then:
//                admission->Leave(status);
//              });
#pragma once

#include <google/protobuf/message.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/auth/authenticator.h"
#include "gateway/auth/permissions.h"
#include "gateway/grpc/call_guard.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/error_details.h"

namespace gateway {

// A call that may be made.
struct Admission {
  CallInfo call;
  Resource resource;  // what its errors are about
  // For the answer, whatever it is.
  std::vector<std::pair<std::string, std::string>> headers;
  CallGuard::Leave leave;  // may be empty

  // To be told once how the call ended, before it is answered. `response` may be null.
  void Leave(const absl::Status& status, const google::protobuf::Message* response = nullptr) {
    if (leave) std::exchange(leave, nullptr)(status, response);
  }
};

class FrontDoor {
 public:
  struct Options {
    std::set<std::string> public_routes;  // "GET /metrics": open, whatever their rule says
  };
  struct Knock {
    std::string method;  // full name of a method, or a raw route: "GET /metrics"
    auth::Credentials credentials;
    CallInfo call;
    std::string ns;  // of the header x-namespace; empty: not given
    // Gives the request, which lives until `done`: called when the caller may make this call, so
    // that nobody else's request is parsed. Empty for raw routes.
    absl::AnyInvocable<absl::StatusOr<google::protobuf::Message*>()> read;
  };
  using Done = absl::AnyInvocable<void(absl::StatusOr<Admission>)>;

  // `authenticator` and `guard` outlive the door. Without a guard nothing is limited or recorded.
  FrontDoor(auth::Authenticator& authenticator, Options options, CallGuard* guard = nullptr)
      : authenticator_(authenticator), options_(std::move(options)), guard_(guard) {}

  // Calls `done` once, at once or later on another thread, with UNAUTHENTICATED, PERMISSION_DENIED
  // (it names the method, the role needed and the role the caller has), the status of `read`,
  // INVALID_ARGUMENT for a namespace that is no name, or with the call, its caller and namespace
  // set, and the namespace written into the request. The guard adds RESOURCE_EXHAUSTED (too many
  // calls, with Retry-After) and UNAVAILABLE (a change that cannot be recorded).
  void Enter(Knock knock, Done done) const;

 private:
  void Let(const auth::Rule& rule, Knock knock, auth::Caller caller, Done done) const;
  // Fills `admission` and shows the request, if there is one.
  absl::Status Admit(const auth::Rule& rule, Knock& knock, Admission* admission,
                     google::protobuf::Message** request) const;

  auth::Authenticator& authenticator_;
  const Options options_;
  CallGuard* const guard_;
};

// The value of WWW-Authenticate for a status that is UNAUTHENTICATED (RFC 6750 section 3).
std::string Challenge(const absl::Status& status);

}  // namespace gateway
