#include "gateway/webhooks/google_chat.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "activities/connectors/wire/json.h"
#include "gateway/webhooks/answers.h"
#include "gateway/webhooks/approvers.h"
#include "gateway/webhooks/google_chat_conversation.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/base/task.h"

namespace webhooks {
namespace {

constexpr char kIssuer[] = "https://accounts.google.com";
constexpr char kChatAccount[] = "chat@system.gserviceaccount.com";
constexpr absl::Duration kKeysTimeout = absl::Milliseconds(1200);

const outbound::Vendor& GoogleKeys() {
  static const auto* const kVendor = new outbound::Vendor{.name = "google_keys",
                                                          .timeout = kKeysTimeout,
                                                          .tries_max = 1,
                                                          .response_bytes_max = 256 << 10,
                                                          .has_breaker = false};
  return *kVendor;
}

// Google also publishes the same keys as {"KEY ID": "CERTIFICATE"}: then as PEM.
std::string KeysDocument(const std::string& body) {
  const auto json = wire::ParseJson(body);
  if (!json.has_value() || !json->is_object() || json->contains("keys")) return body;
  std::string pem;
  for (const auto& [id, certificate] : json->items()) {
    if (certificate.is_string()) absl::StrAppend(&pem, certificate.get<std::string>(), "\n");
  }
  return pem.empty() ? body : pem;
}

auth::JwtVerifier::Fetch FetchOver(outbound::Outbound& outbound, base::EventLoop& loop) {
  return [&outbound, &loop](const std::string& url, auth::KeySource::Fetched done) {
    loop.Post([&outbound, url, done = std::move(done)]() mutable {
      outbound::HttpRequest request{.url = url, .operation = "keys"};
      request.control = true;  // reads public keys: nothing that the kill switch is for
      base::Spawn(outbound.Call(GoogleKeys(), std::move(request), {}),
                  [done = std::move(done)](std::exception_ptr error,
                                           base::Outcome<outbound::HttpResponse>* answer) mutable {
                    if (error) return done(absl::UnavailableError("the keys cannot be fetched"));
                    if (!answer->ok()) {
                      return done(absl::UnavailableError(answer->failure().ToString()));
                    }
                    if ((*answer)->status != 200) {
                      return done(absl::UnavailableError(
                          absl::StrCat("the keys' address answered ", (*answer)->status)));
                    }
                    done(KeysDocument((*answer)->body));
                  });
    });
  };
}

auth::JwtOptions VerifierOptions(const GoogleChatOptions& options) {
  auth::JwtOptions jwt;
  jwt.rules.issuer = options.audience_is_project ? kChatAccount : kIssuer;
  jwt.rules.audiences = {options.audience};
  jwt.between_fetches = options.between_key_fetches;
  if (options.audience.empty()) return jwt;  // nothing is fetched
  jwt.jwks_url = !options.keys_url.empty()     ? options.keys_url
                 : options.audience_is_project ? kGoogleChatKeysUrl
                                               : kGoogleKeysUrl;
  return jwt;
}

std::string TokenOf(const gateway::RawRequest& request) {
  const std::string header = request.http.Header("authorization");
  if (absl::StartsWithIgnoreCase(header, "bearer ")) {
    return std::string(absl::StripAsciiWhitespace(absl::string_view(header).substr(7)));
  }
  return SystemIdToken(request.http.body);
}

std::string DomainOf(const std::string& email) {
  const size_t at = email.rfind('@');
  return at == email.npos ? "" : email.substr(at + 1);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GoogleChat>> GoogleChat::Make(GoogleChatOptions options,
                                                             const std::string& path, Parts parts) {
  ASSIGN_OR_RETURN(std::unique_ptr<GoogleChatNotifier> notifier,
                   GoogleChatNotifier::Open(
                       path, {parts.client, parts.chat, parts.loop, parts.clock, parts.metrics}));
  return std::unique_ptr<GoogleChat>(
      new GoogleChat(std::move(options), std::move(notifier), std::move(parts)));
}

GoogleChat::GoogleChat(GoogleChatOptions options, std::unique_ptr<GoogleChatNotifier> notifier,
                       Parts parts)
    : options_(std::move(options)),
      p_(std::move(parts)),
      notifier_(std::move(notifier)),
      verifier_(VerifierOptions(options_), p_.clock, FetchOver(p_.outbound, p_.loop)) {
  CountFromZero(p_.metrics, kGoogleChatSource, {"token_refused"});
}

void GoogleChat::AddTo(gateway::RestHandler& handler) {
  handler.AddRaw("POST", "/webhooks/google-chat",
                 [this](gateway::RawRequest request, gateway::RawDone done) {
                   Receive(std::move(request), std::move(done));
                 });
}

void GoogleChat::Start() {
  notifier_->Start();
  if (const absl::Status opened = verifier_.Open(); !opened.ok()) {
    base::Log(base::LogLevel::kError, "the keys of Google Chat cannot be used", {},
              {{"error", opened.ToString()}});
  }
}

bool GoogleChat::IsAllowed(const std::string& email) const {
  const std::string domain = DomainOf(email);
  return !domain.empty() &&
         std::any_of(
             options_.allowed_domains.begin(), options_.allowed_domains.end(),
             [&](const std::string& allowed) { return absl::EqualsIgnoreCase(allowed, domain); });
}

auth::Role GoogleChat::RoleOf(const std::string& email) const {
  const auth::Role given = p_.role_of ? p_.role_of(email) : auth::Role::kViewer;
  return IsApprover(options_.editors, "", email) ? std::max(given, auth::Role::kEditor) : given;
}

bool GoogleChat::MayDecide(const std::string& email) const {
  return RoleOf(email) >= auth::Role::kEditor || IsApprover(options_.approvers, "", email);
}

void GoogleChat::Receive(gateway::RawRequest request, gateway::RawDone done) {
  if (options_.audience.empty()) {
    return done(NotSetUp("Google Chat", "webhooks.google_chat.audience"));
  }
  std::string token = TokenOf(request);
  verifier_.Verify(
      std::move(token), [this, body = std::move(request.http.body), call = std::move(request.call),
                         done = std::move(done)](absl::StatusOr<auth::Claims> claims) mutable {
        if (absl::IsUnavailable(claims.status())) {
          CountRequest(p_.metrics, kGoogleChatSource, "busy");
          return done(TryAgainAnswer(std::string(claims.status().message())));
        }
        absl::Status proof = claims.status();
        // Other accounts have tokens of the same issuer, for whatever audience they like.
        if (proof.ok() && !options_.audience_is_project &&
            (claims->email != kChatAccount || claims->email_refuted)) {
          proof = absl::UnauthenticatedError("the token is not Google Chat's");
        }
        if (!proof.ok()) {
          CountRequest(p_.metrics, kGoogleChatSource, "token_refused");
          base::Log(base::LogLevel::kWarning, "a webhook was refused: its token does not hold", {},
                    {{"source", kGoogleChatSource}, {"error", std::string(proof.message())}});
          return done(ErrorAnswer(401, std::string(proof.message())));
        }
        Believe(std::move(body), std::move(call), std::move(done));
      });
}

void GoogleChat::Believe(std::string body, gateway::CallInfo call, gateway::RawDone done) {
  absl::StatusOr<ChatEvent> event = ReadChatEvent(body);
  if (!event.ok()) {
    CountRequest(p_.metrics, kGoogleChatSource, "malformed");
    return done(ErrorAnswer(400, std::string(event.status().message())));
  }
  CountRequest(p_.metrics, kGoogleChatSource, "answered");
  if (event->type == ChatEvent::Type::kOther) return done(JsonAnswer(200, "{}"));
  if (!IsAllowed(event->email)) {
    base::Log(base::LogLevel::kWarning, "somebody of another domain wrote to the Google Chat app",
              {}, {{"domain", DomainOf(event->email)}});
    return done(JsonAnswer(
        200, ChatAnswer(ChatReply::kNew,
                        "Sorry, people of your e-mail domain may not use this app.", "")));
  }
  call.ns = options_.ns;
  call.caller = {.identity = event->email,
                 .credential = kGoogleChatSource,
                 .role = RoleOf(event->email),
                 .ns = options_.ns};
  const bool may_decide = MayDecide(event->email);
  Converse({.campaigns = p_.campaigns,
            .decisions = p_.decisions,
            .notifier = *notifier_,
            .loop = p_.loop,
            .options = options_,
            .guard = p_.guard},
           *std::move(event), std::move(call), may_decide, std::move(done));
}

}  // namespace webhooks
