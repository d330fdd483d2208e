#include "activities/connectors/webdriver/polite_renderer.h"

#include <utility>

#include "activities/connectors/wire/text.h"

namespace webdriver {
namespace {

using base::Outcome;
using base::Task;

constexpr int kRedirectsMax = 5;  // RFC 9309 section 2.3.1.2

// Every answer says something: which, is decided by the caller.
outbound::Classification ClassifyRobots(const outbound::HttpRequest& request,
                                        const outbound::HttpResponse& response) {
  if (response.status < 500 && response.status != 429) return {};
  return outbound::ClassifyByStatus(request, response);
}

const outbound::Vendor& Sites() {
  static const outbound::Vendor* const kVendor =
      new outbound::Vendor{.name = "sites",
                           .timeout = absl::Seconds(10),
                           .tries_max = 2,
                           .response_bytes_max = 2 * 1024 * 1024,
                           .has_breaker = false,
                           .classify = ClassifyRobots};
  return *kVendor;
}

// "/a/b?c" of "https://host/a/b?c#d".
std::string PathAndQuery(const std::string& url) {
  const size_t begin = url.find('/', url.find("://") + 3);
  const size_t query = url.find('?', url.find("://") + 3);
  const size_t from = std::min(begin, query);
  if (from == std::string::npos) return "/";
  std::string path = url.substr(from, url.find('#', from) - from);
  return path.starts_with("/") ? path : "/" + path;
}

// Where a redirect leads; "" when nowhere that we follow.
std::string Target(const std::string& from, std::string_view location) {
  if (location.starts_with("http://") || location.starts_with("https://")) {
    return std::string(location);
  }
  if (!location.starts_with("/") || location.starts_with("//")) return "";
  return wire::JoinUrl(wire::OriginOf(from), location);
}

}  // namespace

PoliteRenderer::PoliteRenderer(base::EventLoop& loop, outbound::Outbound& outbound,
                               PageRenderer& pages, Options options)
    : loop_(loop), outbound_(outbound), pages_(pages), options_(std::move(options)) {}

Task<Outcome<RenderedPage>> PoliteRenderer::Render(std::string url, outbound::CallContext context) {
  const bool web = url.starts_with("http://") || url.starts_with("https://");
  if (options_.obey && web) {  // the browsers refuse other URLs
    Outcome<RobotsRules> rules = co_await RulesOf(std::string(wire::OriginOf(url)), context);
    if (!rules.ok()) co_return rules.failure();
    if (!rules->Allows(PathAndQuery(url))) {
      co_return base::Failure::Permanent(
          "RobotsDisallow", wire::Cat(wire::Truncate(url, 300), ": the site's robots.txt forbids ",
                                      "robots this page"));
    }
  }
  Outcome<RenderedPage> page = co_await pages_.Render(std::move(url), std::move(context));
  co_return page;
}

Task<Outcome<RobotsRules>> PoliteRenderer::RulesOf(std::string origin,
                                                   outbound::CallContext context) {
  const auto it = kept_.find(origin);
  if (it != kept_.end() && it->second.until > loop_.clock().Monotonic()) co_return it->second.rules;
  Outcome<RobotsRules> fetched = co_await Fetch(origin, std::move(context));
  if (!fetched.ok()) co_return fetched.failure();
  if (kept_.size() >= options_.origins_max) kept_.clear();
  kept_.insert_or_assign(origin, Kept{*fetched, loop_.clock().Monotonic() + options_.keep});
  co_return *fetched;
}

Task<Outcome<RobotsRules>> PoliteRenderer::Fetch(std::string origin,
                                                 outbound::CallContext context) {
  std::string url = wire::JoinUrl(origin, "/robots.txt");
  for (int redirects = 0; redirects <= kRedirectsMax; ++redirects) {
    outbound::HttpRequest request;
    request.url = url;
    request.operation = "robots";
    request.public_only = !options_.private_addresses_allowed;
    Outcome<outbound::HttpResponse> response =
        co_await outbound_.Call(Sites(), std::move(request), context);
    if (!response.ok()) {
      base::Failure failure = response.failure();
      // Without an answer there may be no site at all: the browser would not find it either.
      if (failure.type == "VendorUnavailable" && !failure.not_attempted) {
        failure.type = "PageUnreachable";
      }
      co_return failure;
    }
    const int status = response->status;
    if (status >= 200 && status < 300) {
      co_return RobotsRules::Parse(response->body, options_.robot);
    }
    if (status < 300 || status >= 400) co_return RobotsRules::AllowAll();
    url = Target(url, response->Header("location"));
    if (url.empty()) co_return RobotsRules::AllowAll();
  }
  co_return RobotsRules::AllowAll();
}

}  // namespace webdriver
