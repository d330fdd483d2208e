// Rules that texts are checked against before people review them. Constant after construction;
// thread-safe.
//
// Example:
//   auto rules = ModerationRules::Make({"placeholder block (?i)lorem ipsum"});
//   std::vector<v1::ModerationFinding> findings = rules->Check(piece);
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/v1/campaign.pb.h"

namespace campaign {

inline constexpr char kWarning[] = "warning";
inline constexpr char kBlock[] = "block";

class ModerationRules {
 public:
  // Lines "NAME warning|block PATTERN"; patterns as in RE2
  // (https://github.com/google/re2/wiki/Syntax). INVALID_ARGUMENT names every wrong line.
  static absl::StatusOr<ModerationRules> Make(const std::vector<std::string>& lines);
  ~ModerationRules();
  ModerationRules(ModerationRules&&) noexcept;
  ModerationRules& operator=(ModerationRules&&) noexcept;

  // The first place of each rule in the text, in the rules' order.
  std::vector<v1::ModerationFinding> Check(const v1::ContentPiece& piece) const;

 private:
  struct Rule;
  ModerationRules();
  std::vector<std::unique_ptr<const Rule>> rules_;
};

// "" or what is wrong with a line.
std::string RuleProblem(absl::string_view line);

}  // namespace campaign
