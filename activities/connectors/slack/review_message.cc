#include "activities/connectors/slack/review_message.h"

#include <algorithm>

#include "absl/strings/str_replace.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace slack {
namespace {

using wire::Cat;
using wire::Json;

constexpr size_t kSectionBytesMax = 3'000;  // Slack's limit, in escaped text
constexpr size_t kNameBytesMax = 150;
constexpr size_t kSummaryBytesMax = 600;
constexpr size_t kPieceBytesMax = 500;
constexpr size_t kPiecesMax = 20;
constexpr size_t kReviewersMax = 50;
constexpr char kReasonField[] = "reason";
constexpr int kReasonCharactersMax = 2'000;

bool IsUserId(std::string_view user) {
  return user.size() >= 2 && user.size() <= 32 && (user[0] == 'U' || user[0] == 'W') &&
         std::all_of(user.begin(), user.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

// A plain text, cut before it is escaped so that no entity is torn.
std::string Escaped(std::string_view text, size_t bytes_max) {
  std::string escaped = EscapeMrkdwn(wire::Truncate(text, bytes_max));
  // Escaping makes a character up to five bytes; a text full of them is cut harder.
  for (size_t limit = bytes_max / 2; escaped.size() > kSectionBytesMax && limit > 0; limit /= 2) {
    escaped = EscapeMrkdwn(wire::Truncate(text, limit));
  }
  return escaped;
}

// `<url|label>`; in a URL the characters that end a link are percent-encoded.
std::string Link(std::string_view url, std::string_view label) {
  std::string safe;
  for (const char c : url) {
    if (c == '<' || c == '>' || c == '|' || static_cast<unsigned char>(c) <= ' ') {
      safe += wire::PercentEncode(std::string_view(&c, 1));
    } else {
      safe += c == '&' ? "&amp;" : std::string(1, c);
    }
  }
  return Cat("<", safe, "|", EscapeMrkdwn(label), ">");
}

Json Section(std::string mrkdwn) {
  return {{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", std::move(mrkdwn)}}}};
}

Json Button(std::string_view action, std::string_view label, std::string_view style,
            const std::string& value) {
  return {{"type", "button"},
          {"action_id", action},
          {"text", {{"type", "plain_text"}, {"text", label}}},
          {"style", style},
          {"value", value}};
}

std::string Title(const Review& review) {
  return Cat("Campaign *", Escaped(review.campaign_name, kNameBytesMax), "*");
}

std::string Mentions(const Review& review) {
  std::string text;
  for (const std::string& reviewer : review.reviewers) {
    if (text.size() > kReviewersMax * 16) break;
    text += Cat(text.empty() ? "" : " ", Mention(reviewer));
  }
  return text;
}

void AddContent(const Review& review, Json& blocks) {
  size_t pieces = 0;
  for (const auto& [title, text] : review.content) {
    if (++pieces > kPiecesMax) break;
    blocks.push_back(
        Section(Cat("*", Escaped(title, kNameBytesMax), "*\n", Escaped(text, kPieceBytesMax))));
  }
}

std::string EndLine(const ReviewEnd& end) {
  std::string line = end.outcome == "approved"   ? ":white_check_mark: *Approved*"
                     : end.outcome == "rejected" ? ":x: *Rejected*"
                                                 : ":leftwards_arrow_with_hook: *Withdrawn*";
  if (!end.decided_by.empty()) line += Cat(" by ", Mention(end.decided_by));
  if (!end.reason.empty()) line += Cat(": ", Escaped(end.reason, kSummaryBytesMax));
  return line;
}

}  // namespace

std::string EscapeMrkdwn(std::string_view text) {
  return absl::StrReplaceAll(std::string(text), {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Mention(std::string_view user) {
  // "slack:U012AB3CD (ann)", as decisions name who made them.
  if (user.starts_with(kIdentityPrefix)) {
    const std::string_view rest = user.substr(kIdentityPrefix.size());
    const std::string_view id = rest.substr(0, rest.find(' '));
    if (IsUserId(id)) user = id;
  }
  return IsUserId(user) ? Cat("<@", user, ">") : Escaped(user, kNameBytesMax);
}

std::string ReasonDialog(std::string_view campaign_name, std::string_view metadata) {
  const Json plain = {{"type", "plain_text"}};
  const auto text = [&plain](std::string_view words) {
    Json json = plain;
    json["text"] = words;
    return json;
  };
  const Json view = {{"type", "modal"},
                     {"callback_id", kReasonDialog},
                     {"private_metadata", metadata},
                     {"title", text("Reject campaign")},
                     {"submit", text("Reject")},
                     {"close", text("Cancel")},
                     {"blocks",
                      {Section(Cat("Campaign *", Escaped(campaign_name, kNameBytesMax),
                                   "* is rejected, and what was made for it is taken back.")),
                       {{"type", "input"},
                        {"block_id", kReasonField},
                        {"label", text("Why?")},
                        {"element",
                         {{"type", "plain_text_input"},
                          {"action_id", kReasonField},
                          {"multiline", true},
                          {"max_length", kReasonCharactersMax}}}}}}};
  return wire::DumpJson(view);
}

std::string ReasonOf(std::string_view view_state_json) {
  const Json state = wire::ParseJson(view_state_json).value_or(Json());
  const Json& block = wire::At(wire::At(state, "values"), kReasonField);
  return wire::StringAt(wire::At(block, kReasonField), "value");
}

std::string ReviewBlocks(const Review& review) {
  Json blocks = Json::array();
  blocks.push_back(Section(Cat(Title(review), " is ready for review. ", Mentions(review))));
  if (!review.summary.empty()) {
    blocks.push_back(Section(Escaped(review.summary, kSummaryBytesMax)));
  }
  AddContent(review, blocks);
  if (!review.pr_url.empty()) {
    blocks.push_back(Section(Link(review.pr_url, "Read everything in the pull request")));
  }
  blocks.push_back({{"type", "actions"},
                    {"block_id", "campaign_review"},
                    {"elements",
                     {Button(kApproveAction, "Approve", "primary", review.workflow_id),
                      Button(kRejectAction, "Reject", "danger", review.workflow_id)}}});
  return wire::DumpJson(blocks);
}

std::string ReviewText(const Review& review) {
  const std::string mentions = Mentions(review);
  return Cat(Title(review), " is ready for review", mentions.empty() ? "" : ": ", mentions);
}

std::string ClosedReviewBlocks(const Review& review, const ReviewEnd& end) {
  Json blocks = Json::array();
  blocks.push_back(Section(Cat(Title(review), "\n", EndLine(end))));
  if (!review.pr_url.empty()) blocks.push_back(Section(Link(review.pr_url, "Pull request")));
  return wire::DumpJson(blocks);
}

std::string ClosedReviewText(const Review& review, const ReviewEnd& end) {
  return Cat(Title(review), ": ", EndLine(end));
}

}  // namespace slack
