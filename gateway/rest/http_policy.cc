#include "gateway/rest/http_policy.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "orchestrator/base/check.h"

namespace gateway {

namespace {

// Nothing of an answer of the API is ever a page: it may load nothing and be framed by nobody.
constexpr char kApiPolicy[] = "default-src 'none'; frame-ancestors 'none'";
// Pages that say nothing themselves live of their own origin; inline styles are what swagger-ui
// and charts need.
constexpr char kPagePolicy[] =
    "default-src 'self'; img-src 'self' data: https:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

constexpr char kAllowedHeaders[] =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    "X-Correlation-ID, X-Namespace, X-Request-Timeout, Traceparent";
constexpr char kExposedHeaders[] =
    "ETag, Location, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, "
    "Retry-After, WWW-Authenticate, X-Correlation-ID";

bool Has(const HttpResponse& response, absl::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(), [&](const auto& header) {
    return absl::EqualsIgnoreCase(header.first, name);
  });
}

std::string Value(const HttpResponse& response, absl::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (absl::EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

void AddMissing(HttpResponse* response, const char* name, std::string value) {
  if (!Has(*response, name)) response->headers.emplace_back(name, std::move(value));
}

// "https://a.example:8080/x" -> "a.example:8080", without the port that the scheme implies.
std::string AuthorityOf(absl::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == url.npos) return "";
  absl::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find('/'));
  if (absl::StartsWithIgnoreCase(url, "https:")) absl::ConsumeSuffix(&authority, ":443");
  if (absl::StartsWithIgnoreCase(url, "http:")) absl::ConsumeSuffix(&authority, ":80");
  return absl::AsciiStrToLower(authority);
}

bool SameOrigin(const RequestFacts& facts) {
  const std::string theirs = AuthorityOf(facts.origin);
  std::string ours = absl::AsciiStrToLower(facts.host);
  if (absl::StartsWithIgnoreCase(facts.origin, "https:") && absl::EndsWith(ours, ":443")) {
    ours.resize(ours.size() - 4);
  }
  if (absl::StartsWithIgnoreCase(facts.origin, "http:") && absl::EndsWith(ours, ":80")) {
    ours.resize(ours.size() - 3);
  }
  return !theirs.empty() && theirs == ours;
}

bool OnlyReads(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

bool Compressible(absl::string_view type) {
  type = absl::StripAsciiWhitespace(type.substr(0, type.find(';')));
  if (type == "text/event-stream") return false;
  return absl::StartsWith(type, "text/") || type == "image/svg+xml" ||
         absl::StartsWith(type, "application/json") || absl::EndsWith(type, "+json") ||
         type == "application/javascript" || type == "application/xml" ||
         type == "application/yaml" || type == "application/x-ndjson";
}

// RFC 9110 section 13.1.2: weak comparison.
bool Matches(const std::string& if_none_match, absl::string_view etag) {
  absl::ConsumePrefix(&etag, "W/");
  for (absl::string_view given : absl::StrSplit(if_none_match, ',')) {
    given = absl::StripAsciiWhitespace(given);
    absl::ConsumePrefix(&given, "W/");
    if (given == "*" || given == etag) return true;
  }
  return false;
}

void AddVary(HttpResponse* response, absl::string_view name) {
  for (auto& [key, value] : response->headers) {
    if (!absl::EqualsIgnoreCase(key, "Vary")) continue;
    for (absl::string_view known : absl::StrSplit(value, ',')) {
      if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(known), name)) return;
    }
    return absl::StrAppend(&value, ", ", name);
  }
  response->headers.emplace_back("Vary", std::string(name));
}

}  // namespace

RequestFacts RequestFacts::Of(const HttpRequest& request) {
  RequestFacts facts;
  facts.method = request.method;
  facts.host = request.Header("host");
  facts.origin = request.Header("origin");
  facts.fetch_site = request.Header("sec-fetch-site");
  facts.accept_encoding = request.Header("accept-encoding");
  facts.if_none_match = request.Header("if-none-match");
  facts.preflight = request.method == "OPTIONS" && !facts.origin.empty() &&
                    !request.Header("access-control-request-method").empty();
  return facts;
}

bool HttpPolicy::Allows(const std::string& origin) const {
  return std::any_of(options_.origins.begin(), options_.origins.end(),
                     [&](const std::string& allowed) {
                       return allowed == "*" || absl::EqualsIgnoreCase(allowed, origin);
                     });
}

