// JSON as the connectors read and write it: nothing here throws, absent fields read as empty. For
// .cc files only (nlohmann/json is a heavy header).
// Thread-safety: free functions on values, thread-compatible.
//
// Example:
//   std::optional<wire::Json> body = wire::ParseJson(response.body);
//   if (body) title = wire::StringAt(*body, "title");
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"

namespace wire {

using Json = nlohmann::json;

// Deeper values are refused: writing one out again would use up the stack.
inline constexpr int kJsonDepthMax = 200;

// Nothing when `text` is not one complete JSON value, or one deeper than kJsonDepthMax.
std::optional<Json> ParseJson(std::string_view text);
// Compact text; bytes that are not UTF-8 become U+FFFD.
std::string DumpJson(const Json& value);

// The member of an object; JSON null when `object` is none or has no such member.
const Json& At(const Json& object, std::string_view key);
// The member when it has the type, else "", 0, false.
std::string StringAt(const Json& object, std::string_view key);
int64_t IntAt(const Json& object, std::string_view key);
bool BoolAt(const Json& object, std::string_view key);

// A request with a JSON body and its Content-Type.
outbound::HttpRequest JsonRequest(std::string method, std::string url, const Json& body,
                                  std::string operation);

// The failure for an answer that cannot be read: retryable, and with its effect unknown when the
// call may have made something.
base::Failure Malformed(std::string_view vendor, std::string_view operation, bool effect_unknown);

// The JSON body of a 2xx answer. Anything else becomes a failure: 404 and 410
// "NotFound", other 4xx "InvalidRequest" (both permanent, in the vendor's words), an unreadable
// body Malformed.
base::Outcome<Json> BodyOf(std::string_view vendor, const outbound::HttpRequest& request,
                           const outbound::HttpResponse& response);
// The same for an answer whose body does not matter.
base::Done Expect2xx(std::string_view vendor, const outbound::HttpRequest& request,
                     const outbound::HttpResponse& response);

// ClassifyByStatus, and a 2xx whose body is not JSON is kRetryUnknown
// "MalformedResponse".
outbound::Classification ClassifyJson(const outbound::HttpRequest& request,
                                      const outbound::HttpResponse& response);

}  // namespace wire
