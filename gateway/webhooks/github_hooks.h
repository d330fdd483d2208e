// GithubHooks: what reviewers do to a campaign's pull request.
//
//   POST /webhooks/github   a review that approves the newest commit approves, one that requests
//                           changes rejects, with its text; a merge approves, closing unmerged
//                           rejects; texts that are edited on the branch become the campaign's
//
// An event only says where to look: what counts is what GitHub's API says when it is worked on, so
// events may come twice, late and in any order.
//
// Thread-safety: Receive on any thread; Work on the loop.
//
// Example:
//   GithubHooks hooks({.secret = secret, .content_dir = "reviews"}, parts);
//   inbox.Handle("github", [&](Delivery d, base::CancelToken c) { return hooks.Work(d, c); });
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "activities/connectors/github/github_client.h"
#include "activities/connectors/slack/slack_client.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/webhooks/decisions.h"
#include "gateway/webhooks/inbox.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/secret.h"

namespace webhooks {

inline constexpr char kGithubSource[] = "github";

struct GithubOptions {
  base::Secret secret;                 // empty: the address answers 404
  std::vector<std::string> approvers;  // logins; none: whoever may write to the repository
  std::string content_dir;             // of the review's files
};

// What an event of GitHub asks for.
struct GithubEvent {
  enum class Kind { kApprove, kReject, kMerge, kClose, kPush };
  Kind kind = Kind::kPush;
  int64_t pull_number = 0;  // not of a push
  std::string branch;       // of a push
  std::string login;        // who did it
  std::string commit;       // that was reviewed
  std::string comment;
  std::string id;  // of the review, for comments that answer it
};
// Nothing for events that do not matter here, and for those of other repositories and branches.
// `repository` is "owner/repo".
std::optional<GithubEvent> ReadGithubEvent(const std::string& name, const std::string& body,
                                           const std::string& repository);

class GithubHooks {
 public:
  struct Parts {
    Inbox& inbox;
    Decisions& decisions;
    github::GithubClient& github;
    base::EventLoop& loop;  // of `github`
    base::Clock& clock;
    base::Metrics& metrics;
  };
  GithubHooks(GithubOptions options, Parts parts) : options_(std::move(options)), p_(parts) {}

  void Receive(gateway::RawRequest request, gateway::RawDone done);
  base::Task<base::Outcome<std::string>> Work(Delivery delivery, base::CancelToken cancel);

 private:
  using Note = base::Outcome<std::string>;
  // A pull request and the campaign that it is of.
  struct Review {
    github::PullRequest pull;
    std::string key;
    std::string ns;
    std::string workflow_id;
  };
  // Nothing: the pull request is not a campaign's.
  base::Task<base::Outcome<std::optional<Review>>> FindReview(GithubEvent event,
                                                              outbound::CallContext call) const;
  base::Task<base::Outcome<bool>> MayDecide(std::string login, outbound::CallContext call) const;
  // Texts that were edited on the branch since we wrote or read it become the campaign's.
  base::Task<Note> TakeOverTexts(Review review, std::string login, outbound::CallContext call);
  base::Task<Note> TakeOverText(Review review, std::string content_id, std::string path,
                                std::string login, std::string known, outbound::CallContext call);
  base::Task<base::Outcome<std::string>> LastKnownCommit(Review review, outbound::CallContext call);
  base::Task<Note> Decide(Review review, GithubEvent event, std::string key,
                          outbound::CallContext call);
  base::Task<Note> Comment(Review review, std::string text, std::string marker, std::string note,
                           outbound::CallContext call) const;

  const GithubOptions options_;
  const Parts p_;
};

}  // namespace webhooks
