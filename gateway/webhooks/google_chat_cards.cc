#include "gateway/webhooks/google_chat_cards.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "gateway/webhooks/decisions.h"
#include "orchestrator/history/time.h"

namespace webhooks {
namespace {

namespace cv1 = ::campaign::v1;
using wire::Json;

// A message may have 32,000 bytes; these keep a card far below it.
constexpr size_t kTitleBytesMax = 200;
constexpr size_t kParagraphBytesMax = 1'200;
constexpr int kPiecesMax = 6;
constexpr int kPhaseCallsMax = 3;
constexpr size_t kCallBytesMax = 120;
constexpr size_t kFieldBytesMax = 300;
constexpr size_t kNoteBytesMax = 200;
constexpr int kNotesMax = 4;
constexpr size_t kWaitingMax = 10;
constexpr int kFindingsMax = 5;

// Text of cards is HTML of a few tags.
std::string Escaped(std::string_view text, size_t bytes_max = kParagraphBytesMax) {
  return absl::StrReplaceAll(wire::Truncate(text, bytes_max),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\n", "<br>"}});
}

Json Paragraph(const std::string& html) { return {{"textParagraph", {{"text", html}}}}; }

std::string Labeled(const std::string& label, std::string_view text,
                    size_t bytes_max = kParagraphBytesMax) {
  return absl::StrCat("<b>", label, "</b> ", Escaped(text, bytes_max));
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

Json Button(const std::string& text, const std::string& function, const Parameters& parameters,
            bool dialog = false) {
  Json list = Json::array();
  for (const auto& [key, value] : parameters) list.push_back({{"key", key}, {"value", value}});
  Json action = {{"function", function}, {"parameters", std::move(list)}};
  if (dialog) action["interaction"] = "OPEN_DIALOG";
  return {{"text", text}, {"onClick", {{"action", std::move(action)}}}};
}

void AddButtons(Json buttons, Json* widgets) {
  if (!buttons.empty()) widgets->push_back({{"buttonList", {{"buttons", std::move(buttons)}}}});
}

void AddLinks(const std::vector<ChatLink>& links, Json* widgets) {
  Json buttons = Json::array();
  for (const ChatLink& link : links) {
    if (!absl::StartsWith(link.url, "https://") && !absl::StartsWith(link.url, "http://")) continue;
    buttons.push_back({{"text", link.text}, {"onClick", {{"openLink", {{"url", link.url}}}}}});
  }
  AddButtons(std::move(buttons), widgets);
}

Json Card(const std::string& title, const std::string& subtitle, Json widgets) {
  Json header = {{"title", wire::Truncate(title, kTitleBytesMax)}};
  if (!subtitle.empty()) header["subtitle"] = wire::Truncate(subtitle, kTitleBytesMax);
  Json card = {{"header", std::move(header)}};
  if (!widgets.empty()) card["sections"] = {{{"widgets", std::move(widgets)}}};
  return card;
}

std::string Cards(Json card) {
  return wire::DumpJson(Json::array({{{"cardId", "campaign"}, {"card", std::move(card)}}}));
}

std::string List(const google::protobuf::RepeatedPtrField<std::string>& items) {
  return absl::StrJoin(items, ", ");
}

std::string CostText(const cv1::CostEstimate& cost) {
  if (!cost.price_known()) return absl::StrCat(cost.model(), ", no known price");
  return absl::StrFormat("at most %.4f USD (%s)", cost.usd_max(), cost.model());
}

std::vector<ChatLink> LinksOf(const cv1::CampaignProgress& progress) {
  return {{"Pull request", progress.github_pr_url()}, {"Dashboard", progress.dashboard_url()}};
}

void AddPieces(const cv1::CampaignProgress& progress, Json* widgets) {
  int shown = 0;
  for (const cv1::ContentPiece& piece : progress.content()) {
    if (++shown > kPiecesMax) break;
    std::string label = piece.content_id();
    for (char& c : label) c = c == '_' ? ' ' : c;
    widgets->push_back(Paragraph(Labeled(label, piece.text(), 600)));
  }
  for (int i = 0; i < progress.moderation_size() && i < kFindingsMax; ++i) {
    const cv1::ModerationFinding& finding = progress.moderation(i);
    widgets->push_back(Paragraph(
        Labeled(finding.severity() == "block" ? "Blocked" : "Warning", finding.message(), 300)));
  }
}

Json DecisionButtons(const std::string& workflow_id) {
  return Json::array({Button("Approve", kChatApprove, {{kChatWorkflowId, workflow_id}}),
                      Button("Reject", kChatReject, {{kChatWorkflowId, workflow_id}}, true)});
}

bool Waits(const cv1::CampaignProgress& progress) {
  return progress.waiting_for_approval() && !progress.has_decision();
}

}  // namespace

std::string ChatAnswer(ChatReply reply, const std::string& text, const std::string& cards) {
  Json answer = Json::object();
  if (reply == ChatReply::kUpdate) answer["actionResponse"] = {{"type", "UPDATE_MESSAGE"}};
  if (!text.empty()) answer["text"] = text;
  if (!cards.empty()) answer["cardsV2"] = wire::ParseJson(cards).value_or(Json::array());
  return wire::DumpJson(answer);
}

std::string AskReasonAnswer(const std::string& workflow_id, const std::string& problem) {
  Json widgets = Json::array();
  if (!problem.empty()) widgets.push_back(Paragraph(Escaped(problem)));
  widgets.push_back(
      {{"textInput",
        {{"name", kChatReason}, {"label", "Why is it rejected?"}, {"type", "MULTIPLE_LINE"}}}});
  AddButtons(Json::array({Button("Reject", kChatReject, {{kChatWorkflowId, workflow_id}})}),
             &widgets);
  const Json dialog = {{"body", Card("Reject the campaign", workflow_id, std::move(widgets))}};
  return wire::DumpJson(
      {{"actionResponse", {{"type", "DIALOG"}, {"dialogAction", {{"dialog", dialog}}}}}});
}

std::string HelpText() {
  return "*start a campaign about TOPIC for AUDIENCE* drafts a campaign; nothing starts before you "
         "confirm it\n"
         "*draft a post about TOPIC* the same with social posts only\n"
         "*status* lists the campaigns that wait for a decision\n"
         "*status ID* shows how a campaign is doing\n"
         "*ping* answers pong\n"
         "*help* shows this";
}

std::string WizardCards(const cv1::Wizard& wizard, const cv1::PreviewWizardResponse& preview,
                        bool details) {
  const cv1::CampaignSpec& spec = wizard.campaign();
  Json widgets = Json::array();
  widgets.push_back(Paragraph(Labeled("Goals", List(spec.campaign_goals()), kFieldBytesMax)));
  widgets.push_back(Paragraph(Labeled("Audience", spec.target_audience(), kFieldBytesMax)));
  widgets.push_back(
      Paragraph(absl::StrCat(Labeled("Channels", List(spec.channels()), kNoteBytesMax), "<br>",
                             Labeled("Research", List(spec.research_sources()), kNoteBytesMax),
                             "<br>", Labeled("Tone", spec.tone(), kNoteBytesMax), "<br>",
                             Labeled("Cost", CostText(preview.cost()), kNoteBytesMax))));
  std::string plan;
  for (const cv1::PreviewPhase& phase : preview.phases()) {
    absl::StrAppend(&plan, plan.empty() ? "" : "<br>",
                    Labeled(phase.phase(), phase.summary(), kNoteBytesMax));
    if (!details) continue;
    int calls = 0;
    for (const cv1::PlannedCall& call : phase.calls()) {
      if (++calls > kPhaseCallsMax) {
        absl::StrAppend(&plan, "<br>- and ", phase.calls_size() - kPhaseCallsMax, " more");
        break;
      }
      absl::StrAppend(&plan, "<br>- ",
                      Escaped(absl::StrCat(call.vendor(), ": ", call.action(), ", ", call.target()),
                              kCallBytesMax));
    }
  }
  if (!plan.empty()) widgets.push_back(Paragraph(plan));
  int notes = 0;
  for (const cv1::FieldViolation& violation : preview.violations()) {
    if (++notes > kNotesMax) break;
    widgets.push_back(Paragraph(
        Labeled("To be mended", absl::StrCat(violation.field(), " ", violation.description()),
                kNoteBytesMax)));
  }
  notes = 0;
  for (const cv1::PreviewWarning& warning : preview.warnings()) {
    if (++notes > kNotesMax) break;
    widgets.push_back(Paragraph(Labeled(
        "Warning", absl::StrCat(warning.subject(), " ", warning.message()), kNoteBytesMax)));
  }
  const Parameters parameters = {{kChatWizardId, wizard.wizard_id()}, {kChatEtag, wizard.etag()}};
  Json buttons = Json::array();
  buttons.push_back(Button("Start it", kChatConfirm, parameters));
  if (!details) buttons.push_back(Button("Preview", kChatPreview, parameters));
  buttons.push_back(Button("Discard", kChatCancel, parameters));
  AddButtons(std::move(buttons), &widgets);
  return Cards(
      Card(absl::StrCat("Draft: ", spec.campaign_name()), wizard.wizard_id(), std::move(widgets)));
}

std::string NoticeCards(const std::string& title, const std::string& subtitle,
                        const std::vector<std::string>& paragraphs,
                        const std::vector<ChatLink>& links) {
  Json widgets = Json::array();
  for (const std::string& text : paragraphs) {
    if (!text.empty()) widgets.push_back(Paragraph(Escaped(text)));
  }
  AddLinks(links, &widgets);
  return Cards(Card(title, subtitle, std::move(widgets)));
}

std::string ReviewCards(const cv1::CampaignProgress& progress) {
  Json widgets = Json::array();
  AddPieces(progress, &widgets);
  AddLinks(LinksOf(progress), &widgets);
  AddButtons(DecisionButtons(progress.workflow_id()), &widgets);
  return Cards(Card(absl::StrCat("Review: ", progress.campaign_name()), progress.workflow_id(),
                    std::move(widgets)));
}

std::string ClosedReviewCards(const cv1::CampaignProgress& progress, const std::string& note) {
  std::string outcome = progress.has_decision()
                            ? absl::StrCat("The campaign was ", DecisionText(progress.decision()))
                            : absl::StrCat("It is over: ", progress.message());
  return NoticeCards(absl::StrCat("Review: ", progress.campaign_name()), progress.workflow_id(),
                     {note, std::move(outcome)}, LinksOf(progress));
}

std::string WaitingCards(const WaitingCampaigns& found) {
  const std::vector<cv1::CampaignProgress>& waiting = found.campaigns;
  Json widgets = Json::array();
  if (waiting.empty()) widgets.push_back(Paragraph("No campaign waits for a decision."));
  for (size_t i = 0; i < waiting.size() && i < kWaitingMax; ++i) {
    const std::string& id = waiting[i].workflow_id();
    widgets.push_back(Paragraph(
        absl::StrCat("<b>", Escaped(waiting[i].campaign_name(), 200), "</b><br>", Escaped(id))));
    AddButtons(Json::array({Button("Show", kChatStatus, {{kChatWorkflowId, id}})}), &widgets);
  }
  if (waiting.size() > kWaitingMax) {
    widgets.push_back(Paragraph(absl::StrCat("and ", waiting.size() - kWaitingMax, " more")));
  }
  if (found.cut) widgets.push_back(Paragraph(kWaitingCut));
  return Cards(Card("Waiting for a decision", "", std::move(widgets)));
}

std::string StatusCards(const cv1::CampaignProgress& progress) {
  if (Waits(progress)) return ReviewCards(progress);
  return NoticeCards(progress.campaign_name(), progress.workflow_id(), {ProgressText(progress)},
                     LinksOf(progress));
}

std::string DoneCards(const cv1::CampaignProgress& progress, const cv1::CampaignResult& result) {
  std::vector<ChatLink> links = LinksOf(progress);
  for (const auto& [channel, url] : result.channel_urls()) links.push_back({channel, url});
  std::vector<std::string> paragraphs;
  if (!result.published_channels().empty()) {
    paragraphs.push_back(absl::StrCat("Published: ", List(result.published_channels())));
  } else if (!progress.message().empty()) {
    paragraphs.push_back(progress.message());
  }
  if (progress.has_decision()) {
    paragraphs.push_back(absl::StrCat("It was ", DecisionText(progress.decision())));
  }
  for (const std::string& warning : result.warnings()) {
    paragraphs.push_back(absl::StrCat("Warning: ", warning));
    if (paragraphs.size() > 10) break;
  }
  return NoticeCards(absl::StrCat(progress.campaign_name(), ": ", progress.status()),
                     progress.workflow_id(), paragraphs, links);
}

}  // namespace webhooks
