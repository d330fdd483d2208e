// GitHub's REST API: git data, references, pull requests, contents, pages. Any repository exists
// as soon as it is named, with one commit on `main`; names with "missing" in them do not exist.
// github.cc holds what all parts share, github_{git,pulls,contents}.cc the parts.
// Thread-safety: see vendor.h.
//
// Example:
//   std::unique_ptr<Vendor> github = MakeGitHub(store);   // POST /github/repos/o/r/pulls ...
#pragma once

#include <optional>
#include <string>

#include "tests/sandbox/git_objects.h"
#include "tests/sandbox/hooks.h"
#include "tests/sandbox/vendor.h"

namespace sandbox {

class GitHub : public Vendor {
 public:
  explicit GitHub(Store& store);

  Response ErrorAnswer(const FaultAnswer& fault) override;
  Response RateLimitAnswer(const FaultAnswer& fault) override;

 protected:
  std::optional<Response> Refuse(const Call& call) override;
  Response NoSuchCall(const Call& call) override;
  Response BadBody(const Call& call, const std::string& why) override;
  void Finish(const Call& call, Response* response) override;

 private:
  // github_git.cc
  Response CreateBlob(Call& call);
  Response GetBlob(Call& call);
  Response CreateTree(Call& call);
  Response GetTree(Call& call);
  Response CreateCommit(Call& call);
  Response GetGitCommit(Call& call);
  Response GetRef(Call& call);
  Response MatchingRefs(Call& call);
  Response CreateRef(Call& call);
  Response UpdateRef(Call& call);
  Response DeleteRef(Call& call);
  Response GetBranch(Call& call);
  Response ListBranches(Call& call);
  Json CommitJson(const Call& call, const std::string& sha);
  Json RefJson(const Call& call, const Resource& ref);

  // github_pulls.cc
  Response CreatePull(Call& call);
  Response ListPulls(Call& call);
  Response GetPull(Call& call);
  Response UpdatePull(Call& call);
  Response MergePull(Call& call);
  Response IsMerged(Call& call);
  Response PullFiles(Call& call);
  Response CreateReview(Call& call);
  Response ListReviews(Call& call);
  Response DismissReview(Call& call);
  Response RequestReviewers(Call& call);
  Response RemoveReviewers(Call& call);
  Response GetReviewers(Call& call);
  Response CreateComment(Call& call);
  Response ListComments(Call& call);
  Response UpdateComment(Call& call);
  Response DeleteComment(Call& call);
  Resource* FindPull(const Call& call, std::string_view number);
  Resource* OpenPullOf(const std::string& repo, const std::string& head, const std::string& base);
  Json PullJson(const Call& call, const Resource& pull);
  void ClosePull(const Call& call, Resource& pull);
  // A branch went away: so do its open pull requests.
  void CloseOrphanedPulls(const Call& call, const std::string& branch);

  // github_reviews.cc
  Response PullCommits(Call& call);
  Response Compare(Call& call);
  Response GetPermission(Call& call);
  Json RepoJson(const Call& call) const;
  // Webhooks, when somebody wants them (hooks.h).
  void TellPull(const Call& call, const std::string& action, const Resource& pull);
  void TellReview(const Call& call, const Resource& pull, const Json& review);
  void TellPush(const Call& call, const std::string& repo, const std::string& ref,
                const std::string& before, const std::string& after);

  // github_contents.cc
  Response GetContents(Call& call);
  Response PutContents(Call& call);
  Response DeleteContents(Call& call);
  Response GetPages(Call& call);
  Response CreatePages(Call& call);
  Response DeletePages(Call& call);
  Response LatestBuild(Call& call);
  Response RequestBuild(Call& call);
  // Keeps the `page` resources in step with the files that main holds.
  void TrackPages(const Call& call, const std::string& workflow_id, const std::string& old_commit,
                  const std::string& new_commit);

  // github.cc
  Response GetRepo(Call& call);
  Response GetUser(Call& call);
  Response GetRateLimit(Call& call);
  // "owner/repo" of the call; makes the repository on its first use. "" = there is none.
  std::string RepoOf(const Call& call);
  Resource* FindRef(const std::string& repo, const std::string& ref);
  // Moves or makes a reference ("heads/x").
  void SetRef(const Call& call, const std::string& repo, const std::string& ref,
              const std::string& sha, const std::string& workflow_id);
  std::string TreeOfCommit(const std::string& commit_sha);
  // A person from the body's author or committer, or the caller.
  GitPerson PersonOf(const Call& call, const Json& person) const;
  std::string LoginOf(const Call& call) const;
  Json UserJson(const std::string& login) const;
  std::string ApiUrl(const Call& call, const std::string& rest = "") const;
  std::string HtmlUrl(const Call& call, const std::string& rest = "") const;
  // The page of `items` that page and per_page ask for, with the Link header.
  Response Paged(const Call& call, const Json& items) const;

  static Response Error(int status, const std::string& message);
  static Response NotFound() { return Error(404, "Not Found"); }
  // One error or an array of them.
  static Response Invalid(const Json& errors);
  static Json FieldError(std::string_view resource, std::string_view field, std::string_view code);

  GitObjects git_;
  Hooks hooks_;
  int64_t calls_ = 0;
};

}  // namespace sandbox
