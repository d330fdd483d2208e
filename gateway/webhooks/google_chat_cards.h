// What people see in Google Chat: cards (JSON arrays of cardsV2), dialogs, and the answers to
// events that hold them. All texts given in are plain. Pure; thread-safe.
//
// Example:
//   done(JsonAnswer(200, ChatAnswer(ChatReply::kNew, "", WizardCards(wizard, preview, false))));
#pragma once

#include <string>
#include <vector>

#include "campaign/v1/campaign.pb.h"
#include "campaign/v1/service.pb.h"
#include "gateway/webhooks/decisions.h"

namespace webhooks {

// Functions of the buttons.
inline constexpr char kChatConfirm[] = "wizard_confirm";
inline constexpr char kChatCancel[] = "wizard_cancel";
inline constexpr char kChatPreview[] = "wizard_preview";
inline constexpr char kChatApprove[] = "campaign_approve";
inline constexpr char kChatReject[] = "campaign_reject";
inline constexpr char kChatStatus[] = "campaign_status";
// Their parameters, and the field of the dialog.
inline constexpr char kChatWizardId[] = "wizard_id";
inline constexpr char kChatEtag[] = "etag";
inline constexpr char kChatWorkflowId[] = "workflow_id";
inline constexpr char kChatReason[] = "reason";

enum class ChatReply {
  kNew,     // a message of its own
  kUpdate,  // in place of the card that was clicked
};

// The answer to an event. `cards` may be empty.
std::string ChatAnswer(ChatReply reply, const std::string& text, const std::string& cards);
// Opens the dialog that asks why a campaign is rejected.
std::string AskReasonAnswer(const std::string& workflow_id, const std::string& problem);

std::string HelpText();
// A draft with what it would do and cost; with `details` every call.
std::string WizardCards(const campaign::v1::Wizard& wizard,
                        const campaign::v1::PreviewWizardResponse& preview, bool details);
struct ChatLink {
  std::string text;
  std::string url;  // http and https only; another one is left out
};
// A card without buttons but links.
std::string NoticeCards(const std::string& title, const std::string& subtitle,
                        const std::vector<std::string>& paragraphs,
                        const std::vector<ChatLink>& links = {});
// A campaign under review, with buttons to approve and to reject.
std::string ReviewCards(const campaign::v1::CampaignProgress& progress);
// The same when it is decided or over: what came of it in place of the buttons. `note` comes first.
std::string ClosedReviewCards(const campaign::v1::CampaignProgress& progress,
                              const std::string& note);
// Campaigns that wait, each with a button that shows it.
std::string WaitingCards(const WaitingCampaigns& waiting);
// How a campaign is doing; with the buttons while it waits.
std::string StatusCards(const campaign::v1::CampaignProgress& progress);
// A campaign that has ended. `result` is default when there is none.
std::string DoneCards(const campaign::v1::CampaignProgress& progress,
                      const campaign::v1::CampaignResult& result);

}  // namespace webhooks
