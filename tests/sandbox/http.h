// HTTP as values: what a vendor gets and gives. No sockets here (see server.h).
// Thread-safety: plain values, externally synchronised.
//
// Example:
//   Request request = MakeRequest("GET", "/slack/api/auth.test?pretty=1");
//   request.segments;                    // {"slack", "api", "auth.test"}
//   request.QueryParam("pretty");        // "1"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sandbox {

using NameValues = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;
  std::string target;                 // as sent: path and query
  std::string path;                   // as sent, without the query
  std::vector<std::string> segments;  // the path's parts, percent-decoded
  NameValues query;                   // percent-decoded
  NameValues headers;
  std::string body;

  // First value of the header (any case), or "".
  std::string_view Header(std::string_view name) const;
  // First value of the query parameter, or "".
  std::string QueryParam(std::string_view name) const;
  bool HasQuery(std::string_view name) const;
  // "http://HOST" as the client addressed us.
  std::string Origin() const;
  // The token of `Authorization: <scheme> TOKEN`, or "" when absent or of another scheme.
  std::string AuthToken(std::string_view scheme) const;
};

// Fills everything that follows from the method and the target.
Request MakeRequest(std::string method, std::string target);

// "a=1&b=two+words" -> pairs.
NameValues ParseForm(std::string_view text);

struct Response {
  int status = 200;
  NameValues headers;
  std::string content_type = "application/json; charset=utf-8";
  std::string body;

  Response& With(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

Response EmptyResponse(int status);
Response TextResponse(int status, std::string content_type, std::string body);

// How the answer reaches the client, or does not.
enum class Delivery {
  kAnswer,  // normally
  kLose,    // the work is done and stored, the connection closes without an answer
  kReset,   // the connection is reset at once
  kHang,    // nothing is ever sent; ends when the client leaves
  kCut,     // the connection closes in the middle of the body
  kDrip,    // half of the body at once, then a byte a second
  kEndless  // the body again and again until the client leaves
};

struct Reply {
  Response response;
  Delivery delivery = Delivery::kAnswer;
  int64_t delay_ms = 0;
};

}  // namespace sandbox
