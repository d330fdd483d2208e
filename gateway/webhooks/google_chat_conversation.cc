#include "gateway/webhooks/google_chat_conversation.h"

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "activities/campaign/names.h"
#include "activities/connectors/wire/uuid.h"
#include "gateway/grpc/guarded.h"
#include "gateway/grpc/ids.h"
#include "gateway/grpc/start_outcome.h"
#include "gateway/json/field_violations.h"
#include "gateway/webhooks/answers.h"
#include "gateway/webhooks/google_chat.h"
#include "gateway/webhooks/google_chat_cards.h"
#include "orchestrator/base/log.h"

namespace webhooks {
namespace {

namespace cv1 = ::campaign::v1;
using Kind = ChatCommand::Kind;

constexpr int kListed = 20;
constexpr size_t kNameCharactersMax = 200;
constexpr char kNoEditor[] =
    "Sorry, you may look, but not start or discard campaigns. Ask whoever runs campaigns here to "
    "make you an editor.";
constexpr char kNoApprover[] = "Sorry, you may not decide on campaigns.";

class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(ConversationParts parts, ChatEvent event, gateway::CallInfo call, bool may_decide,
               gateway::RawDone done)
      : p_(parts),
        event_(std::move(event)),
        call_(std::move(call)),
        may_decide_(may_decide),
        done_(std::move(done)) {}

  void Run() {
    Hurry();
    if (event_.type == ChatEvent::Type::kAdded) return Text(HelpText());
    if (event_.type == ChatEvent::Type::kMessage) return Message();
    Click();
  }

 private:
  using Self = std::shared_ptr<Conversation>;

  // What is not answered by then is said later.
  void Hurry() {
    p_.loop.Post([self = shared_from_this(), &loop = p_.loop] {
      loop.PostAfter(self->p_.options.answer_within, [self] {
        if (self->answered_.exchange(true)) return;
        self->done_(JsonAnswer(
            200, ChatAnswer(ChatReply::kNew, "I am working on it; the answer comes here.", "")));
      });
    });
  }
  void Answer(ChatReply reply, const std::string& text, const std::string& cards) {
    if (!answered_.exchange(true)) {
      return done_(JsonAnswer(200, ChatAnswer(reply, text, cards)));
    }
    p_.notifier.Say({.request_id = wire::UuidOf(absl::StrCat("late/", EventKey())),
                     .workflow_id = Parameter(kChatWorkflowId),
                     .space = event_.space,
                     .thread = event_.thread,
                     .text = text,
                     .cards = cards});
  }
  void Text(const std::string& text) { Answer(ChatReply::kNew, text, ""); }
  void Update(const std::string& cards) { Answer(ChatReply::kUpdate, "", cards); }
  // What the status says, for people.
  void Problem(const absl::Status& status) {
    const auto violations = gateway::ViolationsOf(status);
    if (violations.empty()) return Text(std::string(status.message()));
    std::string text = "That does not work yet:";
    for (const auto& violation : violations) {
      absl::StrAppend(&text, "\n- ", violation.field, " ", violation.description);
    }
    Text(text);
  }

  std::string Parameter(const char* name) const {
    const auto found = event_.parameters.find(name);
    return found == event_.parameters.end() ? "" : found->second;
  }
  // The same for the same event, however often it is sent.
  std::string EventKey() const {
    return absl::StrCat(event_.message, "/", event_.email, "/", event_.function, "/", event_.time);
  }
  bool IsEditor() const { return call_.caller.role >= auth::Role::kEditor; }

  void Message();
  void Click();
  void Status(const std::string& workflow_id);
  void Draft(const ChatCommand& command);
  void ShowWizard(const std::string& wizard_id, ChatReply reply, bool details);
  void ShowWizard(cv1::Wizard wizard, ChatReply reply, bool details);
  void Confirm();
  void Approve(ChatWatch watch);
  void Cancel();
  void Decide(Verdict verdict);
  void Decided(Verdict verdict, DecisionAnswer answer);

