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
// "U012AB3CD" -> "<@U012AB3CD>"; anything that is no user id is escaped text.
std::string Mention(std::string_view user);

// The message while it waits: blocks as a JSON array, with the buttons' values = workflow_id.
std::string ReviewBlocks(const Review& review);
std::string ReviewText(const Review& review);
// The message at the end: the outcome in place of the buttons.
std::string ClosedReviewBlocks(const Review& review, const ReviewEnd& end);
std::string ClosedReviewText(const Review& review, const ReviewEnd& end);

}  // namespace slack
