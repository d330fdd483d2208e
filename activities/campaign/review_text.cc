#include "activities/campaign/review_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "activities/campaign/campaign_state.h"
#include "activities/campaign/names.h"
#include "activities/campaign/review_files.h"
#include "activities/campaign/schedule.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

constexpr size_t kTitleCharactersMax = 200;
constexpr size_t kLineCharactersMax = 1'500;

std::string Quote(absl::string_view text) {
  std::string quoted;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(&quoted, "> ", absl::StrReplaceAll(line, {{"<", "&lt;"}, {"@", "&#64;"}}),
                    "\n");
  }
  return quoted;
}

template <typename Items>
std::string EscapedList(const Items& items) {
  return EscapeMarkdown(absl::StrJoin(items, ", "));
}

void AppendRow(std::string* table, absl::string_view name, const std::string& value) {
  if (!value.empty()) absl::StrAppend(table, "| ", name, " | ", value, " |\n");
}

std::string BriefTable(const v1::CampaignSpec& spec) {
  std::string table = "| Brief | |\n|---|---|\n";
  AppendRow(&table, "Goals", EscapedList(spec.campaign_goals()));
  AppendRow(&table, "Audience", EscapeMarkdown(spec.target_audience()));
  AppendRow(&table, "Channels", EscapedList(spec.channels()));
  AppendRow(&table, "Tone", EscapeMarkdown(spec.tone()));
  AppendRow(&table, "Metrics", EscapedList(spec.metrics()));
  const std::optional<absl::Time> schedule = ScheduleTime(spec);
  AppendRow(&table, "Goes out",
            schedule.has_value() ? TimeText(*schedule) : "as soon as it is approved");
  if (spec.budget_usd() > 0) AppendRow(&table, "Budget", absl::StrCat("$", spec.budget_usd()));
  return table;
}

std::string AssetSection(const Assets& assets) {
  if (assets.empty()) return "";
  std::string section = "## Images\n\n";
  for (const v1::Asset& asset : assets) {
    absl::StrAppend(&section, "**", EscapeMarkdown(asset.channel()), "**\n\n![",
                    EscapeMarkdown(asset.type()), "](", asset.url(), ")\n\n");
  }
  return section;
}

std::string PieceTitle(const std::string& content_id) {
  const PieceKind* kind = FindPieceKind(content_id);
  return kind == nullptr ? content_id : std::string(kind->title);
}

std::string ModerationSection(const Moderation& moderation) {
  if (moderation.empty()) return "";
  std::string section = "## Moderation\n\n| Text | Rule | Severity | Found |\n|---|---|---|---|\n";
  for (const v1::ModerationFinding& finding : moderation) {
    absl::StrAppend(&section, "| ", EscapeMarkdown(PieceTitle(finding.content_id())), " | ",
                    EscapeMarkdown(finding.rule()), " | ", EscapeMarkdown(finding.severity()),
                    " | ", EscapeMarkdown(finding.excerpt()), " |\n");
  }
  return section + "\n";
}

}  // namespace

std::string EscapeMarkdown(absl::string_view text) {
  return absl::StrReplaceAll(CleanLine(text, kLineCharactersMax), {{"\\", "\\\\"},
                                                                   {"*", "\\*"},
                                                                   {"_", "\\_"},
                                                                   {"`", "\\`"},
                                                                   {"[", "\\["},
                                                                   {"]", "\\]"},
                                                                   {"<", "&lt;"},
                                                                   {">", "&gt;"},
                                                                   {"|", "\\|"},
                                                                   {"#", "\\#"},
                                                                   {"@", "&#64;"}});
}

std::vector<github::File> ReviewFiles(const std::string& workflow_id, const v1::CampaignSpec& spec,
                                      const Pieces& pieces, const Assets& assets,
                                      const std::string& content_dir) {
  const std::string dir = ReviewDir(content_dir, workflow_id);
  std::vector<github::File> files;
  files.push_back({absl::StrCat(dir, "/README.md"),
                   absl::StrCat("# ", EscapeMarkdown(spec.campaign_name()), "\n\n",
                                BriefTable(spec), "\n", AssetSection(assets))});
  for (const v1::ContentPiece& piece : pieces) {
    const PieceKind* kind = FindPieceKind(piece.content_id());
    if (kind == nullptr) continue;
    files.push_back(
        {ContentPath(content_dir, workflow_id, kind->id), ContentFile(*kind, piece.text())});
  }
  return files;
}

std::string CommitMessage(const v1::CampaignSpec& spec) {
  return absl::StrCat("campaign: content of ", CleanLine(spec.campaign_name(), 100));
}

std::string PullRequestTitle(const v1::CampaignSpec& spec) {
  return absl::StrCat("Campaign: ", CleanLine(spec.campaign_name(), kTitleCharactersMax));
}

