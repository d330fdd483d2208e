#include "activities/campaign/campaign_state.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "activities/campaign/names.h"
#include "activities/campaign/schedule.h"
#include "orchestrator/base/check.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

struct PhaseFacts {
  const char* name;
  const char* running;  // for people
  int weight;           // of 100
};

constexpr std::array<PhaseFacts, kPhaseCount> kFacts = {{
    {"research", "researching the market", 15},
    {"content", "writing the content", 20},
    {"design", "rendering the designs", 15},
    {"review", "asking the reviewers", 20},
    {"distribution", "distributing to the channels", 20},
    {"analytics", "setting up analytics", 10},
}};

const PhaseFacts& FactsOf(Phase phase) { return kFacts[static_cast<size_t>(phase)]; }

// The share of the review phase that is done when the reviewers have been asked.
constexpr int kReviewAskedWeight = 10;

// The decision as JSON with the proto's own field names; messages have no other JSON here.
std::string DecisionJson(const v1::ApprovalDecision& decision) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  CHECK(google::protobuf::util::MessageToJsonString(decision, &json, options).ok());
  return json;
}

// "; not undone: content (skipped by ann: not needed), design (...)"; empty: there is no such
// phase.
std::string Named(absl::string_view words, const std::vector<CampaignState::PhaseUndo>& undos,
                  CampaignState::PhaseUndo::Result result) {
  const bool skipped = result == CampaignState::PhaseUndo::Result::kSkipped;
  std::string text;
  for (const CampaignState::PhaseUndo& undo : undos) {
    if (undo.result != result) continue;
    absl::StrAppend(&text, text.empty() ? words : ", ", PhaseName(undo.phase), " (",
                    skipped ? "skipped by " : "", undo.decided_by.empty() ? "?" : undo.decided_by,
                    ": ", undo.reason, ")");
  }
  return text;
}

}  // namespace

std::string PhaseName(Phase phase) { return FactsOf(phase).name; }

CampaignState::CampaignState(v1::CampaignSpec spec, Identity identity)
    : spec_(std::move(spec)), identity_(std::move(identity)) {}

void CampaignState::StartPhase(Phase phase, absl::Time now) {
  Record(phase) = {.state = PhaseState::kRunning, .started_at = now};
  current_ = phase;
  message_ = FactsOf(phase).running;
}

void CampaignState::CompletePhase(Phase phase, absl::Time now) {
  Record(phase).state = PhaseState::kCompleted;
  Record(phase).completed_at = now;
}

void CampaignState::FailPhase(Phase phase, absl::Time now) {
  Record(phase).state = PhaseState::kFailed;
  Record(phase).completed_at = now;
}

void CampaignState::AwaitPhase(Phase phase, std::string message) {
  current_ = phase;
  message_ = std::move(message);
}

void CampaignState::BeginUndo(const base::Failure& why, absl::Time now) {
  if (Record(current_).state == PhaseState::kRunning) {
    FailPhase(current_, now);
    if (why.is_canceled()) Record(current_).state = PhaseState::kCanceled;
  }
  end_reason_ = why.message;
  waiting_for_approval_ = false;
  message_ = absl::StrCat("undoing what was done: ", end_reason_);
}

void CampaignState::EndUndo(End end, const std::vector<PhaseUndo>& undos) {
  using Result = PhaseUndo::Result;
  for (const PhaseUndo& undo : undos) {
    PhaseState& state = Record(undo.phase).state;
    // A phase that failed stays so. A review that ended in a rejection was completed as a step: it
    // is undone like the others.
    if (state != PhaseState::kCompleted) continue;
    state = undo.result == Result::kSkipped ? PhaseState::kNotUndone : PhaseState::kCompensated;
  }
  status_ = end == End::kTimedOut ? "TIMED_OUT" : end == End::kCanceled ? "CANCELED" : "FAILED";
  const char* ended = end == End::kTimedOut   ? "timed out"
                      : end == End::kCanceled ? "canceled"
                                              : "failed";
  const std::string left = Named("; not undone: ", undos, Result::kSkipped);
  const char* undone = undos.empty()  ? ", there was nothing to undo: "
                       : left.empty() ? " and undone: "
                                      : ": ";
  message_ = absl::StrCat(ended, undone, end_reason_, left,
                          Named("; undone by hand: ", undos, Result::kByHand));
}

void CampaignState::Complete(std::string outcome) {
  status_ = "COMPLETED";
  message_ = std::move(outcome);
}

