// Pages: files on the pages branch, written by compare-and-set on their blob's sha.
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

// Others may write to the branch as well.
constexpr int kWriteRoundsMax = 8;

std::string ContentsPath(const std::string& path) {
  return "/contents/" + wire::PercentEncode(path);
}

Task<bool> WaitForOthers(Api& api, int round, CallContext context) {
  const bool elapsed = co_await base::Sleep(
      api.loop(), absl::Milliseconds(20) * (1 << std::min(round, 6)), context.cancel);
  co_return elapsed;
}

bool IsConflict(const Answer& answer) { return answer.status == 409 || answer.status == 422; }

}  // namespace

std::string GithubClient::PageUrl(const std::string& path) const {
  const std::string base = options_.pages_url.empty()
                               ? wire::Cat("https://", options_.owner, ".github.io/", options_.repo)
                               : options_.pages_url;
  std::string url = wire::JoinUrl(base, "/" + path);
  const std::string index = "/index.html";
  if (url.ends_with(index)) url.resize(url.size() - index.size() + 1);
  return url;
}

// The blob's sha, "" when there is no such file.
Task<Outcome<std::string>> GithubClient::PageSha(std::string path, CallContext context) {
  const std::string query =
      wire::Cat(ContentsPath(path), "?ref=", wire::PercentEncode(options_.pages_branch));
  Outcome<Answer> answer = co_await api_->Call("GET", query, nullptr, "repos.getContent", context);
  if (!answer.ok()) co_return answer.failure();
  if (answer->status == 404) co_return std::string();
  if (!answer->ok()) co_return Refused("reading page " + path, *answer);
  std::string sha = wire::StringAt(answer->body, "sha");
  if (sha.empty()) co_return wire::Malformed("github", "repos.getContent", false);
  co_return sha;
}

Task<Outcome<Page>> GithubClient::EnsurePage(std::string path, std::string content,
                                             std::string message, CallContext context) {
  const base::Semaphore::Permit permit = co_await page_writes_.Acquire(context.cancel);
  if (!permit.held()) co_return base::Failure::Canceled(context.cancel.reason());
  Outcome<Page> page = co_await WritePage(path, content, message, context);
  co_return page;
}

Task<Outcome<Page>> GithubClient::WritePage(std::string path, std::string content,
                                            std::string message, CallContext context) {
  const std::string wanted = BlobSha(content);
  const std::string encoded = absl::Base64Escape(content);
  Page page{.path = path, .url = PageUrl(path), .sha = wanted};
  for (int round = 1;; ++round) {
    Outcome<std::string> existing = co_await PageSha(path, context);
    if (!existing.ok()) co_return existing.failure();
    if (*existing == wanted) co_return page;
    page.replaced_sha = *existing;
    page.changed = true;
    Json body = {{"message", message}, {"content", encoded}, {"branch", options_.pages_branch}};
    if (!existing->empty()) body["sha"] = *existing;
    Outcome<Answer> answer = co_await api_->Call("PUT", ContentsPath(path), std::move(body),
                                                 "repos.createOrUpdateFileContents", context);
    if (!answer.ok()) co_return answer.failure();
    if (answer->ok()) co_return page;
    if (answer->status == 404 && round == 1) {  // no such branch yet
      Outcome<bool> made = co_await MakePagesBranch(context);
      if (!made.ok()) co_return made.failure();
      if (*made) continue;
    }
    if (!IsConflict(*answer) || round >= kWriteRoundsMax) {
      base::Failure failure = Refused("writing page " + path, *answer);
      failure.retryable = answer->status == 409;
      co_return failure;
    }
    const bool elapsed = co_await WaitForOthers(*api_, round, context);
    if (!elapsed) co_return base::Failure::Canceled(context.cancel.reason());
  }
}

// False when the branch is there already.
Task<Outcome<bool>> GithubClient::MakePagesBranch(CallContext context) {
  Outcome<std::string> existing = co_await HeadOf(options_.pages_branch, context);
  if (!existing.ok()) co_return existing.failure();
  if (!existing->empty()) co_return false;
  Outcome<std::string> base = co_await HeadOf(options_.base_branch, context);
  if (!base.ok()) co_return base.failure();
  Json body = {{"ref", "refs/heads/" + options_.pages_branch}, {"sha", *base}};
  Outcome<Answer> answer =
      co_await api_->Call("POST", "/git/refs", std::move(body), "git.createRef", context);
  if (!answer.ok()) co_return answer.failure();
  if (answer->ok() || answer->Words().find("already exists") != std::string::npos) co_return true;
  co_return Refused("making branch " + options_.pages_branch, *answer);
}

Task<Outcome<bool>> GithubClient::DeletePage(std::string path, std::string restore_sha,
                                             std::string message, CallContext context) {
  const base::Semaphore::Permit permit = co_await page_writes_.Acquire(context.cancel);
  if (!permit.held()) co_return base::Failure::Canceled(context.cancel.reason());
  if (restore_sha.empty()) {
    Outcome<bool> removed = co_await RemovePage(path, message, context);
    co_return removed;
  }
  Outcome<Answer> blob =
      co_await api_->Call("GET", "/git/blobs/" + restore_sha, nullptr, "git.getBlob", context);
  if (!blob.ok()) co_return blob.failure();
  if (!blob->ok()) co_return Refused("reading what page " + path + " was before", *blob);
  std::string bytes;
  const std::string text = wire::StringAt(blob->body, "content");
  if (wire::StringAt(blob->body, "encoding") != "base64") {
    bytes = text;
  } else if (!absl::Base64Unescape(text, &bytes)) {
    co_return wire::Malformed("github", "git.getBlob", false);
  }
  Outcome<Page> page = co_await WritePage(path, bytes, message, context);
  if (!page.ok()) co_return page.failure();
  co_return page->changed;
}

Task<Outcome<bool>> GithubClient::RemovePage(std::string path, std::string message,
                                             CallContext context) {
  for (int round = 1;; ++round) {
    Outcome<std::string> existing = co_await PageSha(path, context);
    if (!existing.ok()) co_return existing.failure();
    if (existing->empty()) co_return round > 1;  // ours, when an earlier round may have done it
    Json body = {{"message", message}, {"sha", *existing}, {"branch", options_.pages_branch}};
    Outcome<Answer> answer = co_await api_->Call("DELETE", ContentsPath(path), std::move(body),
                                                 "repos.deleteFile", context);
    if (!answer.ok()) co_return answer.failure();
    if (answer->ok() || answer->status == 404) co_return true;
    if (!IsConflict(*answer) || round >= kWriteRoundsMax) {
      base::Failure failure = Refused("deleting page " + path, *answer);
      failure.retryable = answer->status == 409;
      co_return failure;
    }
    const bool elapsed = co_await WaitForOthers(*api_, round, context);
    if (!elapsed) co_return base::Failure::Canceled(context.cancel.reason());
  }
}

}  // namespace github
