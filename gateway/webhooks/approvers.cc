#include "gateway/webhooks/approvers.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace webhooks {
namespace {

bool IsSlackId(const std::string& text) {
  return text.size() >= 2 && (text[0] == 'U' || text[0] == 'W') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isupper(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c));
         });
}

bool HasAddress(const std::string& approver) { return approver.find('@') != approver.npos; }

bool IsOf(const std::string& approver, const std::string& email) {
  if (email.empty() || !HasAddress(approver)) return false;
  if (approver[0] == '@') return absl::EndsWithIgnoreCase(email, approver);
  return absl::EqualsIgnoreCase(approver, email);
}

}  // namespace

std::string SlackApproverProblem(std::string_view given) {
  const std::string text(given);
  if (text == "*" || IsSlackId(text)) return "";
  const size_t at = text.find('@');
  if (at != text.npos && at + 1 < text.size() && text.find('@', at + 1) == text.npos) return "";
  return "must be a Slack user id (U012AB3CD), an address (ann@example.com), a domain "
         "(@example.com) or * for everybody";
}

bool IsApprover(const std::vector<std::string>& approvers, const std::string& user_id,
                const std::string& email) {
  return std::any_of(approvers.begin(), approvers.end(), [&](const std::string& each) {
    return each == "*" || each == user_id || IsOf(each, email);
  });
}

bool HasAddresses(const std::vector<std::string>& approvers) {
  return std::any_of(approvers.begin(), approvers.end(), HasAddress);
}

std::string ChatPersonProblem(const std::string& text) {
  const size_t at = text.find('@');
  if (text == "*" || (at != text.npos && at + 1 < text.size() &&
                      text.find_first_of(" \t@", at + 1) == text.npos)) {
    return "";
  }
  return "must be an address (ann@example.com), a domain (@example.com) or * for everybody of the "
         "allowed domains";
}

std::string ChatDomainProblem(const std::string& text) {
  const bool good = text.find('.') != text.npos && text.find_first_of(" \t@/") == text.npos;
  return good ? "" : "must be a domain, as in example.com";
}

}  // namespace webhooks
