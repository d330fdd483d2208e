// Decisions: how approvals that people make outside of the API (Slack, GitHub, Google Chat) reach
// their campaign. All of them end in one update of the campaign's workflow, so the first decision
// wins; whoever comes later gets told who decided and when.
//
// The caller has proven who it is (a signature, a token) and that the person may decide: nothing
// of that is checked here.
//
// Thread-safety: thread-safe. `done` runs once, on an engine thread or the caller's: it must not
// block. Outlives its calls.
//
// Example:
//   decisions.Decide({.workflow_id = "spring", .verdict = Verdict::kApprove,
//                     .who = "ann@example.com", .via = "google_chat", .key = event_id},
//                    [](DecisionAnswer answer) { Say(answer.text); });
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/v1/activities.pb.h"
#include "campaign/v1/campaign.pb.h"
#include "orchestrator/client/client.h"

namespace webhooks {

enum class Verdict { kApprove, kReject };

struct DecisionRequest {
  std::string ns = "default";
  std::string workflow_id;
  Verdict verdict = Verdict::kApprove;
  std::string who;      // "slack:U123 (ann)", "github:ann", "ann@example.com"
  std::string via;      // slack, github, google_chat
  std::string comment;  // the reason of a rejection; may be empty; cut when too long
  // What makes a repeated request the same decision (the delivery's id): it is answered as the
  // first time, also after a crash in between. Unique within `via`. Empty: no two are the same.
  std::string key;
};

struct DecisionAnswer {
  enum class Outcome {
    kDecided,   // this request decided
    kTooLate,   // somebody else had: see `decision`
    kRefused,   // no such campaign, not in review, closed without a decision
    kTryAgain,  // nothing happened that counts: repeat it with the same key
  };
  Outcome outcome = Outcome::kTryAgain;
  campaign::v1::ApprovalDecision decision;  // set for kDecided and kTooLate
  std::string text;  // one line for people: "approved by ann (slack) at 2026-03-01 12:00 UTC"

  bool decided() const { return outcome == Outcome::kDecided; }
};

// A change of one text.
struct ContentChange {
  std::string ns = "default";
  std::string workflow_id;
  std::string content_id;
  std::string text;
  std::string who;
  std::string via;
  std::string key;  // as in DecisionRequest
};

// Something that is about to be done, for the audit trail.
struct Attempt {
  std::string ns;
  std::string workflow_id;
  std::string action;  // ApproveCampaign, RejectCampaign, UpdateContent
  std::string who;
  std::string via;
  std::string detail;  // the reason, or which text
  std::string key;     // as in DecisionRequest
};

inline constexpr int kRunningLookedAtMax = 500;

// For people, when WaitingCampaigns is cut.
inline constexpr char kWaitingCut[] =
    "There may be more: not all campaigns that run were looked at.";

struct WaitingCampaigns {
  std::vector<campaign::v1::CampaignProgress> campaigns;
  bool cut = false;  // campaigns that run were not looked at: there may be more that wait
};

class Decisions {
 public:
  // Told once how an attempt ended: a gRPC code's name, and a line for people. Not told of attempts
  // that are to be repeated.
  using Ended = absl::AnyInvocable<void(const std::string& outcome, const std::string& detail)>;
  // Records an attempt before anything happens and calls `go` once, on any thread: with what is to
  // be told of the end (empty: nothing), or with why it could not be recorded, so that nothing may
  // happen (UNAVAILABLE). Must not block.
  using Recorder =
      std::function<void(Attempt attempt, absl::AnyInvocable<void(absl::StatusOr<Ended>)> go)>;

  // Told of every decision made here, before who made it is answered; of one that is repeated,
  // again. Any thread; must not block.
  using Decided = std::function<void(const std::string& ns, const std::string& workflow_id,
                                     const campaign::v1::ApprovalDecision& decision)>;

  // `client` must outlive it. Without a recorder nothing is recorded.
  explicit Decisions(client::WorkflowClient& client, Recorder recorder = nullptr,
                     Decided decided = nullptr);

  void Decide(DecisionRequest request, absl::AnyInvocable<void(DecisionAnswer)> done);

  // The new revision. INVALID_ARGUMENT (too long, empty, unknown id), FAILED_PRECONDITION (decided,
  // no longer in review), NOT_FOUND, UNAVAILABLE.
  void UpdateContent(ContentChange change,
                     client::Callback<campaign::v1::UpdateContentOutput> done);

  // The campaign as it is; NOT_FOUND also for workflows that are no campaigns.
  void GetProgress(std::string ns, std::string workflow_id,
                   client::Callback<campaign::v1::CampaignProgress> done);

  // Campaigns that wait for a decision, newest first, at most `count_max`. Looks at the newest
  // kRunningLookedAtMax that run.
  void ListWaiting(std::string ns, int count_max, client::Callback<WaitingCampaigns> done);

 private:
  void Record(Attempt attempt, absl::AnyInvocable<void(absl::StatusOr<Ended>)> go);
  void Send(DecisionRequest request, absl::AnyInvocable<void(DecisionAnswer)> done);
  void Send(ContentChange change, client::Callback<campaign::v1::UpdateContentOutput> done);

  client::WorkflowClient& client_;
  const Recorder recorder_;
  const Decided decided_;
};

// "approved by slack:U1 (ann) (slack) at 2026-03-01 12:00 UTC: fine".
std::string DecisionText(const campaign::v1::ApprovalDecision& decision);
// The progress of a campaign for people, in plain text of a few lines.
std::string ProgressText(const campaign::v1::CampaignProgress& progress);

}  // namespace webhooks
