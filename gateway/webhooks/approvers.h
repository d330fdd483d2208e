// Who may decide in Slack and Google Chat besides a campaign's own reviewers, as the settings name
// them: a user id ("U012AB3CD"), an address ("ann@example.com"), a domain ("@example.com"), or "*"
// for everybody who can press. Pure; thread-safe.
//
// Example:
//   IsApprover({"@example.com"}, "U1", "ann@example.com")   // true
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace webhooks {

// "", or what is wrong with an entry.
std::string SlackApproverProblem(std::string_view text);

// `email` is empty when it is not known.
bool IsApprover(const std::vector<std::string>& approvers, const std::string& user_id,
                const std::string& email);
// "", or what is wrong with an entry of Google Chat's lists: an address, a domain or "*"; and of
// its allowed domains.
std::string ChatPersonProblem(const std::string& text);
std::string ChatDomainProblem(const std::string& text);

// Whether an address could make a difference.
bool HasAddresses(const std::vector<std::string>& approvers);

}  // namespace webhooks