std::string PullRequestBody(const std::string& workflow_id, const v1::CampaignSpec& spec,
                            const Pieces& pieces, const Assets& assets,
                            const Moderation& moderation) {
  std::string body = absl::StrCat("**", EscapeMarkdown(spec.campaign_name()),
                                  "** is ready for review. Nothing is published "
                                  "before it is approved.\n\n",
                                  BriefTable(spec), "\n## Content\n\n");
  for (const v1::ContentPiece& piece : pieces) {
    const PieceKind* kind = FindPieceKind(piece.content_id());
    if (kind == nullptr) continue;
    absl::StrAppend(&body, "### ", kind->title, "\n\n", Quote(piece.text()), "\n");
  }
  absl::StrAppend(&body, ModerationSection(moderation), AssetSection(assets),
                  "---\nApprove this pull request to publish the campaign, or request changes to "
                  "reject it. The buttons in Slack, `campaignctl` and the web page do the same; "
                  "the first decision wins. Texts may be edited here: push to this branch.\n\n",
                  CampaignMarker(workflow_id), "\n");
  return body;
}

std::string ClosingComment(const std::string& outcome, const v1::ApprovalDecision& decision,
                           const std::string& reason) {
  if (outcome == "approved") {
    std::string comment =
        absl::StrCat("The campaign was **approved** by ", EscapeMarkdown(decision.decided_by()));
    if (!decision.via().empty()) absl::StrAppend(&comment, " via ", EscapeMarkdown(decision.via()));
    absl::StrAppend(&comment, " and has been published.\n");
    if (!decision.comment().empty()) absl::StrAppend(&comment, "\n", Quote(decision.comment()));
    return comment;
  }
  std::string comment = absl::StrCat("The campaign was **", EscapeMarkdown(outcome),
                                     "**; nothing stays published.\n");
  if (!reason.empty()) absl::StrAppend(&comment, "\n", Quote(CleanText(reason, 2000)));
  return comment;
}

namespace {

std::string Days(absl::Duration waited) {
  const int64_t hours = absl::ToInt64Hours(waited);
  if (hours >= 48) return absl::StrCat(hours / 24, " days");
  if (hours >= 2) return absl::StrCat(hours, " hours");
  if (waited < absl::Minutes(2)) return "a minute";
  return absl::StrCat(absl::ToInt64Minutes(waited), " minutes");
}

// What reminders say, in plain words: {what is the matter, what comes next}.
std::pair<std::string, std::string> ReminderWords(const v1::RemindReviewInput& input,
                                                  absl::Time now) {
  const std::string waited = Days(now - history::FromProto(input.asked_at()));
  if (input.reminder() == 0) {
    return {"The time for a decision is over; the campaign goes on waiting",
            "It still needs somebody to approve or reject it"};
  }
  std::string next = "It needs somebody to approve or reject it";
  if (input.has_expires_at()) {
    const std::string until = TimeText(history::FromProto(input.expires_at()));
    absl::StrAppend(&next,
                    input.on_expiry() == "wait" ? ", if possible before "
                                                : "; it is withdrawn if nobody does before ",
                    until);
  }
  return {
      absl::StrCat("Reminder ", input.reminder(), ": the campaign has been waiting for ", waited),
      std::move(next)};
}

}  // namespace

std::string ReminderComment(const v1::RemindReviewInput& input, absl::Time now) {
  const auto [what, next] = ReminderWords(input, now);
  return absl::StrCat("**", what, ".** ", next, ".\n");
}

std::string SlackReminder(const v1::RemindReviewInput& input, absl::Time now) {
  const auto [what, next] = ReminderWords(input, now);
  std::string text = absl::StrCat(":hourglass: ", what, ". ", next, ".");
  for (const std::string& reviewer : input.campaign().reviewers()) {
    absl::StrAppend(&text, " ", slack::Mention(reviewer));
  }
  return text;
}

slack::Review SlackReview(const std::string& workflow_id, const v1::CampaignSpec& spec,
                          const Pieces& pieces, const std::string& pr_url,
                          const Moderation& moderation) {
  slack::Review review;
  review.workflow_id = workflow_id;
  review.campaign_name = spec.campaign_name();
  review.summary = absl::StrCat("Channels: ", absl::StrJoin(spec.channels(), ", "));
  if (!spec.target_audience().empty()) {
    absl::StrAppend(&review.summary, " · Audience: ", spec.target_audience());
  }
  const std::optional<absl::Time> schedule = ScheduleTime(spec);
  absl::StrAppend(&review.summary, "\nGoes out: ",
                  schedule.has_value() ? TimeText(*schedule) : "as soon as it is approved");
  for (const v1::ModerationFinding& finding : moderation) {
    absl::StrAppend(&review.summary, "\nModeration (", finding.severity(),
                    "): ", PieceTitle(finding.content_id()), ": ", finding.rule(), ", \"",
                    finding.excerpt(), "\"");
  }
  for (const v1::ContentPiece& piece : pieces) {
    const PieceKind* kind = FindPieceKind(piece.content_id());
    if (kind != nullptr) review.content.emplace_back(std::string(kind->title), piece.text());
  }
  review.pr_url = pr_url;
  review.reviewers.assign(spec.reviewers().begin(), spec.reviewers().end());
  return review;
}

}  // namespace campaign