  const ConversationParts p_;
  const ChatEvent event_;
  const gateway::CallInfo call_;
  const bool may_decide_;
  gateway::RawDone done_;
  std::atomic<bool> answered_ = false;
};

void Conversation::Message() {
  const ChatCommand command = ReadChatCommand(event_.text);
  switch (command.kind) {
    case Kind::kPing:
      return Text("pong");
    case Kind::kHelp:
      return Text(HelpText());
    case Kind::kStatus:
      return Status(command.id);
    case Kind::kStart:
    case Kind::kPost:
      if (!IsEditor()) return Text(kNoEditor);
      if (!command.problem.empty()) return Text(command.problem);
      return Draft(command);
    case Kind::kUnknown:
      break;
  }
  Text(absl::StrCat("I did not understand that.\n", HelpText()));
}

void Conversation::Click() {
  const std::string& function = event_.function;
  if (function == kChatStatus) return Status(Parameter(kChatWorkflowId));
  if (function == kChatPreview) {
    return ShowWizard(Parameter(kChatWizardId), ChatReply::kUpdate, true);
  }
  if (function == kChatConfirm || function == kChatCancel) {
    if (!IsEditor()) return Text(kNoEditor);
    return function == kChatConfirm ? Confirm() : Cancel();
  }
  if (function == kChatApprove || function == kChatReject) {
    if (!may_decide_) return Text(kNoApprover);
    return Decide(function == kChatApprove ? Verdict::kApprove : Verdict::kReject);
  }
  Text("That button does nothing any more.");
}

void Conversation::Status(const std::string& workflow_id) {
  const Self self = shared_from_this();
  if (workflow_id.empty()) {
    return p_.decisions.ListWaiting(call_.ns, kListed,
                                    [self](absl::StatusOr<WaitingCampaigns> waiting) {
                                      if (!waiting.ok()) return self->Problem(waiting.status());
                                      self->Answer(ChatReply::kNew, "", WaitingCards(*waiting));
                                    });
  }
  p_.decisions.GetProgress(call_.ns, workflow_id,
                           [self](absl::StatusOr<cv1::CampaignProgress> progress) {
                             if (!progress.ok()) return self->Problem(progress.status());
                             self->Answer(ChatReply::kNew, "", StatusCards(*progress));
                           });
}

void Conversation::Draft(const ChatCommand& command) {
  cv1::CreateWizardRequest request;
  cv1::CampaignSpec& spec = *request.mutable_campaign();
  spec.set_campaign_name(campaign::CleanLine(command.topic, kNameCharactersMax));
  spec.add_campaign_goals(absl::StrCat("Interest people in: ", command.topic));
  if (spec.campaign_goals(0).size() > 480) spec.set_campaign_goals(0, command.topic);
  spec.set_target_audience(command.audience.empty() ? "people who may care about it"
                                                    : command.audience);
  if (command.kind == Kind::kPost) {
    spec.add_channels("social");
  } else {
    spec.mutable_channels()->Assign(p_.options.channels.begin(), p_.options.channels.end());
  }
  spec.mutable_research_sources()->Assign(p_.options.research_sources.begin(),
                                          p_.options.research_sources.end());
  spec.set_tone(p_.options.tone);
  // A message that is sent again makes no second draft.
  request.set_request_id(absl::StrCat("google-chat-", gateway::HashHex(EventKey())));
  gateway::Guarded<gateway::CampaignServiceImpl, cv1::CreateWizardRequest, cv1::Wizard>(
      p_.guard, "campaign.v1.CampaignService.CreateWizard", p_.campaigns,
      &gateway::CampaignServiceImpl::CreateWizard, call_, std::move(request),
      [self = shared_from_this()](absl::StatusOr<cv1::Wizard> wizard) {
        if (!wizard.ok()) return self->Problem(wizard.status());
        self->ShowWizard(*std::move(wizard), ChatReply::kNew, false);
      });
}

void Conversation::ShowWizard(const std::string& wizard_id, ChatReply reply, bool details) {
  cv1::GetWizardRequest get;
  get.set_wizard_id(wizard_id);
  p_.campaigns.GetWizard(
      call_, std::move(get),
      [self = shared_from_this(), reply, details](absl::StatusOr<cv1::Wizard> wizard) {
        if (absl::IsNotFound(wizard.status())) {
          return self->Update(NoticeCards("Draft", "", {"It was discarded."}));
        }
        if (!wizard.ok()) return self->Problem(wizard.status());
        self->ShowWizard(*std::move(wizard), reply, details);
      });
}

void Conversation::ShowWizard(cv1::Wizard wizard, ChatReply reply, bool details) {
  if (wizard.status() == gateway::kWizardApproved) {
    return Answer(reply, "",
                  NoticeCards(wizard.campaign().campaign_name(), wizard.workflow_id(),
                              {absl::StrCat("It was started by ", wizard.approved_by(), ".")}));
  }
  cv1::PreviewWizardRequest look;
  look.set_wizard_id(wizard.wizard_id());
  p_.campaigns.PreviewWizard(call_, std::move(look),
                             [self = shared_from_this(), wizard = std::move(wizard), reply,
                              details](absl::StatusOr<cv1::PreviewWizardResponse> preview) {
                               if (!preview.ok()) return self->Problem(preview.status());
                               self->Answer(reply, "", WizardCards(wizard, *preview, details));
                             });
}

void Conversation::Confirm() {
  ChatWatch watch{.ns = call_.ns,
                  .workflow_id = absl::StrCat("campaign-", Parameter(kChatWizardId)),
                  .space = event_.space,
                  .thread = event_.thread};
  // First the promise to tell how it goes, so that no crash forgets it.
  p_.notifier.Watch(watch, [self = shared_from_this(), watch](absl::Status promised) {
    if (!promised.ok()) return self->Problem(promised);
    self->Approve(watch);
  });
}

void Conversation::Approve(ChatWatch watch) {
  cv1::ApproveWizardRequest approve;
  approve.set_wizard_id(Parameter(kChatWizardId));
  approve.set_etag(Parameter(kChatEtag));
  gateway::Guarded<gateway::CampaignServiceImpl, cv1::ApproveWizardRequest, cv1::CampaignStarted>(
      p_.guard, "campaign.v1.CampaignService.ApproveWizard", p_.campaigns,
      &gateway::CampaignServiceImpl::ApproveWizard, call_, std::move(approve),
      [self = shared_from_this(), watch](absl::StatusOr<cv1::CampaignStarted> started) {
        if (started.ok()) {
          return self->Update(NoticeCards(
              "The campaign is started", started->workflow_id(),
              {absl::StrCat(
                  self->event_.name.empty() ? self->call_.caller.identity : self->event_.name,
                  " started it. I will write here when it waits for its review and when "
                  "it has ended.")}));
        }
        const absl::Status& status = started.status();
        // ABORTED: the draft was changed since its card was made.
        const bool still_a_draft = absl::IsAborted(status) || gateway::StartHadNoEffect(status);
        if (still_a_draft) self->p_.notifier.Forget(watch);
        if (absl::IsAborted(status) || absl::IsNotFound(status)) {  // changed or gone: as it is now
          return self->ShowWizard(self->Parameter(kChatWizardId), ChatReply::kUpdate, false);
        }
        self->Problem(status);
      });
}

void Conversation::Cancel() {
  cv1::DeleteWizardRequest remove;
  remove.set_wizard_id(Parameter(kChatWizardId));
  remove.set_etag(Parameter(kChatEtag));
  gateway::Guarded<gateway::CampaignServiceImpl, cv1::DeleteWizardRequest,
                   cv1::DeleteWizardResponse>(
      p_.guard, "campaign.v1.CampaignService.DeleteWizard", p_.campaigns,
      &gateway::CampaignServiceImpl::DeleteWizard, call_, std::move(remove),
      [self = shared_from_this()](absl::StatusOr<cv1::DeleteWizardResponse> removed) {
        if (removed.ok()) {
          return self->Update(NoticeCards("Draft discarded", removed->wizard_id(),
                                          {absl::StrCat("by ", self->call_.caller.identity)}));
        }
        if (absl::IsAborted(removed.status()) || absl::IsNotFound(removed.status())) {
          return self->ShowWizard(self->Parameter(kChatWizardId), ChatReply::kUpdate, false);
        }
        self->Problem(removed.status());
      });
}

void Conversation::Decide(Verdict verdict) {
  const std::string workflow_id = Parameter(kChatWorkflowId);
  const auto input = event_.inputs.find(kChatReason);
  const std::string reason =
      input == event_.inputs.end() ? "" : campaign::CleanText(input->second, 2000);
  if (verdict == Verdict::kReject && reason.empty()) {
    if (answered_.exchange(true)) return;
    const bool sent_empty = event_.dialog && input != event_.inputs.end();
    return done_(
        JsonAnswer(200, AskReasonAnswer(workflow_id, sent_empty ? "Please say why." : "")));
  }
  p_.decisions.Decide({.ns = call_.ns,
                       .workflow_id = workflow_id,
                       .verdict = verdict,
                       .who = call_.caller.identity,
                       .via = kGoogleChatSource,
                       .comment = reason,
                       .key = gateway::HashHex(EventKey())},
                      [self = shared_from_this(), verdict](DecisionAnswer answer) {
                        self->Decided(verdict, std::move(answer));
                      });
}

void Conversation::Decided(Verdict verdict, DecisionAnswer answer) {
  if (answer.outcome == DecisionAnswer::Outcome::kRefused) return Text(answer.text);
  if (answer.outcome == DecisionAnswer::Outcome::kTryAgain) {
    return Text(
        absl::StrCat("That did not work just now, please press again. (", answer.text, ")"));
  }
  // In place of the buttons; who comes too late reads there who decided and when.
  const std::string note = answer.decided()               ? ""
                           : verdict == Verdict::kApprove ? "Your approval came too late."
                                                          : "Your rejection came too late.";
  p_.decisions.GetProgress(call_.ns, Parameter(kChatWorkflowId),
                           [self = shared_from_this(), note, answer = std::move(answer)](
                               absl::StatusOr<cv1::CampaignProgress> progress) {
                             if (!progress.ok()) return self->Text(answer.text);
                             *progress->mutable_decision() = answer.decision;
                             self->Update(ClosedReviewCards(*progress, note));
                           });
}

}  // namespace

void Converse(ConversationParts parts, ChatEvent event, gateway::CallInfo call, bool may_decide,
              gateway::RawDone done) {
  std::make_shared<Conversation>(parts, std::move(event), std::move(call), may_decide,
                                 std::move(done))
      ->Run();
}

}  // namespace webhooks
