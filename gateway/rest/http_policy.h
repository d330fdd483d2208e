// HttpPolicy: what every answer carries whatever made it (security headers, CORS, gzip, 304), and
// which requests of browsers are refused before anybody looks at them. Constant after
// construction: thread-safe.
//
// Example:
//   HttpPolicy policy({.origins = {"https://app.example.com"}});
//   const RequestFacts facts = RequestFacts::Of(request);
//   if (std::optional<HttpRefusal> no = policy.Refuse(facts)) ...
//   policy.Finish(facts, &response);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/rest/http.h"

namespace gateway {

struct HttpPolicyOptions {
  // Origins ("https://app.example.com") whose pages may call the API; "*": any.
  std::vector<std::string> origins;
  absl::Duration preflight_max_age = absl::Minutes(10);
  bool tls = false;                                    // the port speaks TLS
  absl::Duration hsts_max_age = absl::ZeroDuration();  // 0: no Strict-Transport-Security
  size_t gzip_bytes_min = 1024;                        // smaller bodies are sent as they are
};

// What an answer depends on of its request.
struct RequestFacts {
  std::string method;
  std::string host;
  std::string origin;
  std::string fetch_site;  // Sec-Fetch-Site
  std::string accept_encoding;
  std::string if_none_match;
  bool preflight = false;

  static RequestFacts Of(const HttpRequest& request);
};

struct HttpRefusal {
  int http_status;
  absl::Status status;
};

class HttpPolicy {
 public:
  explicit HttpPolicy(HttpPolicyOptions options) : options_(std::move(options)) {}

  // 403: a page of a foreign origin wants to change something. Browsers add client certificates by
  // themselves, so that a page of anybody could use them otherwise.
  std::optional<HttpRefusal> Refuse(const RequestFacts& facts) const;
  // Adds headers, compresses the body, turns an answer that the caller has into 304.
  void Finish(const RequestFacts& facts, HttpResponse* response) const;
  // The same for the head of an event stream: headers only.
  void FinishStream(const RequestFacts& facts, HttpResponse* head) const;

 private:
  bool Allows(const std::string& origin) const;
  void AddHeaders(const RequestFacts& facts, HttpResponse* response) const;

  const HttpPolicyOptions options_;
};

// Whether "gzip" is welcome (RFC 9110 section 12.5.3).
bool AcceptsGzip(const std::string& accept_encoding);
std::string Gzip(const std::string& bytes);

}  // namespace gateway
