#include "gateway/webhooks/slack_hooks.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/names.h"
#include "activities/campaign/schedule.h"
#include "activities/connectors/slack/review_message.h"
#include "activities/connectors/wire/json.h"
#include "gateway/rest/url.h"
#include "gateway/webhooks/answers.h"
#include "gateway/webhooks/approvers.h"
#include "gateway/webhooks/decision_tasks.h"
#include "gateway/webhooks/show_decision.h"
#include "orchestrator/base/log.h"
#include "orchestrator/history/time.h"

namespace webhooks {
namespace {

namespace cv1 = ::campaign::v1;
using wire::Json;
using Note = base::Outcome<std::string>;

constexpr size_t kIdBytesMax = 200;
// After this long Slack opens no dialog for a press.
constexpr absl::Duration kTriggerLife = absl::Seconds(3);
constexpr absl::Duration kPatience = absl::Minutes(2);  // of one try
constexpr char kPressAgain[] =
    "The dialog could not be opened in time. Please press *Reject* again.";

// The action that is ours among those of a block_actions payload; null: none.
const Json* OurAction(const Json& payload) {
  const Json& actions = wire::At(payload, "actions");
  if (!actions.is_array()) return nullptr;
  for (const Json& action : actions) {
    const std::string id = wire::StringAt(action, "action_id");
    if (id == slack::kApproveAction || id == slack::kRejectAction) return &action;
  }
  return nullptr;
}

bool IsReasonDialog(const Json& payload) {
  return wire::StringAt(payload, "type") == "view_submission" &&
         wire::StringAt(wire::At(payload, "view"), "callback_id") == slack::kReasonDialog;
}

std::string Joined(std::initializer_list<std::string> parts) {
  std::string id = absl::StrJoin(parts, "/");
  return id.size() <= kIdBytesMax ? id : Sha256Hex(id);
}

// What makes one press this press, however often it is sent.
std::string IdOf(const Json& payload) {
  if (IsReasonDialog(payload)) {
    return Joined({"dialog", wire::StringAt(wire::At(payload, "view"), "id")});
  }
  const Json* action = OurAction(payload);
  if (action == nullptr) return "";
  return Joined({wire::StringAt(wire::At(payload, "user"), "id"),
                 wire::StringAt(*action, "action_id"),
                 wire::StringAt(wire::At(payload, "container"), "message_ts"),
                 wire::StringAt(*action, "action_ts")});
}

std::string UserName(const Json& user) {
  const std::string name = wire::StringAt(user, "username");
  return name.empty() ? wire::StringAt(user, "name") : name;
}

std::string Lower(absl::string_view text) { return absl::AsciiStrToLower(text); }

std::string Escaped(const std::string& text) { return slack::EscapeMrkdwn(text); }

std::string EphemeralJson(const std::string& mrkdwn) {
  return wire::DumpJson({{"response_type", "ephemeral"}, {"text", mrkdwn}});
}

constexpr char kHelp[] =
    "`/campaign status` lists the campaigns that wait for a decision\n"
    "`/campaign status ID` shows how a campaign is doing\n"
    "`/campaign help` shows this\n"
    "Campaigns are approved and rejected with the buttons of their message.";

// An answer that is given once: by the look-up, or when it takes too long.
struct OneAnswer {
  explicit OneAnswer(gateway::RawDone to) : done(std::move(to)) {}
  void Give(const std::string& mrkdwn) {
    if (!given.exchange(true)) done(JsonAnswer(200, EphemeralJson(mrkdwn)));
  }
  std::atomic<bool> given = false;
  gateway::RawDone done;
};
constexpr absl::Duration kCommandPatience = absl::Milliseconds(2500);  // Slack's is 3 s

std::string WaitingText(const WaitingCampaigns& found) {
  const std::vector<cv1::CampaignProgress>& waiting = found.campaigns;
  std::string text = waiting.empty() ? "No campaign waits for a decision."
                     : waiting.size() == 1
                         ? "One campaign waits for a decision:"
                         : absl::StrCat(waiting.size(), " campaigns wait for a decision:");
  for (const cv1::CampaignProgress& progress : waiting) {
    absl::StrAppend(&text, "\n• *", Escaped(progress.campaign_name()), "* (`",
                    Escaped(progress.workflow_id()), "`)");
    if (absl::StartsWith(progress.github_pr_url(), "http")) {
      absl::StrAppend(&text, " ", Escaped(progress.github_pr_url()));
    }
  }
  if (found.cut) absl::StrAppend(&text, "\n", kWaitingCut);
  return text;
}

}  // namespace

bool SlackHooks::Check(const gateway::RawRequest& request, gateway::RawDone& done) const {
  const std::string secret = options_.signing_secret.value();
  if (secret.empty()) {
    done(NotSetUp("Slack", "webhooks.slack.signing_secret"));
    return false;
  }
  const SignatureCheck check = CheckSlackSignature(
      secret, request.http.Header("x-slack-request-timestamp"), request.http.body,
      request.http.Header("x-slack-signature"), p_.clock.Now());
  if (check == SignatureCheck::kGood) return true;
  done(RefuseSignature(p_.metrics, kSlackSource, check));
  return false;
}

void SlackHooks::Interaction(gateway::RawRequest request, gateway::RawDone done) {
  if (!Check(request, done)) return;
  const auto fields = gateway::ParseQuery(request.http.body);
  std::string text;
  if (fields.has_value()) {
    for (const auto& [name, value] : *fields) {
      if (name == "payload") text = value;
    }
  }
  const std::optional<Json> payload = wire::ParseJson(text);
  if (!payload.has_value() || !payload->is_object()) {
    CountRequest(p_.metrics, kSlackSource, "malformed");
    return done(ErrorAnswer(400, "the form needs a field payload with a JSON object"));
  }
  const bool dialog = IsReasonDialog(*payload);
  if (!dialog && OurAction(*payload) == nullptr) {  // a link, a dialog that was closed
    CountRequest(p_.metrics, kSlackSource, "ignored");
    return done(EmptyAnswer());
  }
  if (dialog) {
    const Json& state = wire::At(wire::At(*payload, "view"), "state");
    if (campaign::CleanText(slack::ReasonOf(wire::DumpJson(state)), 10).empty()) {
      CountRequest(p_.metrics, kSlackSource, "answered");
      return done(JsonAnswer(200, wire::DumpJson({{"response_action", "errors"},
                                                  {"errors", {{"reason", "Please say why."}}}})));
    }
  }
  Delivery delivery{.source = kSlackSource,
                    .id = IdOf(*payload),
                    .digest = Sha256Hex(request.http.body),
                    .body = std::move(text)};
  p_.inbox.Accept(std::move(delivery),
                  [this, done = std::move(done)](absl::StatusOr<bool> is_new) mutable {
                    if (!is_new.ok()) {
                      CountRequest(p_.metrics, kSlackSource, "busy");
                      return done(TryAgainAnswer(std::string(is_new.status().message())));
                    }
                    CountRequest(p_.metrics, kSlackSource, *is_new ? "accepted" : "repeated");
                    done(EmptyAnswer());
                  });
}

void SlackHooks::Command(gateway::RawRequest request, gateway::RawDone done) {
  if (!Check(request, done)) return;
  const auto fields = gateway::ParseQuery(request.http.body);
  if (!fields.has_value()) {
    CountRequest(p_.metrics, kSlackSource, "malformed");
    return done(ErrorAnswer(400, "the body must be a form"));
  }
  CountRequest(p_.metrics, kSlackSource, "answered");
  std::string text;
  for (const auto& [name, value] : *fields) {
    if (name == "ssl_check" && value == "1") return done(EmptyAnswer());
    if (name == "text") text = std::string(absl::StripAsciiWhitespace(value));
  }
  const std::string verb = Lower(text.substr(0, text.find(' ')));
  const size_t space = text.find(' ');
  const std::string id(
      space == text.npos ? "" : absl::StripAsciiWhitespace(absl::string_view(text).substr(space)));
  if (verb != "status" || id.size() > kIdBytesMax) {
    return done(JsonAnswer(200, EphemeralJson(kHelp)));
  }
  const auto answer = std::make_shared<OneAnswer>(std::move(done));
  p_.loop.Post([loop = &p_.loop, answer] {
    loop->PostAfter(kCommandPatience, [answer] {
      answer->Give("The look-up takes too long just now. Please try again.");
    });
  });
  if (id.empty()) {
    return p_.decisions.ListWaiting(
        auth::kDefaultNamespace, 20, [answer](absl::StatusOr<WaitingCampaigns> waiting) {
          answer->Give(waiting.ok() ? WaitingText(*waiting)
                                    : Escaped(std::string(waiting.status().message())));
        });
  }
  p_.decisions.GetProgress(
      auth::kDefaultNamespace, id, [answer](absl::StatusOr<cv1::CampaignProgress> progress) {
        answer->Give(Escaped(progress.ok() ? ProgressText(*progress)
                                           : std::string(progress.status().message())));
      });
}

std::optional<SlackHooks::Press> SlackHooks::ReadPress(const Delivery& delivery) {
  const std::optional<Json> payload = wire::ParseJson(delivery.body);
  if (!payload.has_value()) return std::nullopt;
  const Json& user = wire::At(*payload, "user");
  Press press{.delivery_id = delivery.id,
              .user_id = wire::StringAt(user, "id"),
              .user_name = UserName(user),
              .trigger_id = wire::StringAt(*payload, "trigger_id"),
              .at = delivery.received_at};
  if (IsReasonDialog(*payload)) {
    const Json& view = wire::At(*payload, "view");
    const Json metadata =
        wire::ParseJson(wire::StringAt(view, "private_metadata")).value_or(Json());
    press.from_dialog = true;
    press.key = wire::StringAt(metadata, "key");
    press.channel = wire::StringAt(metadata, "channel");
    press.message_ts = wire::StringAt(metadata, "ts");
    press.reason = slack::ReasonOf(wire::DumpJson(wire::At(view, "state")));
  } else {
    const Json* action = OurAction(*payload);
    if (action == nullptr) return std::nullopt;
    const Json& container = wire::At(*payload, "container");
    press.approve = wire::StringAt(*action, "action_id") == slack::kApproveAction;
    press.key = wire::StringAt(*action, "value");
    press.channel = wire::StringAt(container, "channel_id");
    if (press.channel.empty()) press.channel = wire::StringAt(wire::At(*payload, "channel"), "id");
    press.message_ts = wire::StringAt(container, "message_ts");
    if (press.message_ts.empty()) {
      press.message_ts = wire::StringAt(wire::At(*payload, "message"), "ts");
    }
    press.response_url = wire::StringAt(*payload, "response_url");
  }
  if (press.key.empty() || press.user_id.empty()) return std::nullopt;
  return press;
}

base::Task<Note> SlackHooks::Work(Delivery delivery, base::CancelToken cancel) {
  std::optional<Press> press = ReadPress(delivery);
  if (!press.has_value()) co_return std::string("nothing to decide in it");
  const outbound::CallContext call{.workflow_id = press->key,
                                   .activity_name = "webhook",
                                   .idempotency_key = absl::StrCat("slack/", delivery.id),
                                   .deadline = p_.clock.Now() + kPatience,
                                   .cancel = std::move(cancel)};
  const auto [ns, workflow_id] = campaign::SplitCampaignKey(press->key);
  absl::StatusOr<cv1::CampaignProgress> progress =
      co_await GetProgress(p_.loop, p_.decisions, ns, workflow_id);
  if (absl::IsNotFound(progress.status())) {
    Note told = co_await Tell(*press, Escaped(std::string(progress.status().message())),
                              "no such campaign", call);
    co_return told;
  }
  if (!progress.ok()) co_return FailureOf(progress.status());
  Note refusal = co_await WhyNot(*press, *progress, call);
  if (!refusal.ok()) co_return refusal;
  if (!refusal->empty()) {
    base::Log(base::LogLevel::kInfo, "somebody who may not decide pressed a button",
              {.workflow_id = workflow_id}, {{"source", kSlackSource}, {"user", press->user_id}});
    Note told = co_await Tell(*press, *refusal, "may not decide", call);
    co_return told;
  }
  const bool ask = !press->approve && !press->from_dialog && !progress->has_decision();
  if (ask) {
    Note asked = co_await AskWhy(*press, *progress, call);
    co_return asked;
  }
  Note decided = co_await DecideFor(*press, *progress, call);
  co_return decided;
}

// "" when the user may decide, else why not.
base::Task<Note> SlackHooks::WhyNot(Press press, cv1::CampaignProgress progress,
                                    outbound::CallContext call) const {
  const auto& reviewers = progress.reviewers();
  const auto& approvers = options_.approvers;
  if (std::find(reviewers.begin(), reviewers.end(), press.user_id) != reviewers.end() ||
      IsApprover(approvers, press.user_id, "")) {
    co_return std::string();
  }
  if (HasAddresses(approvers) || options_.may_by_role) {
    base::Outcome<slack::User> user = co_await p_.slack.GetUser(press.user_id, call);
    if (!user.ok() && user.failure().retryable) co_return user.failure();
    const std::string ns = campaign::SplitCampaignKey(press.key).first;
    if (!user.ok()) {
      base::Log(base::LogLevel::kWarning, "a Slack user's address cannot be had", {},
                {{"user", press.user_id}, {"error", user.failure().ToString()}});
    } else if (IsApprover(approvers, press.user_id, user->email)) {
      co_return std::string();
    } else if (options_.may_by_role && !user->email.empty() &&
               options_.may_by_role(ns, user->email)) {
      co_return std::string();
    }
  }
  std::vector<std::string> mentions;
  for (const std::string& reviewer : reviewers) mentions.push_back(slack::Mention(reviewer));
  co_return absl::StrCat(
      "You may not decide on campaign *", Escaped(progress.campaign_name()), "*. ",
      mentions.empty() ? std::string("It names no reviewers; ask whoever runs campaigns here.")
                       : absl::StrCat("Its reviewers are ", absl::StrJoin(mentions, ", "), "."));
}

base::Task<Note> SlackHooks::AskWhy(Press press, cv1::CampaignProgress progress,
                                    outbound::CallContext call) {
  if (p_.clock.Now() - press.at > kTriggerLife) {
    Note told = co_await Tell(press, kPressAgain, "too late for a dialog", call);
    co_return told;
  }
  const std::string metadata =
      wire::DumpJson({{"key", press.key}, {"channel", press.channel}, {"ts", press.message_ts}});
  outbound::CallContext now = call;
  now.deadline = press.at + kTriggerLife;
  base::Outcome<base::Unit> opened = co_await p_.slack.OpenView(
      press.trigger_id, slack::ReasonDialog(progress.campaign_name(), metadata), std::move(now));
  if (opened.ok()) co_return std::string("asked for the reason");
  if (call.cancel.canceled()) co_return opened.failure();
  base::Log(base::LogLevel::kWarning, "a dialog could not be opened", {.workflow_id = press.key},
            {{"error", opened.failure().ToString()}});
  Note told = co_await Tell(press, kPressAgain, "the dialog could not be opened", call);
  co_return told;
}

base::Task<Note> SlackHooks::DecideFor(Press press, cv1::CampaignProgress progress,
                                       outbound::CallContext call) {
  DecisionRequest request;
  std::tie(request.ns, request.workflow_id) = campaign::SplitCampaignKey(press.key);
  request.verdict = press.approve ? Verdict::kApprove : Verdict::kReject;
  request.who = absl::StrCat(slack::kIdentityPrefix.data(), press.user_id);
  if (!press.user_name.empty()) absl::StrAppend(&request.who, " (", press.user_name, ")");
  request.via = kSlackSource;
  request.comment = press.reason;
  request.key = press.delivery_id;
  const DecisionAnswer answer = co_await Decide(p_.loop, p_.decisions, std::move(request));
  switch (answer.outcome) {
    case DecisionAnswer::Outcome::kTryAgain:
      co_return base::Failure::Retryable("TryAgain", answer.text);
    case DecisionAnswer::Outcome::kRefused: {
      Note told = co_await Tell(press, Escaped(answer.text), "refused: " + answer.text, call);
      co_return told;
    }
    case DecisionAnswer::Outcome::kDecided:
      co_return answer.text;
    case DecisionAnswer::Outcome::kTooLate:
      break;
  }
  // The message has buttons still: it was pressed.
  const slack::Posted message{.channel = press.channel, .ts = press.message_ts};
  base::Outcome<bool> shown =
      co_await ShowDecision(p_.slack, progress, answer.decision, message, call);
  if (!shown.ok()) co_return shown.failure();
  std::string text = absl::StrCat(
      "The campaign was already ", Escaped(answer.decision.decision()), " by ",
      slack::Mention(answer.decision.decided_by()), " (", Escaped(answer.decision.via()), ") at ",
      campaign::TimeText(history::FromProto(answer.decision.decided_at())));
  if (!answer.decision.comment().empty()) {
    absl::StrAppend(&text, ": ", Escaped(answer.decision.comment()));
  }
  Note told = co_await Tell(press, std::move(text), answer.text, call);
  co_return told;
}

// Says something that only the one who pressed sees.
base::Task<Note> SlackHooks::Tell(Press press, std::string text, std::string note,
                                  outbound::CallContext call) const {
  base::Outcome<base::Unit> told = base::Failure::Permanent("NoAddress", "no response_url");
  if (!press.response_url.empty()) {
    told = co_await p_.slack.Respond(press.response_url, text, call);
  }
  const bool otherwise = !told.ok() && !told.failure().retryable && !press.channel.empty();
  if (otherwise) {
    told = co_await p_.slack.PostEphemeral(press.channel, press.user_id, text, call);
  }
  if (!told.ok() && told.failure().retryable) co_return told.failure();
  if (!told.ok()) {
    base::Log(base::LogLevel::kWarning, "somebody could not be told in Slack",
              {.workflow_id = press.key}, {{"error", told.failure().ToString()}});
  }
  co_return note;
}

}  // namespace webhooks
