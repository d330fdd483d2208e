#include "activities/connectors/github/api.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace github {
namespace {

const outbound::Vendor kGithub{.name = "github", .classify = &Classify};

bool SaysSlowDown(const std::string& words) {
  return words.find("secondary rate limit") != std::string::npos ||
         words.find("rate limit exceeded") != std::string::npos ||
         words.find("abuse detection") != std::string::npos;
}

}  // namespace

std::string Answer::Words() const {
  std::string words = wire::StringAt(body, "message");
  const wire::Json& errors = wire::At(body, "errors");
  if (errors.is_array()) {
    for (const wire::Json& error : errors) {
      const std::string message =
          error.is_string() ? error.get<std::string>() : wire::StringAt(error, "message");
      if (!message.empty()) words += ": " + message;
    }
  }
  return words;
}

Api::Api(outbound::Outbound& outbound, std::string base_url, base::Secret token, std::string owner,
         std::string repo)
    : outbound_(outbound),
      token_(std::move(token)),
      repo_url_(wire::JoinUrl(
          base_url, "/repos/" + wire::PercentEncode(owner) + "/" + wire::PercentEncode(repo))) {}

base::Task<base::Outcome<Answer>> Api::Call(std::string method, std::string path, wire::Json body,
                                            std::string operation, outbound::CallContext context,
                                            outbound::Repeat repeat) {
  outbound::HttpRequest request;
  request.method = std::move(method);
  request.url = repo_url_ + path;
  request.operation = std::move(operation);
  request.repeat = repeat;
  request.headers = {{"Authorization", "Bearer " + token_.value()},
                     {"Accept", "application/vnd.github+json"},
                     {"X-GitHub-Api-Version", "2022-11-28"}};
  if (!body.is_null()) {
    request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
    request.body = wire::DumpJson(body);
  }
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(kGithub, std::move(request), std::move(context));
  if (!response.ok()) co_return response.failure();
  Answer answer{.status = response->status};
  answer.body = wire::ParseJson(response->body).value_or(wire::Json());
  co_return answer;
}

base::Failure Refused(const std::string& what, const Answer& answer) {
  return base::Failure::Permanent(
      answer.status == 404 || answer.status == 410 ? "NotFound" : "InvalidRequest",
      base::Redact(wire::Truncate(
          wire::Cat("github: ", what, ": answered ", answer.status, ": ", answer.Words()), 500)));
}

outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response) {
  const int status = response.status;
  if (status == 405) return {};  // "not mergeable": the caller knows what it means
  if (status == 403 || status == 429) {
    const std::string words = outbound::VendorMessage(response.body);
    const std::string message = wire::Cat("answered ", status, ": ", words);
    const absl::Duration wait =
        outbound::ParseRetryAfter(response.Header("retry-after"), response.received_at);
    if (wait > absl::ZeroDuration()) return outbound::RateLimited(wait, message);
    if (response.Header("x-ratelimit-remaining") == "0") {
      const int64_t reset =
          std::strtoll(std::string(response.Header("x-ratelimit-reset")).c_str(), nullptr, 10);
      const absl::Duration left = absl::FromUnixSeconds(reset) - response.received_at;
      return outbound::RateLimited(std::clamp(left, absl::Seconds(1), absl::Hours(1)), message);
    }
    if (status == 429 || SaysSlowDown(words)) {
      return outbound::RateLimited(absl::Minutes(1), message);
    }
    return outbound::Permanent("Forbidden", message);
  }
  const bool success = status >= 200 && status < 300;
  // A 422 may mean that the work is done already: its words say so.
  const bool read = (success && status != 204) || status == 422;
  if (read && !wire::Json::accept(response.body)) {
    return {.verdict = outbound::Verdict::kRetryUnknown,
            .failure_type = "MalformedResponse",
            .failure_message = "the answer is not JSON"};
  }
  return outbound::ClassifyByStatus(request, response);
}

std::string BlobSha(const std::string& content) {
  const std::string header = wire::Cat("blob ", content.size()) + '\0';
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_MD_CTX* sha1 = EVP_MD_CTX_new();
  EVP_DigestInit_ex(sha1, EVP_sha1(), nullptr);
  EVP_DigestUpdate(sha1, header.data(), header.size());
  EVP_DigestUpdate(sha1, content.data(), content.size());
  EVP_DigestFinal_ex(sha1, digest, &length);
  EVP_MD_CTX_free(sha1);
  return absl::BytesToHexString(std::string(reinterpret_cast<char*>(digest), length));
}

bool IsUtf8(const std::string& text) {
  try {
    [[maybe_unused]] const std::string dumped = wire::Json(text).dump();
    return true;
  } catch (const wire::Json::exception&) {
    return false;
  }
}

}  // namespace github