void CampaignState::SetContent(const v1::ContentOutput& content) {
  content_.assign(content.pieces().begin(), content.pieces().end());
  content_revision_ = 1;
  cost_usd_ = content.cost_usd();
}

void CampaignState::SetModeration(const v1::ModerateOutput& moderation) {
  moderation_.assign(moderation.findings().begin(), moderation.findings().end());
}

void CampaignState::SetReview(const v1::ReviewOutput& review) { review_ = review; }

base::Failure CampaignState::AlreadyDecided() const {
  base::Failure failure = base::Failure::Permanent(
      "AlreadyDecided", absl::StrCat("the campaign was already ", DescribeDecision(decision_)));
  failure.detail_json = DecisionJson(decision_);
  return failure;
}

base::Done CampaignState::MayDecide(const v1::DecisionInput& input) const {
  if (decided()) return AlreadyDecided();
  if (!end_reason_.empty()) {
    return base::Failure::Permanent(
        "NotInReview", absl::StrCat("the campaign waits for no decision any more: ", end_reason_));
  }
  if (Record(Phase::kReview).state == PhaseState::kPending) {
    return base::Failure::Permanent(
        "NotInReview", absl::StrCat("the campaign is not under review yet, it is ", message_,
                                    "; decide when its phase is \"review\""));
  }
  if (CharacterCount(input.decided_by()) > kDecidedByCharactersMax) {
    return base::Failure::Permanent(
        "InvalidDecision",
        absl::StrCat("decided_by: at most ", kDecidedByCharactersMax, " characters"));
  }
  if (CharacterCount(input.comment()) > kCommentCharactersMax) {
    return base::Failure::Permanent(
        "InvalidDecision", absl::StrCat("comment: at most ", kCommentCharactersMax, " characters"));
  }
  return base::Unit{};
}

v1::ApprovalDecision CampaignState::Decide(const v1::DecisionInput& input, bool approved,
                                           absl::Time now) {
  CHECK(!decided()) << "workflow=" << identity_.workflow_id;
  decision_.set_decision(approved ? "approved" : "rejected");
  decision_.set_decided_by(CleanLine(input.decided_by(), kDecidedByCharactersMax));
  if (decision_.decided_by().empty()) decision_.set_decided_by("unknown");
  decision_.set_via(input.via().empty() ? "api" : CleanLine(input.via(), 40));
  decision_.set_comment(CleanText(input.comment(), kCommentCharactersMax));
  *decision_.mutable_decided_at() = history::ToProto(now);
  waiting_for_approval_ = false;
  message_ = DescribeDecision(decision_);
  return decision_;
}

base::Done CampaignState::MayUpdateContent(const v1::UpdateContentInput& input) const {
  if (decided()) return AlreadyDecided();
  if (!end_reason_.empty()) {
    return base::Failure::Permanent(
        "NotInReview", absl::StrCat("the campaign takes no changes any more: ", end_reason_));
  }
  if (content_.empty()) {
    return base::Failure::Permanent(
        "NotInReview", absl::StrCat("there is no content yet, the campaign is ", message_,
                                    "; content can be changed until the decision"));
  }
  const PieceKind* kind = FindPieceKind(input.content_id());
  if (kind == nullptr) {
    std::string known;
    for (const PieceKind& piece : PieceKinds()) {
      absl::StrAppend(&known, known.empty() ? "" : ", ", piece.id);
    }
    return base::Failure::Permanent(
        "UnknownContent", absl::StrCat("content_id: there is no \"",
                                       CleanLine(input.content_id(), 80), "\"; known are ", known));
  }
  if (CleanText(input.new_content(), kind->characters_max).empty()) {
    return base::Failure::Permanent("InvalidContent", "new_content: must not be empty");
  }
  const size_t characters = CharacterCount(input.new_content());
  if (characters > kind->characters_max) {
    return base::Failure::Permanent(
        "InvalidContent", absl::StrCat("new_content: ", kind->id, " has at most ",
                                       kind->characters_max, " characters, not ", characters));
  }
  return base::Unit{};
}

