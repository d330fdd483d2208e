// The Slack message of a campaign under review: what is to be approved, a link to the pull
// request, buttons to approve and to reject, and the reviewers by name.
//
// Thread-safety: free functions on values. All texts given in are plain: they are escaped here.
//
// Example:
//   slack::Review review{.workflow_id = id, .campaign_name = "Spring", .pr_url = pr.url,
//                        .reviewers = {"U012AB3CD"}};
//   message.text = slack::ReviewText(review);
//   message.blocks_json = slack::ReviewBlocks(review);
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slack {

inline constexpr std::string_view kApproveAction = "campaign_approve";
inline constexpr std::string_view kRejectAction = "campaign_reject";
inline constexpr std::string_view kReasonDialog = "campaign_reject_reason";
// How the identity of somebody who decided in Slack begins.
inline constexpr std::string_view kIdentityPrefix = "slack:";

struct Review {
  std::string workflow_id;
  std::string campaign_name;
  std::string summary;                                       // a line or two; may be empty
  std::vector<std::pair<std::string, std::string>> content;  // title and text of each piece
  std::string pr_url;
  std::vector<std::string> reviewers;  // Slack user ids
};

// How the review ended, for the message's last state.
struct ReviewEnd {
  std::string outcome;     // approved, rejected, withdrawn
  std::string decided_by;  // a Slack user id or a name; may be empty
  std::string reason;      // may be empty
};

// `&`, `<` and `>` as Slack's mrkdwn wants them; nothing in the text can mention or link.
std::string EscapeMrkdwn(std::string_view text);
// "U012AB3CD" and "slack:U012AB3CD (ann)" -> "<@U012AB3CD>"; anything else is escaped text.
std::string Mention(std::string_view user);

// The dialog that asks for the reason of a rejection, as a view; `metadata` comes back with it.
std::string ReasonDialog(std::string_view campaign_name, std::string_view metadata);
// What was typed into it: the "state" of a view_submission's view, as JSON.
std::string ReasonOf(std::string_view view_state_json);

// The message while it waits: blocks as a JSON array, with the buttons' values = workflow_id.
std::string ReviewBlocks(const Review& review);
std::string ReviewText(const Review& review);
// The message at the end: the outcome in place of the buttons.
std::string ClosedReviewBlocks(const Review& review, const ReviewEnd& end);
std::string ClosedReviewText(const Review& review, const ReviewEnd& end);

}  // namespace slack
