// What reviewers need (commits, comparisons, permissions), and the webhooks about what they do.

#include <algorithm>

#include "tests/sandbox/git_merge.h"
#include "tests/sandbox/github.h"
#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr size_t kCommitsMax = 250;
constexpr char kNoCommit[] = "0000000000000000000000000000000000000000";

}  // namespace

Response GitHub::PullCommits(Call& call) {
  const Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  const Json json = PullJson(call, *pull);
  const std::string base = StringOr(pull->doc, "base_sha");
  std::vector<std::string> shas;
  std::string sha = json["head"]["sha"];
  while (!sha.empty() && shas.size() < kCommitsMax && !IsAncestor(git_, sha, base)) {
    shas.push_back(sha);
    const std::optional<GitCommit> commit = git_.ReadCommit(sha);
    sha = commit && !commit->parents.empty() ? commit->parents.front() : "";
  }
  std::reverse(shas.begin(), shas.end());
  Json out = Json::array();
  for (const std::string& each : shas) {
    const Json commit = CommitJson(call, each);
    out.push_back({{"sha", each}, {"commit", commit}, {"parents", commit["parents"]}});
  }
  return Paged(call, out);
}

Response GitHub::Compare(Call& call) {
  if (RepoOf(call).empty()) return NotFound();
  const std::string basehead = call.Param("basehead");
  const size_t dots = basehead.find("...");
  if (dots == std::string::npos) return NotFound();
  const std::string base = basehead.substr(0, dots);
  const std::string head = basehead.substr(dots + 3);
  if (git_.TypeOf(base) != "commit" || git_.TypeOf(head) != "commit") return NotFound();
  const std::string from = MergeBase(git_, base, head);
  Json files = Json::array();
  for (const auto& [path, entry] : git_.Diff(TreeOfCommit(from), TreeOfCommit(head))) {
    const bool existed = git_.FindPath(TreeOfCommit(from), path).has_value();
    files.push_back({{"filename", path},
                     {"sha", entry ? Json(entry->sha) : Json()},
                     {"status", !entry    ? "removed"
                                : existed ? "modified"
                                          : "added"}});
  }
  return JsonResponse(200, {{"status", base == head ? "identical" : "ahead"},
                            {"merge_base_commit", {{"sha", from}}},
                            {"files", files}});
}

// Everybody may write but those whose login has "reader" or "outsider" in it.
Response GitHub::GetPermission(Call& call) {
  if (RepoOf(call).empty()) return NotFound();
  const std::string login = call.Param("login");
  if (Contains(login, "outsider")) return NotFound();
  const std::string permission = Contains(login, "reader") ? "read" : "write";
  return JsonResponse(
      200, {{"permission", permission}, {"role_name", permission}, {"user", UserJson(login)}});
}

Json GitHub::RepoJson(const Call& call) const {
  return {{"name", call.Param("repo")},
          {"full_name", call.Param("owner") + "/" + call.Param("repo")},
          {"owner", UserJson(call.Param("owner"))},
          {"html_url", HtmlUrl(call)}};
}

void GitHub::TellPull(const Call& call, const std::string& action, const Resource& pull) {
  hooks_.SendGitHub("pull_request", {{"action", action},
                                     {"number", IntOr(pull.doc, "number", 0)},
                                     {"pull_request", PullJson(call, pull)},
                                     {"repository", RepoJson(call)},
                                     {"sender", UserJson(LoginOf(call))}});
}

void GitHub::TellReview(const Call& call, const Resource& pull, const Json& review) {
  Json told = review;
  told["state"] = Lower(StringOr(review, "state"));  // lower case here, upper case in REST
  hooks_.SendGitHub("pull_request_review", {{"action", "submitted"},
                                            {"review", told},
                                            {"pull_request", PullJson(call, pull)},
                                            {"repository", RepoJson(call)},
                                            {"sender", UserJson(LoginOf(call))}});
}

void GitHub::TellPush(const Call& call, const std::string& repo, const std::string& ref,
                      const std::string& before, const std::string& after) {
  if (repo != call.Param("owner") + "/" + call.Param("repo") || !ref.starts_with("heads/")) return;
  if (ref == "heads/main") return;  // every page that is published: nobody here listens to that
  Json head;
  if (!after.empty()) head = CommitJson(call, after);
  hooks_.SendGitHub(
      "push", {{"ref", "refs/" + ref},
               {"before", before.empty() ? kNoCommit : before},
               {"after", after.empty() ? kNoCommit : after},
               {"created", before.empty()},
               {"deleted", after.empty()},
               {"forced", !before.empty() && !after.empty() && !IsAncestor(git_, before, after)},
               {"head_commit", head},
               {"commits", head.is_null() ? Json::array() : Json::array({head})},
               {"repository", RepoJson(call)},
               {"pusher", {{"name", LoginOf(call)}}},
               {"sender", UserJson(LoginOf(call))}});
}

}  // namespace sandbox
