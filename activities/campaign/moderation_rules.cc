#include "activities/campaign/moderation_rules.h"

#include <re2/re2.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "activities/campaign/names.h"

namespace campaign {
namespace {

constexpr size_t kExcerptCharactersMax = 120;

struct Line {
  std::string name;
  std::string severity;
  std::string pattern;
};

Line Split(absl::string_view line) {
  const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 2));
  Line parts;
  if (!words.empty()) parts.name = words[0];
  if (words.size() > 1) parts.severity = words[1];
  if (words.size() > 2) parts.pattern = words[2];
  return parts;
}

RE2::Options Quiet() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  return options;
}

}  // namespace

struct ModerationRules::Rule {
  Line line;
  RE2 pattern;
};

ModerationRules::ModerationRules() = default;
ModerationRules::~ModerationRules() = default;
ModerationRules::ModerationRules(ModerationRules&&) noexcept = default;
ModerationRules& ModerationRules::operator=(ModerationRules&&) noexcept = default;

std::string RuleProblem(absl::string_view line) {
  const Line parts = Split(line);
  if (parts.name.empty() || parts.pattern.empty() ||
      (parts.severity != kWarning && parts.severity != kBlock)) {
    return "must be NAME warning|block PATTERN";
  }
  const RE2 pattern(parts.pattern, Quiet());
  return pattern.ok() ? "" : absl::StrCat("the pattern is wrong: ", pattern.error());
}

absl::StatusOr<ModerationRules> ModerationRules::Make(const std::vector<std::string>& lines) {
  ModerationRules rules;
  std::vector<std::string> faults;
  for (const std::string& line : lines) {
    const std::string problem = RuleProblem(line);
    if (!problem.empty()) {
      faults.push_back(absl::StrCat("moderation.rules: \"", line, "\": ", problem));
      continue;
    }
    Line parts = Split(line);
    const std::string pattern = parts.pattern;
    rules.rules_.push_back(
        std::unique_ptr<const Rule>(new Rule{std::move(parts), RE2(pattern, Quiet())}));
  }
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
  return rules;
}

std::vector<v1::ModerationFinding> ModerationRules::Check(const v1::ContentPiece& piece) const {
  std::vector<v1::ModerationFinding> findings;
  for (const auto& rule : rules_) {
    re2::StringPiece found;
    if (!rule->pattern.Match(piece.text(), 0, piece.text().size(), RE2::UNANCHORED, &found, 1)) {
      continue;
    }
    v1::ModerationFinding& finding = findings.emplace_back();
    finding.set_content_id(piece.content_id());
    finding.set_rule(rule->line.name);
    finding.set_severity(rule->line.severity);
    finding.set_message(absl::StrCat("matches the rule ", rule->line.name));
    finding.set_excerpt(CleanLine(std::string(found.data(), found.size()), kExcerptCharactersMax));
  }
  return findings;
}

}  // namespace campaign
