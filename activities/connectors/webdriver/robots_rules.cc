#include "activities/connectors/webdriver/robots_rules.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace webdriver {
namespace {

constexpr size_t kBytesMax = 512 * 1024;
constexpr size_t kRulesMax = 5000;

// Whether `pattern` matches a prefix of `path`; without backtracking beyond the last "*".
bool Matches(std::string_view pattern, std::string_view path) {
  const bool to_the_end = !pattern.empty() && pattern.back() == '$';
  if (to_the_end) pattern.remove_suffix(1);
  size_t p = 0;
  size_t s = 0;
  size_t star = std::string_view::npos;
  size_t star_s = 0;
  while (true) {
    if (p == pattern.size() && (!to_the_end || s == path.size())) return true;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_s = s;
      continue;
    }
    if (s < path.size() && p < pattern.size() && pattern[p] == path[s]) {
      ++p;
      ++s;
      continue;
    }
    if (star == std::string_view::npos || star_s >= path.size()) return false;
    p = star + 1;
    s = ++star_s;
  }
}

// A product token: letters, "_" and "-" (section 2.2.1); what follows is passed over.
absl::string_view Token(absl::string_view value) {
  size_t length = 0;
  while (length < value.size() && (absl::ascii_isalpha(static_cast<unsigned char>(value[length])) ||
                                   value[length] == '_' || value[length] == '-')) {
    ++length;
  }
  return value.substr(0, length);
}

}  // namespace

RobotsRules RobotsRules::DisallowAll() {
  RobotsRules rules;
  rules.rules_.push_back({.allow = false, .pattern = "/"});
  return rules;
}

RobotsRules RobotsRules::Parse(std::string_view text, std::string_view robot) {
  RobotsRules own;
  RobotsRules others;
  bool has_own = false;
  bool for_own = false;
  bool for_all = false;
  bool in_names = false;  // between the user-agent lines of a group
  const absl::string_view all(text.data(), std::min(text.size(), kBytesMax));
  const absl::string_view name(robot.data(), robot.size());
  for (absl::string_view line : absl::StrSplit(all, absl::ByAnyChar("\r\n"))) {
    line = line.substr(0, line.find('#'));
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) continue;
    const std::string key =
        absl::AsciiStrToLower(absl::StripAsciiWhitespace(line.substr(0, colon)));
    const absl::string_view value = absl::StripAsciiWhitespace(line.substr(colon + 1));
    if (key == "user-agent") {
      if (!std::exchange(in_names, true)) for_own = for_all = false;
      for_all = for_all || value == "*";
      for_own = for_own || absl::EqualsIgnoreCase(Token(value), name);
      has_own = has_own || for_own;
      continue;
    }
    if (key != "allow" && key != "disallow") continue;
    in_names = false;
    if (value.empty()) continue;  // "Disallow:" forbids nothing
    const Rule rule{.allow = key == "allow", .pattern = std::string(value)};
    if (for_own && own.rules_.size() < kRulesMax) own.rules_.push_back(rule);
    if (for_all && others.rules_.size() < kRulesMax) others.rules_.push_back(rule);
  }
  return has_own ? own : others;
}

bool RobotsRules::Allows(std::string_view path) const {
  if (path == "/robots.txt") return true;
  size_t longest = 0;
  bool allowed = true;
  for (const Rule& rule : rules_) {
    const size_t length = rule.pattern.size();
    if (length < longest || (length == longest && !rule.allow)) continue;
    if (!Matches(rule.pattern, path)) continue;
    longest = length;
    allowed = rule.allow;
  }
  return allowed;
}

}  // namespace webdriver
