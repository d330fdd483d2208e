// Branches and the commits on them.
#include <utility>

#include "absl/strings/escaping.h"
#include "activities/connectors/github/api.h"
#include "activities/connectors/github/github_client.h"
#include "activities/connectors/wire/text.h"

namespace github {
namespace {

using base::Outcome;
using base::Task;
using outbound::CallContext;
using wire::Json;

constexpr int kBranchRoundsMax = 3;

std::string RefPath(const std::string& kind, const std::string& branch) {
  return wire::Cat("/git/", kind, "/heads%2F", wire::PercentEncode(branch));
}

// Git may end a message with a line feed of its own.
bool SameText(const std::string& a, const std::string& b) {
  const auto end = [](const std::string& text) { return text.find_last_not_of(" \n") + 1; };
  return a.compare(0, end(a), b, 0, end(b)) == 0;
}

std::string Iso(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

struct Commit {
  std::string sha;
  std::string tree;
  std::string parent;
  std::string message;
};

Commit ReadCommit(const Json& body) {
  Commit commit{.sha = wire::StringAt(body, "sha"),
                .tree = wire::StringAt(wire::At(body, "tree"), "sha"),
                .message = wire::StringAt(body, "message")};
  const Json& parents = wire::At(body, "parents");
  if (parents.is_array() && !parents.empty()) {
    commit.parent = wire::StringAt(parents.front(), "sha");
  }
  return commit;
}

Task<Outcome<Commit>> GetCommit(Api& api, std::string sha, CallContext context) {
  Outcome<Answer> answer =
      co_await api.Call("GET", "/git/commits/" + sha, nullptr, "git.getCommit", context);
  if (!answer.ok()) co_return answer.failure();
  if (!answer->ok()) co_return Refused("reading commit " + sha, *answer);
  Commit commit = ReadCommit(answer->body);
  if (commit.tree.empty()) co_return wire::Malformed("github", "git.getCommit", false);
  co_return commit;
}

// Bytes that JSON cannot carry go through a blob of their own.
Task<Outcome<Json>> TreeEntry(Api& api, File file, CallContext context) {
  Json entry = {{"path", file.path}, {"mode", "100644"}, {"type", "blob"}};
  if (IsUtf8(file.content)) {
    entry["content"] = std::move(file.content);
    co_return entry;
  }
  Json body = {{"content", absl::Base64Escape(file.content)}, {"encoding", "base64"}};
  Outcome<Answer> blob =
      co_await api.Call("POST", "/git/blobs", std::move(body), "git.createBlob", context);
  if (!blob.ok()) co_return blob.failure();
  if (!blob->ok()) co_return Refused("storing " + file.path, *blob);
  entry["sha"] = wire::StringAt(blob->body, "sha");
  co_return entry;
}

}  // namespace

// The sha of the branch's newest commit; "" when there is no such branch.
Task<Outcome<std::string>> GithubClient::HeadOf(std::string branch, CallContext context) {
  Outcome<Answer> answer =
      co_await api_->Call("GET", RefPath("ref", branch), nullptr, "git.getRef", context);
  if (!answer.ok()) co_return answer.failure();
  if (answer->status == 404) co_return std::string();
  if (!answer->ok()) co_return Refused("reading branch " + branch, *answer);
  std::string sha = wire::StringAt(wire::At(answer->body, "object"), "sha");
  if (sha.empty()) co_return wire::Malformed("github", "git.getRef", false);
  co_return sha;
}

// A commit of the files on top of `parent_sha`. Everything in it is fixed, so that a repetition
// gives the same sha.
Task<Outcome<std::string>> GithubClient::CommitFor(std::string parent_sha, std::vector<File> files,
                                                   std::string message, absl::Time date,
                                                   CallContext context) {
  Outcome<Commit> parent = co_await GetCommit(*api_, parent_sha, context);
  if (!parent.ok()) co_return parent.failure();
  Json entries = Json::array();
  for (File& file : files) {
    Outcome<Json> entry = co_await TreeEntry(*api_, std::move(file), context);
    if (!entry.ok()) co_return entry.failure();
    entries.push_back(std::move(*entry));
  }
  Json tree_body = {{"base_tree", parent->tree}, {"tree", std::move(entries)}};
  Outcome<Answer> tree =
      co_await api_->Call("POST", "/git/trees", std::move(tree_body), "git.createTree", context);
  if (!tree.ok()) co_return tree.failure();
  if (!tree->ok()) co_return Refused("storing the files", *tree);
  const Json person = {
      {"name", options_.author_name}, {"email", options_.author_email}, {"date", Iso(date)}};
  Json commit_body = {{"message", message},
                      {"tree", wire::StringAt(tree->body, "sha")},
                      {"parents", Json::array({parent_sha})},
                      {"author", person},
                      {"committer", person}};
  Outcome<Answer> commit = co_await api_->Call("POST", "/git/commits", std::move(commit_body),
                                               "git.createCommit", context);
  if (!commit.ok()) co_return commit.failure();
  if (!commit->ok()) co_return Refused("making the commit", *commit);
  std::string sha = wire::StringAt(commit->body, "sha");
  if (sha.empty()) co_return wire::Malformed("github", "git.createCommit", false);
  co_return sha;
}

Task<Outcome<Branch>> GithubClient::EnsureBranchWithFiles(std::string branch,
                                                          std::vector<File> files,
                                                          std::string message, absl::Time date,
                                                          CallContext context) {
  // The branch may appear (a lost answer) or go between the look and the write.
  for (int round = 1;; ++round) {
    Outcome<std::string> head = co_await HeadOf(branch, context);
    if (!head.ok()) co_return head.failure();
    const std::string existing = *head;
    std::string parent;
    if (existing.empty()) {
      Outcome<std::string> base = co_await HeadOf(options_.base_branch, context);
      if (!base.ok()) co_return base.failure();
      if (base->empty()) {
        co_return base::Failure::Permanent(
            "NotFound", wire::Cat("github: ", options_.owner, "/", options_.repo, " has no branch ",
                                  options_.base_branch));
      }
      parent = *base;
    } else {
      Outcome<Commit> newest = co_await GetCommit(*api_, existing, context);
      if (!newest.ok()) co_return newest.failure();
      // Somebody put a commit on top of ours: theirs to keep.
      if (!SameText(newest->message, message)) co_return Branch{.name = branch, .sha = existing};
      parent = newest->parent;
    }
    Outcome<std::string> commit = co_await CommitFor(parent, files, message, date, context);
    if (!commit.ok()) co_return commit.failure();
    if (*commit == existing) co_return Branch{.name = branch, .sha = existing};
    const bool create = existing.empty();
    Json body = {{"sha", *commit}};
    if (create) {
      body["ref"] = "refs/heads/" + branch;
    } else {
      body["force"] = true;
    }
    Outcome<Answer> written = co_await api_->Call(
        create ? "POST" : "PATCH", create ? "/git/refs" : RefPath("refs", branch), std::move(body),
        create ? "git.createRef" : "git.updateRef", context);
    if (!written.ok()) co_return written.failure();
    if (written->ok()) co_return Branch{.name = branch, .sha = *commit};
    if (written->status != 422 || round >= kBranchRoundsMax) {
      co_return Refused("writing branch " + branch, *written);
    }
  }
}

Task<Outcome<bool>> GithubClient::DeleteBranch(std::string branch, CallContext context) {
  Outcome<Answer> answer =
      co_await api_->Call("DELETE", RefPath("refs", branch), nullptr, "git.deleteRef", context);
  if (!answer.ok()) co_return answer.failure();
  if (answer->ok()) co_return true;
  const bool gone =
      answer->status == 404 ||
      (answer->status == 422 && answer->Words().find("does not exist") != std::string::npos);
  if (gone) co_return false;
  co_return Refused("deleting branch " + branch, *answer);
}

}  // namespace github