std::optional<HttpRefusal> HttpPolicy::Refuse(const RequestFacts& facts) const {
  if (OnlyReads(facts.method)) return std::nullopt;
  const bool foreign = facts.origin.empty() ? facts.fetch_site == "cross-site"
                                            : !SameOrigin(facts) && !Allows(facts.origin);
  if (!foreign) return std::nullopt;
  return HttpRefusal{
      403,
      absl::PermissionDeniedError(absl::StrCat(
          "pages of ", facts.origin.empty() ? "other sites" : facts.origin.substr(0, 200),
          " may change nothing here; add the origin to server.http.cors_origins if they may"))};
}

void HttpPolicy::AddHeaders(const RequestFacts& facts, HttpResponse* response) const {
  const bool page = absl::StartsWith(response->content_type, "text/html");
  AddMissing(response, "X-Content-Type-Options", "nosniff");
  AddMissing(response, "Content-Security-Policy", page ? kPagePolicy : kApiPolicy);
  AddMissing(response, "Referrer-Policy", "no-referrer");
  AddMissing(response, "Cache-Control", "no-store");
  if (options_.tls && options_.hsts_max_age > absl::ZeroDuration()) {
    AddMissing(response, "Strict-Transport-Security",
               absl::StrCat("max-age=", absl::ToInt64Seconds(options_.hsts_max_age)));
  }
  if (options_.origins.empty()) return;
  const bool any =
      std::find(options_.origins.begin(), options_.origins.end(), "*") != options_.origins.end();
  if (!any) AddVary(response, "Origin");
  if (facts.origin.empty() || !Allows(facts.origin)) return;
  response->headers.emplace_back("Access-Control-Allow-Origin", any ? "*" : facts.origin);
  if (!facts.preflight) {
    response->headers.emplace_back("Access-Control-Expose-Headers", kExposedHeaders);
    return;
  }
  response->headers.emplace_back("Access-Control-Allow-Methods", Value(*response, "Allow"));
  response->headers.emplace_back("Access-Control-Allow-Headers", kAllowedHeaders);
  response->headers.emplace_back("Access-Control-Max-Age",
                                 absl::StrCat(absl::ToInt64Seconds(options_.preflight_max_age)));
}

void HttpPolicy::Finish(const RequestFacts& facts, HttpResponse* response) const {
  AddHeaders(facts, response);
  const bool read = facts.method == "GET" || facts.method == "HEAD";
  const std::string etag = Value(*response, "ETag");
  if (read && response->status == 200 && !etag.empty() && !facts.if_none_match.empty() &&
      Matches(facts.if_none_match, etag)) {
    response->status = 304;
    response->body.clear();
    return;
  }
  if (!Compressible(response->content_type) || Has(*response, "Content-Encoding")) return;
  AddVary(response, "Accept-Encoding");
  if (response->body.size() < options_.gzip_bytes_min || !AcceptsGzip(facts.accept_encoding)) {
    return;
  }
  response->body = Gzip(response->body);
  response->headers.emplace_back("Content-Encoding", "gzip");
  for (auto& [name, value] : response->headers) {
    // Other bytes, so not the same strong tag (RFC 9110 section 8.8.3.3).
    if (absl::EqualsIgnoreCase(name, "ETag") && !absl::StartsWith(value, "W/")) {
      value = absl::StrCat("W/", value);
    }
  }
}

void HttpPolicy::FinishStream(const RequestFacts& facts, HttpResponse* head) const {
  AddHeaders(facts, head);
}

bool AcceptsGzip(const std::string& accept_encoding) {
  bool any = false;
  for (absl::string_view part : absl::StrSplit(accept_encoding, ',')) {
    const size_t semicolon = part.find(';');
    const absl::string_view coding = absl::StripAsciiWhitespace(part.substr(0, semicolon));
    double quality = 1;
    if (semicolon != part.npos) {
      absl::string_view parameter = absl::StripAsciiWhitespace(part.substr(semicolon + 1));
      if (absl::ConsumePrefix(&parameter, "q=") && !absl::SimpleAtod(parameter, &quality)) {
        quality = 0;
      }
    }
    if (absl::EqualsIgnoreCase(coding, "gzip") || absl::EqualsIgnoreCase(coding, "x-gzip")) {
      return quality > 0;
    }
    if (coding == "*") any = quality > 0;
  }
  return any;
}

std::string Gzip(const std::string& bytes) {
  constexpr int kLevel = 5;             // close to the best, at half its time
  constexpr int kGzipWindow = 15 + 16;  // zlib.h: 16 asks for a gzip header
  z_stream stream{};
  CHECK(deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace gateway
