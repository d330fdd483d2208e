// GitHub: a branch with files and its one pull request, comments, merge and close; pages written
// through the contents API. Idempotent by what GitHub gives: content-addressed objects (dates are
// fixed, so that a repetition makes the same commit), unique branch names, one open pull request
// per head and base, compare-and-set by blob sha.
//
// Thread-safety: loop thread only. Use one client per repository and process: writes to a branch
// (pages, merges) are serialised inside it, since GitHub answers parallel ones with conflicts.
//
// Example:
//   github::GithubClient github(outbound, {.token = token, .owner = "acme", .repo = "site"});
//   base::Outcome<github::PullRequest> pull = co_await github.EnsurePullRequest(
//       {.branch = "campaign/wf-1", .title = "Spring", .body = text,
//        .files = {{"campaigns/wf-1.md", draft}}, .date = started_at}, context);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace github {

class Api;

struct File {
  std::string path;
  std::string content;  // text or any bytes
};

struct Branch {
  std::string name;
  std::string sha;  // of its newest commit
};

struct PullRequestSpec {
  std::string branch;  // unique for the workflow; the pull request is found again by it
  std::string title;
  std::string body;
  std::string commit_message;  // empty: the title
  std::vector<File> files;
  absl::Time date;  // of the commit: the same on every attempt
};

struct PullRequest {
  int64_t number = 0;
  std::string url;  // for people
  std::string branch;
  std::string head_sha;
  bool open = false;
  bool merged = false;
  std::string body;
  std::string author;  // login of who opened it: ours
};

// A commit of a pull request.
struct PullCommit {
  std::string sha;
  bool ours = false;  // made by this client
};

struct ChangedFile {
  std::string path;
  bool removed = false;
};

struct Page {
  std::string path;
  std::string url;  // where readers see it
  std::string sha;  // of the blob
  bool changed = false;
  // The blob that a first write replaced; empty when the page was new. Give it to DeletePage.
  std::string replaced_sha;
};

class GithubClient {
 public:
  struct Options {
    std::string base_url = "https://api.github.com";
    base::Secret token;
    std::string owner;
    std::string repo;
    std::string base_branch = "main";
    std::string pages_branch = "gh-pages";
    std::string pages_url;  // "https://acme.github.io/site"; empty: derived from owner and repo
    std::string author_name = "campaignd";
    std::string author_email = "campaignd@users.noreply.github.com";
  };
  GithubClient(outbound::Outbound& outbound, Options options);
  ~GithubClient();

  // The branch with one commit of ours (the files on top of the base branch). Repeating it with
  // the same arguments changes nothing, with other files it replaces our commit; commits that
  // others put on top are left alone.
  base::Task<base::Outcome<Branch>> EnsureBranchWithFiles(std::string branch,
                                                          std::vector<File> files,
                                                          std::string message, absl::Time date,
                                                          outbound::CallContext context);
  // The branch's pull request, made when there is none in any state.
  base::Task<base::Outcome<PullRequest>> EnsurePullRequest(PullRequestSpec spec,
                                                           outbound::CallContext context);
  // The open one of the branch, else the newest one, else nothing.
  base::Task<base::Outcome<std::optional<PullRequest>>> FindPullRequest(
      std::string branch, outbound::CallContext context);
  // Failure "NotFound" when there is none of that number.
  base::Task<base::Outcome<PullRequest>> GetPullRequest(int64_t number,
                                                        outbound::CallContext context);
  // False when it is gone. Safe to repeat.
  base::Task<base::Outcome<bool>> UpdatePullRequestBody(int64_t number, std::string body,
                                                        outbound::CallContext context);
  // One comment per marker, an HTML comment that readers do not see.
  base::Task<base::Outcome<base::Unit>> EnsureComment(int64_t number, std::string text,
                                                      std::string marker,
                                                      outbound::CallContext context);
  // True when it was closed, false when it already was (or merged, or never made).
  base::Task<base::Outcome<bool>> ClosePullRequest(int64_t number, outbound::CallContext context);
  // Closes every open pull request of the branch, for an undo that knows no number; the numbers
  // closed. Failure "StillListed" (retryable) when GitHub goes on to list some as open.
  base::Task<base::Outcome<std::vector<int64_t>>> ClosePullRequestsOf(
      std::string branch, outbound::CallContext context);
  // True when it was deleted, false when there was none.
  base::Task<base::Outcome<bool>> DeleteBranch(std::string branch, outbound::CallContext context);
  // Squashes into the base branch; true also when it already was merged. Failures: "NotMergeable"
  // (conflict, closed, draft, checks missing) and "HeadChanged" (`head_sha` is given and not the
  // newest), both permanent.
  base::Task<base::Outcome<bool>> MergePullRequest(int64_t number, std::string commit_title,
                                                   std::string head_sha,
                                                   outbound::CallContext context);

  // What reviewers did (reviews.cc).
  // Oldest first; GitHub lists 250 at most.
  base::Task<base::Outcome<std::vector<PullCommit>>> ListPullCommits(int64_t number,
                                                                     outbound::CallContext context);
  // The files that differ between the commits' merge base and `head`; GitHub lists 300 at most.
  base::Task<base::Outcome<std::vector<ChangedFile>>> ChangedFiles(std::string base,
                                                                   std::string head,
                                                                   outbound::CallContext context);
  // A file as it is in the commit or branch `ref`; nothing when there is none.
  base::Task<base::Outcome<std::optional<std::string>>> ReadFile(std::string path, std::string ref,
                                                                 outbound::CallContext context);
  // Whether the user may write to the repository.
  base::Task<base::Outcome<bool>> MayWrite(std::string login, outbound::CallContext context);
  // "owner/repo".
  std::string repository() const { return options_.owner + "/" + options_.repo; }

  // The page with exactly this content on the pages branch (made from the base branch when there
  // is none).
  base::Task<base::Outcome<Page>> EnsurePage(std::string path, std::string content,
                                             std::string message, outbound::CallContext context);
  // Takes the page away, or puts `restore_sha`'s bytes back. False when it was already so.
  base::Task<base::Outcome<bool>> DeletePage(std::string path, std::string restore_sha,
                                             std::string message, outbound::CallContext context);

 private:
  base::Task<base::Outcome<std::string>> CommitFor(std::string parent_sha, std::vector<File> files,
                                                   std::string message, absl::Time date,
                                                   outbound::CallContext context);
  base::Task<base::Outcome<std::string>> HeadOf(std::string branch, outbound::CallContext context);
  base::Task<base::Outcome<PullRequest>> CreatePullRequest(PullRequestSpec spec,
                                                           outbound::CallContext context);
  base::Task<base::Outcome<bool>> HasComment(int64_t number, std::string marker,
                                             outbound::CallContext context);
  base::Task<base::Outcome<bool>> Merge(int64_t number, std::string commit_title,
                                        std::string head_sha, outbound::CallContext context);
  base::Task<base::Outcome<std::string>> PageSha(std::string path, outbound::CallContext context);
  base::Task<base::Outcome<Page>> WritePage(std::string path, std::string content,
                                            std::string message, outbound::CallContext context);
  base::Task<base::Outcome<bool>> MakePagesBranch(outbound::CallContext context);
  base::Task<base::Outcome<bool>> RemovePage(std::string path, std::string message,
                                             outbound::CallContext context);
  std::string PageUrl(const std::string& path) const;

  const Options options_;
  std::unique_ptr<Api> api_;
  base::Semaphore base_writes_{1};
  base::Semaphore page_writes_{1};
};

}  // namespace github
