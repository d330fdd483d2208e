// What reviewers did to a pull request: commits, files, and who they are.
#include <utility>

#include "absl/strings/ascii.h"
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

constexpr int kCommitPagesMax = 3;  // GitHub ends at 250 commits
constexpr size_t kFileBytesMax = 1'000'000;

// "a/b c" -> "a/b%20c".
std::string EncodePath(const std::string& path) {
  std::string encoded;
  size_t begin = 0;
  while (true) {
    const size_t slash = path.find('/', begin);
    encoded += wire::PercentEncode(path.substr(begin, slash - begin));
    if (slash == path.npos) return encoded;
    encoded += '/';
    begin = slash + 1;
  }
}

}  // namespace

Task<Outcome<std::vector<PullCommit>>> GithubClient::ListPullCommits(int64_t number,
                                                                     CallContext context) {
  std::vector<PullCommit> commits;
  for (int page = 1; page <= kCommitPagesMax; ++page) {
    Outcome<Answer> answer = co_await api_->Call(
        "GET", wire::Cat("/pulls/", number, "/commits?per_page=100&page=", page), nullptr,
        "pulls.listCommits", context);
    if (!answer.ok()) co_return answer.failure();
    if (!answer->ok()) co_return Refused(wire::Cat("reading commits of #", number), *answer);
    if (!answer->body.is_array()) co_return wire::Malformed("github", "pulls.listCommits", false);
    for (const Json& entry : answer->body) {
      const Json& author = wire::At(wire::At(entry, "commit"), "author");
      commits.push_back({.sha = wire::StringAt(entry, "sha"),
                         .ours = absl::AsciiStrToLower(wire::StringAt(author, "email")) ==
                                     absl::AsciiStrToLower(options_.author_email) &&
                                 wire::StringAt(author, "name") == options_.author_name});
    }
    if (answer->body.size() < 100) break;
  }
  co_return commits;
}

Task<Outcome<std::vector<ChangedFile>>> GithubClient::ChangedFiles(std::string base,
                                                                   std::string head,
                                                                   CallContext context) {
  Outcome<Answer> answer = co_await api_->Call(
      "GET", wire::Cat("/compare/", wire::PercentEncode(base), "...", wire::PercentEncode(head)),
      nullptr, "repos.compareCommits", context);
  if (!answer.ok()) co_return answer.failure();
  if (!answer->ok()) co_return Refused("comparing " + base + " with " + head, *answer);
  const Json& files = wire::At(answer->body, "files");
  if (!files.is_array()) co_return wire::Malformed("github", "repos.compareCommits", false);
  std::vector<ChangedFile> changed;
  for (const Json& file : files) {
    changed.push_back({.path = wire::StringAt(file, "filename"),
                       .removed = wire::StringAt(file, "status") == "removed"});
  }
  co_return changed;
}

Task<Outcome<std::optional<std::string>>> GithubClient::ReadFile(std::string path, std::string ref,
                                                                 CallContext context) {
  Outcome<Answer> answer = co_await api_->Call(
      "GET", wire::Cat("/contents/", EncodePath(path), "?ref=", wire::PercentEncode(ref)), nullptr,
      "repos.getContent", context);
  if (!answer.ok()) co_return answer.failure();
  if (answer->status == 404) co_return std::optional<std::string>();
  if (!answer->ok()) co_return Refused("reading " + path, *answer);
  std::string encoded = wire::StringAt(answer->body, "content");
  std::erase(encoded, '\n');
  std::string content;
  if (wire::StringAt(answer->body, "encoding") != "base64" ||
      encoded.size() > kFileBytesMax * 4 / 3 || !absl::Base64Unescape(encoded, &content)) {
    co_return base::Failure::Permanent(
        "InvalidRequest",
        wire::Cat("github: ", path, " is no file that can be read, or too large"));
  }
  co_return std::optional<std::string>(std::move(content));
}

Task<Outcome<bool>> GithubClient::MayWrite(std::string login, CallContext context) {
  Outcome<Answer> answer = co_await api_->Call(
      "GET", wire::Cat("/collaborators/", wire::PercentEncode(login), "/permission"), nullptr,
      "repos.getCollaboratorPermissionLevel", context);
  if (!answer.ok()) co_return answer.failure();
  if (answer->status == 404) co_return false;
  if (!answer->ok()) co_return Refused("reading the permission of " + login, *answer);
  const std::string permission = wire::StringAt(answer->body, "permission");
  co_return permission == "admin" || permission == "write" || permission == "maintain";
}

}  // namespace github
