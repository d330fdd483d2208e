// moderate_content_activity: the settings' rules, and the moderation model when there is one. What
// it finds is shown to the reviewers. Read-only.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/names.h"

namespace campaign {

Result<v1::ModerateOutput> ActivitySet::Moderate(sdk::ActivityContext& ctx,
                                                 v1::ModerateInput input) const {
  v1::ModerateOutput output;
  for (const v1::ContentPiece& piece : input.pieces()) {
    for (v1::ModerationFinding& finding : rules_.Check(piece)) {
      *output.add_findings() = std::move(finding);
    }
  }
  const auto decide = [this](v1::ModerateOutput* out) {
    const bool blocking = std::any_of(
        out->findings().begin(), out->findings().end(),
        [](const v1::ModerationFinding& finding) { return finding.severity() == kBlock; });
    out->set_blocked(blocking && settings_.moderation.on_block == "fail");
  };
  decide(&output);
  if (!connectors_.moderator.enabled() || input.pieces().empty()) co_return output;
  std::vector<std::string> texts;
  for (const v1::ContentPiece& piece : input.pieces()) texts.push_back(piece.text());
  base::Outcome<std::vector<openai::ModerationFlag>> flags =
      co_await connectors_.moderator.Check(std::move(texts), CallFor(ctx));
  if (!flags.ok()) co_return flags.failure();
  output.set_model_asked(true);
  for (const openai::ModerationFlag& flag : *flags) {
    v1::ModerationFinding* finding = output.add_findings();
    const v1::ContentPiece& piece = input.pieces(static_cast<int>(flag.text));
    finding->set_content_id(piece.content_id());
    finding->set_rule(flag.category);
    finding->set_severity(settings_.moderation.model_severity);
    finding->set_message(absl::StrCat("the moderation model flags it as ", flag.category));
    finding->set_excerpt(CleanLine(piece.text(), 120));
  }
  decide(&output);
  co_return output;
}

}  // namespace campaign
