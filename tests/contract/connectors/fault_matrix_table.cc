// The table: faults, what they mean, and where an operation answers them in its own way.
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/contract/connectors/fault_matrix.h"

namespace connector_test {
namespace {

using enum Nature;

constexpr char kDown[] = "VendorUnavailable";
constexpr char kBad[] = "InvalidRequest";

Fault Status(int status, Nature nature, std::string type) {
  return {.name = absl::StrCat(status),
          .kind = "error",
          .status = status,
          .nature = nature,
          .type = std::move(type)};
}

// An error that HTTP says nothing of, or that says more than its status.
Fault Code(std::string code, int status, Nature nature, std::string type) {
  return {.name = absl::StrCat(status, " ", code),
          .kind = "error",
          .status = status,
          .code = code,
          .nature = nature,
          .type = std::move(type)};
}

// What every network does.
void AddCommon(std::vector<Fault>* faults) {
  faults->push_back({.name = "limit, says when",
                     .kind = "rate_limit",
                     .nature = kLimited,
                     .type = "RateLimited"});
  faults->push_back(
      {.name = "reset before the effect", .kind = "reset", .nature = kUndone, .type = kDown});
  faults->push_back(
      {.name = "reset after the effect", .kind = "lost_response", .nature = kDone, .type = kDown});
  faults->push_back(
      {.name = "hang", .kind = "hang", .nature = kUndone, .type = kDown, .slow = true});
  faults->push_back(
      {.name = "slow body", .kind = "slow_body", .nature = kDone, .type = kDown, .slow = true});
  faults->push_back(
      {.name = "truncated body", .kind = "truncated", .nature = kDone, .type = kDown});
  faults->push_back({.name = "malformed JSON",
                     .kind = "malformed",
                     .nature = kDone,
                     .type = "MalformedResponse"});
  faults->push_back({.name = "wrong content type",
                     .kind = "wrong_content_type",
                     .nature = kDone,
                     .type = "MalformedResponse"});
  faults->push_back({.name = "TLS failure", .kind = "", .nature = kNoSession, .type = kDown});
}

std::map<std::string, std::vector<Fault>> MakeFaults() {
  std::map<std::string, std::vector<Fault>> faults;
  const Fault unauthorized = Status(401, kRefused, "Unauthorized");
  const Fault forbidden = Status(403, kRefused, "Forbidden");
  const Fault limited = Status(429, kBusy, "RateLimited");
  const Fault error = Status(500, kUndone, kDown);
  const Fault unavailable = Status(503, kBusy, kDown);
  const Fault bad = Status(400, kRefused, kBad);
  const Fault missing = Status(404, kRefused, "NotFound");
  faults["notion"] = {bad,
                      unauthorized,
                      forbidden,
                      missing,
                      Status(409, kBusy, kDown),
                      limited,
                      error,
                      unavailable,
                      Status(504, kUndone, kDown),
                      Status(529, kBusy, kDown)};
  faults["webdriver"] = {
      Code("invalid argument", 400, kRefused, "WebDriver: invalid argument"),
      Code("invalid session id", 404, kRefused, "WebDriver: invalid session id"),
      Code("timeout", 500, kRefused, "WebDriver: timeout"),
      Code("session not created", 500, kRefused, "WebDriver: session not created")};
  faults["memory"] = {bad, unauthorized, missing, limited, error, unavailable};
  faults["openai"] = {bad,
                      unauthorized,
                      forbidden,
                      Status(404, kRefused, kBad),
                      Status(408, kBusy, kDown),
                      Status(409, kBusy, kDown),
                      limited,
                      Code("insufficient_quota", 429, kRefused, "QuotaExhausted"),
                      error,
                      unavailable};
  faults["figma"] = {bad, forbidden, missing, limited, Status(500, kUndone, "RenderFailed")};
  faults["figma-render"] = {Status(403, kRefused, "NotFound"), missing, error, unavailable};
  faults["github"] = {unauthorized,
                      forbidden,
                      missing,
                      Status(405, kRefused, kBad),
                      Status(409, kRefused, kBad),
                      Status(422, kRefused, kBad),
                      Status(429, kBusy, "RateLimited"),
                      error,
                      Status(502, kUndone, kDown),
                      unavailable};
  for (const char* code : {"channel_not_found", "not_in_channel", "is_archived", "invalid_blocks",
                           "restricted_action", "message_not_found"}) {
    faults["slack"].push_back(Code(code, 200, kRefused, "SlackRefused"));
  }
  for (const char* code : {"invalid_auth", "token_revoked", "missing_scope"}) {
    faults["slack"].push_back(Code(code, 200, kRefused, "Unauthorized"));
  }
  faults["slack"].push_back(Code("ratelimited", 200, kBusy, "RateLimited"));
  for (const char* code :
       {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}) {
    faults["slack"].push_back(Code(code, 200, kUndone, kDown));
  }
  faults["slack"].push_back(limited);
  faults["slack"].push_back(unavailable);
  faults["google_chat"] = {bad,     unauthorized, forbidden,  missing, Status(409, kRefused, kBad),
                           limited, error,        unavailable};
  faults["sendgrid"] = {bad,
                        unauthorized,
                        forbidden,
                        Status(404, kRefused, kBad),
                        Status(405, kRefused, kBad),
                        Status(413, kRefused, "PayloadTooLarge"),
                        limited,
                        error};
  faults["buffer"] = {Code("UNAUTHORIZED", 200, kRefused, "Unauthorized"),
                      Code("FORBIDDEN", 200, kRefused, "Forbidden"),
                      Code("NOT_FOUND", 200, kRefused, "NotFound"),
                      Code("UNEXPECTED", 200, kUndone, kDown),
                      Code("UNAUTHENTICATED", 401, kRefused, "Unauthorized"),
                      limited,
                      unavailable};
  faults["grafana"] = {bad,
                       unauthorized,
                       forbidden,
                       missing,
                       Status(412, kRefused, kBad),
                       Status(422, kRefused, kBad),
                       limited,
                       error,
                       unavailable};
  faults["cms"] = {bad,
                   unauthorized,
                   forbidden,
                   missing,
                   Status(409, kBusy, kDown),
                   Status(410, kRefused, "Unsubscribed"),
                   Status(422, kRefused, "IdempotencyConflict"),
                   limited,
                   error,
                   unavailable};
  for (auto& [vendor, list] : faults) AddCommon(&list);
  return faults;
}

Expected Ok(int calls) { return {.calls = calls}; }
Expected Fails(std::string type, int calls) { return {.type = std::move(type), .calls = calls}; }
Expected Refuses(std::string type, int calls = 1) {
  return {.type = std::move(type), .retryable = false, .calls = calls};
}
Expected Waits(std::string type) { return {.type = std::move(type), .waits = true, .calls = 1}; }

// Where an operation answers in its own way. "*" is every operation of the vendor; the first line
// that fits counts.
struct Exception {
  std::string vendor, operation, call, fault;
  Expected once, always;
};

std::vector<Exception> MakeExceptions() {
  return {
      // Long waits are the engine's.
      {"github", "*", "*", "429", Waits("RateLimited"), Waits("RateLimited")},
      {"buffer", "*", "*", "429", Waits("RateLimited"), Waits("RateLimited")},
      {"openai", "*", "*", "429 insufficient_quota", Fails("QuotaExhausted", 1),
       Fails("QuotaExhausted", 1)},
      // What is gone is deleted, and a message that is gone cannot be brought up to date.
      {"slack", "UpdateMessage", "*", "200 message_not_found", Ok(1), Ok(1)},
      {"slack", "DeleteMessage", "*", "200 message_not_found", Ok(1), Ok(1)},
      {"google_chat", "UpdateMessage", "*", "404", Ok(1), Ok(1)},
      {"google_chat", "DeleteMessage", "*", "404", Ok(1), Ok(1)},
      {"grafana", "GetDashboard", "*", "404", Ok(1), Ok(1)},
      {"grafana", "DeleteDashboard", "*", "404", Ok(1), Ok(1)},
      {"memory", "Get", "*", "404", Ok(1), Ok(1)},
      {"memory", "Delete", "*", "404", Ok(1), Ok(1)},
      {"cms", "Retract", "*", "404", Ok(1), Ok(1)},
      {"buffer", "DeletePost", "*", "200 NOT_FOUND", Ok(1), Ok(1)},
      {"github", "DeleteBranch", "*", "404", Ok(1), Ok(1)},
      {"github", "UpdatePullRequestBody", "*", "404", Ok(1), Ok(1)},
      {"github", "ClosePullRequest", "pulls.update", "404", Ok(1), Ok(1)},
      // The page was never there, or is not yet.
      {"github", "EnsurePage", "repos.getContent", "404", Ok(1), Ok(1)},
      {"github", "EnsurePage", "repos.getContent", "malformed JSON", Ok(1), Ok(1)},
      {"github", "EnsurePage", "repos.getContent", "wrong content type", Ok(1), Ok(1)},
      {"github", "DeletePage", "*", "404", Ok(1), Ok(1)},
      {"github", "EnsureBranchWithFiles", "git.getRef", "404", Ok(2), Refuses("NotFound", 2)},
      {"github", "EnsureBranchWithFiles", "git.getRef", "malformed JSON", Ok(2),
       Fails("MalformedResponse", 4)},
      {"github", "EnsureBranchWithFiles", "git.getRef", "wrong content type", Ok(2),
       Fails("MalformedResponse", 4)},
      // Somebody else was there first: looked at, and tried again for a while.
      {"github", "EnsureBranchWithFiles", "git.createRef", "422", Ok(2), Refuses(kBad, 3)},
      {"github", "MergePullRequest", "*", "405", Ok(2), Refuses("NotMergeable", 6)},
      {"github", "MergePullRequest", "*", "409", Ok(2), Refuses("HeadChanged", 6)},
      {"github", "EnsurePage", "repos.createOrUpdateFileContents", "409", Ok(2), Fails(kBad, 8)},
      {"github", "EnsurePage", "repos.createOrUpdateFileContents", "422", Ok(2), Refuses(kBad, 8)},
      {"github", "DeletePage", "*", "409", Ok(2), Fails(kBad, 8)},
      {"github", "DeletePage", "*", "422", Ok(2), Refuses(kBad, 8)},
      {"buffer", "DeletePosts", "*", "200 NOT_FOUND", Ok(2), Fails("StillListed", 10)},
      // The second call's status says that the first one did it.
      {"github", "MergePullRequest", "*", "malformed JSON", Ok(2), Ok(2)},
      {"github", "MergePullRequest", "*", "wrong content type", Ok(2), Ok(2)},
      {"github", "DeletePage", "*", "malformed JSON", Ok(2), Ok(2)},
      {"github", "DeletePage", "*", "wrong content type", Ok(2), Ok(2)},
      {"google_chat", "DeleteMessage", "*", "malformed JSON", Ok(2), Ok(2)},
      {"google_chat", "DeleteMessage", "*", "wrong content type", Ok(2), Ok(2)},
      {"grafana", "DeleteDashboard", "*", "malformed JSON", Ok(2), Ok(2)},
      {"grafana", "DeleteDashboard", "*", "wrong content type", Ok(2), Ok(2)},
      // A render that may be too large is tried once more at half the scale.
      {"figma", "RenderNodes", "*", "500", Ok(2), Fails("RenderFailed", 2 * kTries)},
      // An object store: it slows down by 503, and its bodies are pictures, no JSON.
      {"figma-render", "*", "*", "limit, says when", Ok(2), Fails(kDown, 1)},
      {"figma-render", "*", "*", "malformed JSON", Ok(1), Ok(1)},
      {"figma-render", "*", "*", "wrong content type", Fails("NotAnImage", 1),
       Fails("NotAnImage", 1)},
      // Nothing of these bodies is read.
      {"sendgrid", "SendOnce", "*", "malformed JSON", Ok(1), Ok(1)},
      {"sendgrid", "SendOnce", "*", "wrong content type", Ok(1), Ok(1)},
      {"sendgrid", "CancelBatch", "*", "malformed JSON", Ok(1), Ok(1)},
      {"sendgrid", "CancelBatch", "*", "wrong content type", Ok(1), Ok(1)},
      {"cms", "*", "*", "malformed JSON", Ok(1), Ok(1)},
      {"cms", "*", "*", "wrong content type", Ok(1), Ok(1)},
      {"memory", "Put", "*", "malformed JSON", Ok(1), Ok(1)},
      {"memory", "Put", "*", "wrong content type", Ok(1), Ok(1)},
      {"memory", "Delete", "*", "malformed JSON", Ok(1), Ok(1)},
      {"memory", "Delete", "*", "wrong content type", Ok(1), Ok(1)},
      // Not canceled, and refused: looked at, and tried again by the engine.
      {"sendgrid", "CancelBatch", "*", "400", Fails("CancelRefused", 1), Fails("CancelRefused", 1)},
      {"sendgrid", "CancelBatch", "*", "404", Fails("CancelRefused", 1), Fails("CancelRefused", 1)},
      // No status is known of the batch: then it is whatever its id says.
      {"sendgrid", "GetBatch", "*", "400", Ok(1), Ok(1)},
      {"sendgrid", "GetBatch", "*", "404", Ok(1), Ok(1)},
      // The remote end's errors are answers; its callers take a new session.
      {"webdriver", "DeleteSession", "*", "404 invalid session id", Ok(1), Ok(1)},
      {"webdriver", "*", "*", "400 invalid argument", Fails("WebDriver: invalid argument", 1),
       Fails("WebDriver: invalid argument", 1)},
      {"webdriver", "*", "*", "404 invalid session id", Fails("WebDriver: invalid session id", 1),
       Fails("WebDriver: invalid session id", 1)},
      {"webdriver", "*", "*", "500 timeout", Fails("WebDriver: timeout", 1),
       Fails("WebDriver: timeout", 1)},
      {"webdriver", "*", "*", "500 session not created", Fails("WebDriver: session not created", 1),
       Fails("WebDriver: session not created", 1)},
  };
}

// What an operation does when nothing special is written above.
Expected ByNature(const Operation& operation, const Fault& fault, Mode mode) {
  const bool once = mode == Mode::kOnce;
  const Expected second = Ok(operation.calls + 1);
  switch (fault.nature) {
    case kRefused:
      return Refuses(fault.type);
    case kBusy:
      return once ? second : Fails(fault.type, kTries);
    case kLimited:
      return once ? second : Waits(fault.type);
    case kNoSession:
      return Fails(fault.type, 0);
    case kUndone:
    case kDone:
      break;
  }
  switch (operation.doubt) {
    case Doubt::kRepeats:
      return once ? second : Fails(fault.type, kTries);
    case Doubt::kLooks:
      if (fault.nature == kDone) return Ok(1);
      return once ? second : Fails(fault.type, kRounds);
    case Doubt::kFences:
      return once ? second : Fails(fault.type, kRounds);
    case Doubt::kGivesBack:
      return Fails(fault.type, 1);
  }
  return {};
}

}  // namespace

const std::vector<Fault>& FaultsOf(const std::string& vendor) {
  static const auto* const kFaults = new std::map<std::string, std::vector<Fault>>(MakeFaults());
  return kFaults->at(vendor);
}

Expected ExpectedOf(const Operation& operation, const Fault& fault, Mode mode) {
  static const auto* const kExceptions = new std::vector<Exception>(MakeExceptions());
  for (const Exception& exception : *kExceptions) {
    const bool fits = exception.vendor == operation.vendor &&
                      (exception.operation == "*" || exception.operation == operation.name) &&
                      (exception.call == "*" || exception.call == operation.call) &&
                      exception.fault == fault.name;
    if (fits) return mode == Mode::kOnce ? exception.once : exception.always;
  }
  return ByNature(operation, fault, mode);
}

std::string Expected::ToString() const {
  const std::string times = calls == 1 ? "1 call" : absl::StrCat(calls, " calls");
  if (type.empty()) return absl::StrCat("succeeds, ", times);
  return absl::StrCat(waits ? "waits: " : retryable ? "" : "permanent: ", type, ", ", times);
}

}  // namespace connector_test
