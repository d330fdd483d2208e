// Who may do what: one table for every method of both fronts and every raw route. A method without
// a row fails the build (permissions_check.cc), a raw route without one fails the start.
// Constant; thread-safe.
//
// Example:
//   const Rule* rule = FindRule("campaign.v1.CampaignService.CreateCampaign");
//   if (caller.role < rule->role) ...
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/auth/caller.h"

namespace auth {

enum class Access {
  kOpen,        // nobody is asked for a credential
  kCredential,  // a caller who is known and has the role
};

// What a call may touch. A caller bound to one namespace makes no call that changes the server.
enum class Scope { kNamespace, kServer };

struct Rule {
  absl::string_view name;   // "orchestrator.v1.WorkflowService.GetWorkflow", "GET /metrics"
  absl::string_view group;  // read, watch, start, write, decide, operate, access
  Role role = Role::kAdmin;
  Access access = Access::kCredential;
  Scope scope = Scope::kNamespace;
};

// In the order of the documents.
const std::vector<Rule>& Rules();
// Null: there is no rule, and so nobody may.
const Rule* FindRule(absl::string_view name);

}  // namespace auth
