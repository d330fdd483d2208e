// CampaignState: what a campaign knows of itself while it runs: its phases, its content, the
// decision. The workflow changes it, its updates and its query read it. Pure: time is given in.
// Thread-safety: belongs to its workflow's thread.
//
// Example:
//   CampaignState state(spec, {.workflow_id = id, .run_id = run, .started_at = now});
//   state.StartPhase(Phase::kResearch, now);
//   state.CompletePhase(Phase::kResearch, now);
//   v1::CampaignProgress progress = state.Progress(now);
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "campaign/v1/activities.pb.h"
#include "campaign/v1/campaign.pb.h"
#include "orchestrator/base/outcome.h"

namespace campaign {

enum class Phase { kResearch, kContent, kDesign, kReview, kDistribution, kAnalytics };
inline constexpr size_t kPhaseCount = 6;
// "research", ...
std::string PhaseName(Phase phase);

inline constexpr size_t kDecidedByCharactersMax = 200;
inline constexpr size_t kCommentCharactersMax = 2000;

class CampaignState {
 public:
  struct Identity {
    std::string workflow_id;
    std::string key;  // names.h
    std::string run_id;
    absl::Time started_at;
  };
  CampaignState(v1::CampaignSpec spec, Identity identity);

  const v1::CampaignSpec& spec() const { return spec_; }
  const std::string& workflow_id() const { return identity_.workflow_id; }
  const std::string& key() const { return identity_.key; }

  void StartPhase(Phase phase, absl::Time now);
  void CompletePhase(Phase phase, absl::Time now);
  void FailPhase(Phase phase, absl::Time now);
  // The phase is the next one, and waits for its time: it has not begun.
  void AwaitPhase(Phase phase, std::string message);
  // The campaign ends badly: from here no decision and no change is taken. The open phase, if
  // any, is failed, or canceled.
  void BeginUndo(const base::Failure& why, absl::Time now);
  // What became of the undo of a phase that needed one.
  struct PhaseUndo {
    Phase phase;
    enum class Result { kUndone, kByHand, kSkipped } result = Result::kUndone;
    std::string decided_by;  // by hand, skipped: the operator
    std::string reason;
  };
  enum class End { kFailed, kCanceled, kTimedOut };
  // The run ends so. What was undone is "compensated", what was skipped "not_undone"; the message
  // names what is left.
  void EndUndo(End end, const std::vector<PhaseUndo>& undos);
  void Complete(std::string outcome);

  // The pieces that are reviewed and published; set once by the content phase.
  void SetContent(const v1::ContentOutput& content);
  const std::vector<v1::ContentPiece>& content() const { return content_; }
  int content_revision() const { return content_revision_; }
  // What moderation found in the texts as they are now.
  void SetModeration(const v1::ModerateOutput& moderation);
  const std::vector<v1::ModerationFinding>& moderation() const { return moderation_; }
  void SetReview(const v1::ReviewOutput& review);
  // When the wait for a decision ends; absl::InfiniteFuture(): never.
  void SetExpiry(absl::Time expires_at) { expires_at_ = expires_at; }
  void SetReminders(int sent) { reminders_ = sent; }
  // Dry runs: what would be sent.
  void SetPlan(const v1::PlanOutput& plan) { plan_ = plan; }
  void SetDashboardUrl(std::string url) { dashboard_url_ = std::move(url); }
  // What the campaign waits for now, for people: "scheduled for ...".
  void SetMessage(std::string message) { message_ = std::move(message); }
  // The review's message is out and nobody has decided.
  void SetWaitingForApproval(bool waiting) { waiting_for_approval_ = waiting; }

  // May somebody decide now? Failures: "NotInReview", "AlreadyDecided" (the message says who
  // decided what and when, detail_json holds the decision), "InvalidDecision".
  base::Done MayDecide(const v1::DecisionInput& input) const;
  // The first decision; only after MayDecide.
  v1::ApprovalDecision Decide(const v1::DecisionInput& input, bool approved, absl::Time now);
  bool decided() const { return decision_.has_decided_at(); }
  bool approved() const { return decision_.decision() == "approved"; }
  const v1::ApprovalDecision& decision() const { return decision_; }

  // May the piece be changed so? Failures: "NotInReview", "AlreadyDecided", "UnknownContent",
  // "InvalidContent".
  base::Done MayUpdateContent(const v1::UpdateContentInput& input) const;
  v1::UpdateContentOutput UpdateContent(const v1::UpdateContentInput& input);

  v1::CampaignProgress Progress(absl::Time now) const;

 private:
  enum class PhaseState {
    kPending,
    kRunning,
    kCompleted,
    kFailed,
    kCanceled,
    kCompensated,
    kNotUndone
  };
  struct PhaseRecord {
    PhaseState state = PhaseState::kPending;
    absl::Time started_at;
    absl::Time completed_at;
  };
  PhaseRecord& Record(Phase phase) { return phases_[static_cast<size_t>(phase)]; }
  const PhaseRecord& Record(Phase phase) const { return phases_[static_cast<size_t>(phase)]; }
  base::Failure AlreadyDecided() const;
  int Percentage() const;
  static std::string StateName(PhaseState state);

  const v1::CampaignSpec spec_;
  const Identity identity_;
  std::array<PhaseRecord, kPhaseCount> phases_;
  Phase current_ = Phase::kResearch;
  std::string status_ = "RUNNING";
  std::string message_;
  std::string end_reason_;  // why the campaign is being undone; empty while it goes forward
  std::vector<v1::ContentPiece> content_;
  int content_revision_ = 0;
  double cost_usd_ = 0;
  std::vector<v1::ModerationFinding> moderation_;
  v1::ReviewOutput review_;
  absl::Time expires_at_ = absl::InfiniteFuture();
  int reminders_ = 0;
  bool waiting_for_approval_ = false;
  v1::ApprovalDecision decision_;
  std::string dashboard_url_;
  v1::PlanOutput plan_;
};

// "approved by Ann (slack) at 2026-03-01 12:00 UTC: looks good".
std::string DescribeDecision(const v1::ApprovalDecision& decision);

}  // namespace campaign