v1::UpdateContentOutput CampaignState::UpdateContent(const v1::UpdateContentInput& input) {
  const PieceKind* kind = FindPieceKind(input.content_id());
  CHECK(kind != nullptr);
  const std::string text = kind->one_line ? CleanLine(input.new_content(), kind->characters_max)
                                          : CleanText(input.new_content(), kind->characters_max);
  const auto piece = std::find_if(content_.begin(), content_.end(), [&](const auto& each) {
    return each.content_id() == input.content_id();
  });
  v1::ContentPiece& target = piece != content_.end() ? *piece : content_.emplace_back();
  target.set_content_id(input.content_id());
  target.set_text(text);
  ++content_revision_;
  v1::UpdateContentOutput output;
  output.set_content_revision(content_revision_);
  output.mutable_content()->Assign(content_.begin(), content_.end());
  return output;
}

int CampaignState::Percentage() const {
  if (status_ == "COMPLETED") return 100;
  int percentage = 0;
  for (size_t i = 0; i < kPhaseCount; ++i) {
    const PhaseState state = phases_[i].state;
    if (state == PhaseState::kCompleted || state == PhaseState::kCompensated ||
        state == PhaseState::kNotUndone) {
      percentage += kFacts[i].weight;
    }
  }
  if (Record(Phase::kReview).state == PhaseState::kRunning && !review_.github_pr_url().empty()) {
    percentage += kReviewAskedWeight;
  }
  return std::min(percentage, 99);
}

v1::CampaignProgress CampaignState::Progress(absl::Time now) const {
  v1::CampaignProgress progress;
  progress.set_workflow_id(identity_.workflow_id);
  progress.set_run_id(identity_.run_id);
  progress.set_status(status_);
  progress.set_progress_percentage(Percentage());
  progress.set_current_phase(PhaseName(current_));
  *progress.mutable_started_at() = history::ToProto(identity_.started_at);
  progress.set_elapsed_seconds(absl::ToDoubleSeconds(now - identity_.started_at));
  for (size_t i = 0; i < kPhaseCount; ++i) {
    v1::PhaseProgress* phase = progress.add_phases();
    phase->set_phase(kFacts[i].name);
    phase->set_state(StateName(phases_[i].state));
    if (phases_[i].state == PhaseState::kPending) continue;
    *phase->mutable_started_at() = history::ToProto(phases_[i].started_at);
    if (phases_[i].state == PhaseState::kRunning) continue;
    *phase->mutable_completed_at() = history::ToProto(phases_[i].completed_at);
  }
  progress.set_waiting_for_approval(waiting_for_approval_);
  if (decided()) *progress.mutable_decision() = decision_;
  progress.set_github_pr_url(review_.github_pr_url());
  *progress.mutable_reviewers() = spec_.reviewers();
  if (review_.github_pr_number() != 0) {
    v1::ReviewPlace* place = progress.mutable_review();
    place->set_github_pr_number(review_.github_pr_number());
    place->set_branch(review_.branch());
    place->set_slack_channel(review_.slack_channel());
    place->set_slack_message_ts(review_.slack_message_ts());
    place->set_reminders(reminders_);
    if (waiting_for_approval_ && expires_at_ < absl::InfiniteFuture()) {
      *place->mutable_expires_at() = history::ToProto(expires_at_);
    }
  }
  progress.set_dashboard_url(dashboard_url_);
  progress.set_message(message_);
  progress.set_campaign_name(spec_.campaign_name());
  progress.mutable_content()->Assign(content_.begin(), content_.end());
  progress.set_content_revision(content_revision_);
  progress.mutable_moderation()->Assign(moderation_.begin(), moderation_.end());
  progress.set_cost_usd(cost_usd_);
  progress.set_dry_run(spec_.dry_run());
  *progress.mutable_would_send() = plan_.would_send();
  return progress;
}

std::string CampaignState::StateName(PhaseState state) {
  switch (state) {
    case PhaseState::kPending:
      return "pending";
    case PhaseState::kRunning:
      return "running";
    case PhaseState::kCompleted:
      return "completed";
    case PhaseState::kFailed:
      return "failed";
    case PhaseState::kCanceled:
      return "canceled";
    case PhaseState::kCompensated:
      return "compensated";
    case PhaseState::kNotUndone:
      return "not_undone";
  }
  return "";
}

std::string DescribeDecision(const v1::ApprovalDecision& decision) {
  std::string text = absl::StrCat(decision.decision(), " by ", decision.decided_by());
  if (!decision.via().empty()) absl::StrAppend(&text, " (", decision.via(), ")");
  if (decision.has_decided_at()) {
    absl::StrAppend(&text, " at ", TimeText(history::FromProto(decision.decided_at())));
  }
  if (!decision.comment().empty()) absl::StrAppend(&text, ": ", decision.comment());
  return text;
}

}  // namespace campaign
