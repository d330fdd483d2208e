// What reviewers read: the pull request, its files, and the Slack message. Pure; thread-safe.
//
// Example:
//   for (const github::File& file : ReviewFiles(input, "campaigns")) ...
//   std::string body = PullRequestBody(input);
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "activities/campaign/pieces.h"
#include "activities/connectors/github/github_client.h"
#include "activities/connectors/slack/review_message.h"
#include "campaign/v1/activities.pb.h"

namespace campaign {

// How the reason of a rejected campaign's undo begins; its other undos are withdrawals.
inline constexpr char kRejectedBy[] = "rejected by ";
// Marks the closing comment, so that there is one.
inline constexpr char kClosingCommentMarker[] = "campaign-end";

// People's words on one line of Markdown: no markup, and nobody is mentioned.
std::string EscapeMarkdown(absl::string_view text);

// README.md (the brief and the images) and one file a piece, in <content_dir>/<workflow>/.
std::vector<github::File> ReviewFiles(const std::string& workflow_id, const v1::CampaignSpec& spec,
                                      const Pieces& pieces, const Assets& assets,
                                      const std::string& content_dir);

std::string CommitMessage(const v1::CampaignSpec& spec);
std::string PullRequestTitle(const v1::CampaignSpec& spec);
// The brief, the content and how to decide. Ends in a comment that names the workflow.
std::string PullRequestBody(const std::string& workflow_id, const v1::CampaignSpec& spec,
                            const Pieces& pieces, const Assets& assets,
                            const Moderation& moderation = {});
// "approved" with the decision, or "withdrawn"/"rejected" with the reason.
std::string ClosingComment(const std::string& outcome, const v1::ApprovalDecision& decision,
                           const std::string& reason);

// A reminder in the pull request, and in the thread of the Slack message (escaped mrkdwn).
std::string ReminderComment(const v1::RemindReviewInput& input, absl::Time now);
std::string SlackReminder(const v1::RemindReviewInput& input, absl::Time now);

// The Slack message's contents.
slack::Review SlackReview(const std::string& workflow_id, const v1::CampaignSpec& spec,
                          const Pieces& pieces, const std::string& pr_url,
                          const Moderation& moderation = {});

}  // namespace campaign
