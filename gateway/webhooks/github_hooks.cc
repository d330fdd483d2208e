// Receiving, and what an event asks for; github_review.cc does it.
#include "gateway/webhooks/github_hooks.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "activities/campaign/review_files.h"
#include "activities/connectors/wire/json.h"
#include "gateway/webhooks/answers.h"

namespace webhooks {
namespace {

using wire::Json;
using Kind = GithubEvent::Kind;

constexpr size_t kDeliveryIdBytesMax = 100;
constexpr absl::string_view kHeads = "refs/heads/";

std::string LoginOf(const Json& user) { return wire::StringAt(user, "login"); }

std::optional<GithubEvent> ReadReview(const Json& payload) {
  const Json& review = wire::At(payload, "review");
  const std::string state = absl::AsciiStrToLower(wire::StringAt(review, "state"));
  const bool approved = state == "approved";
  if (wire::StringAt(payload, "action") != "submitted") return std::nullopt;
  if (!approved && state != "changes_requested") return std::nullopt;
  return GithubEvent{.kind = approved ? Kind::kApprove : Kind::kReject,
                     .login = LoginOf(wire::At(review, "user")),
                     .commit = wire::StringAt(review, "commit_id"),
                     .comment = wire::StringAt(review, "body"),
                     .id = absl::StrCat("review-", wire::IntAt(review, "id"))};
}

std::optional<GithubEvent> ReadClosing(const Json& payload) {
  if (wire::StringAt(payload, "action") != "closed") return std::nullopt;
  const Json& pull = wire::At(payload, "pull_request");
  const bool merged = wire::BoolAt(pull, "merged");
  std::string login = merged ? LoginOf(wire::At(pull, "merged_by")) : std::string();
  if (login.empty()) login = LoginOf(wire::At(payload, "sender"));
  return GithubEvent{.kind = merged ? Kind::kMerge : Kind::kClose,
                     .login = std::move(login),
                     .comment = merged ? "merged the pull request" : "closed the pull request",
                     .id = merged ? "merge" : "close"};
}

std::optional<GithubEvent> ReadPush(const Json& payload) {
  const std::string ref = wire::StringAt(payload, "ref");
  absl::string_view branch = ref;
  if (!absl::ConsumePrefix(&branch, kHeads) || !campaign::IsCampaignBranch(branch)) {
    return std::nullopt;
  }
  if (wire::BoolAt(payload, "deleted")) return std::nullopt;
  return GithubEvent{.kind = Kind::kPush,
                     .branch = std::string(branch),
                     .login = LoginOf(wire::At(payload, "sender"))};
}

// "review\n{...}": a delivery's body.
std::pair<std::string, std::string> SplitStored(const std::string& stored) {
  const size_t end = stored.find('\n');
  if (end == stored.npos) return {};
  return {stored.substr(0, end), stored.substr(end + 1)};
}

}  // namespace

std::optional<GithubEvent> ReadGithubEvent(const std::string& name, const std::string& body,
                                           const std::string& repository) {
  const std::optional<Json> payload = wire::ParseJson(body);
  if (!payload.has_value() || !payload->is_object()) return std::nullopt;
  const std::string of = wire::StringAt(wire::At(*payload, "repository"), "full_name");
  if (!absl::EqualsIgnoreCase(of, repository)) return std::nullopt;
  if (name == "push") return ReadPush(*payload);
  std::optional<GithubEvent> event;
  if (name == "pull_request_review") event = ReadReview(*payload);
  if (name == "pull_request") event = ReadClosing(*payload);
  if (!event.has_value()) return std::nullopt;
  const Json& pull = wire::At(*payload, "pull_request");
  if (!campaign::IsCampaignBranch(wire::StringAt(wire::At(pull, "head"), "ref"))) {
    return std::nullopt;
  }
  event->pull_number = wire::IntAt(pull, "number");
  if (event->pull_number <= 0 || event->login.empty()) return std::nullopt;
  return event;
}

void GithubHooks::Receive(gateway::RawRequest request, gateway::RawDone done) {
  const std::string secret = options_.secret.value();
  if (secret.empty()) return done(NotSetUp("GitHub", "webhooks.github.secret"));
  const std::string& body = request.http.body;
  const SignatureCheck check =
      CheckGithubSignature(secret, body, request.http.Header("x-hub-signature-256"));
  if (check != SignatureCheck::kGood) {
    return done(RefuseSignature(p_.metrics, kGithubSource, check));
  }
  const std::string id = request.http.Header("x-github-delivery");
  const std::string name = request.http.Header("x-github-event");
  const auto malformed = [&](const char* what) {
    CountRequest(p_.metrics, kGithubSource, "malformed");
    done(ErrorAnswer(400, what));
  };
  if (id.empty() || id.size() > kDeliveryIdBytesMax) {
    return malformed("the header X-GitHub-Delivery is missing, or too long");
  }
  if (!wire::ParseJson(body).has_value()) {
    return malformed("the body is not JSON; choose the content type application/json");
  }
  if (!ReadGithubEvent(name, body, p_.github.repository()).has_value()) {
    CountRequest(p_.metrics, kGithubSource, "ignored");
    return done(JsonAnswer(
        200, name == "ping" ? R"({"message":"pong"})" : R"({"message":"nothing to do"})"));
  }
  Delivery delivery{.source = kGithubSource,
                    .id = id,
                    // The id is not signed: an old event under a new one is the old one.
                    .digest = Sha256Hex(absl::StrCat(name, "\n", body)),
                    .body = absl::StrCat(name, "\n", body)};
  p_.inbox.Accept(
      std::move(delivery), [this, done = std::move(done)](absl::StatusOr<bool> is_new) mutable {
        if (!is_new.ok()) {
          CountRequest(p_.metrics, kGithubSource, "busy");
          return done(TryAgainAnswer(std::string(is_new.status().message())));
        }
        CountRequest(p_.metrics, kGithubSource, *is_new ? "accepted" : "repeated");
        done(JsonAnswer(*is_new ? 202 : 200,
                        *is_new ? R"({"message":"accepted"})" : R"({"message":"known already"})"));
      });
}

base::Task<base::Outcome<std::string>> GithubHooks::Work(Delivery delivery,
                                                         base::CancelToken cancel) {
  const auto [name, body] = SplitStored(delivery.body);
  std::optional<GithubEvent> event = ReadGithubEvent(name, body, p_.github.repository());
  if (!event.has_value()) co_return std::string("nothing to do");
  outbound::CallContext call{.activity_name = "webhook",
                             .idempotency_key = absl::StrCat("github/", delivery.id),
                             .deadline = p_.clock.Now() + absl::Minutes(2),
                             .cancel = std::move(cancel)};
  base::Outcome<std::optional<Review>> found = co_await FindReview(*event, call);
  if (!found.ok()) co_return found.failure();
  if (!found->has_value()) co_return std::string("the pull request is not a campaign's");
  Review review = **found;
  call.workflow_id = review.key;
  if (event->kind == Kind::kPush) {
    Note taken = co_await TakeOverTexts(std::move(review), event->login, call);
    co_return taken;
  }
  Note decided = co_await Decide(std::move(review), *std::move(event), delivery.id, call);
  co_return decided;
}

}  // namespace webhooks
