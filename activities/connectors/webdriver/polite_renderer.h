// PoliteRenderer: renders only pages that the site's robots.txt allows. The file is fetched once
// an hour an origin, through the outbound pipeline, and never from a private address unless the
// settings allow those. A site without one (4xx) allows all; one whose file cannot be had now
// (5xx, no answer) is left alone for now (RFC 9309 section 2.3.1).
//
// Thread-safety: loop thread only.
//
// Example:
//   webdriver::PoliteRenderer polite(loop, outbound, browsers, {});
//   base::Outcome<webdriver::RenderedPage> page = co_await polite.Render(url, context);
#pragma once

#include <map>
#include <string>

#include "absl/time/time.h"
#include "activities/connectors/webdriver/page_renderer.h"
#include "activities/connectors/webdriver/robots_rules.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/event_loop.h"

namespace webdriver {

class PoliteRenderer : public PageRenderer {
 public:
  struct Options {
    std::string robot = "campaignd";  // the product token that sites may name
    bool obey = true;
    bool private_addresses_allowed = false;
    absl::Duration keep = absl::Hours(1);
    size_t origins_max = 1000;
  };

  // The arguments outlive the renderer.
  PoliteRenderer(base::EventLoop& loop, outbound::Outbound& outbound, PageRenderer& pages,
                 Options options);

  // As PageRenderer; and "RobotsDisallow" (permanent), "AddressNotAllowed" (permanent).
  base::Task<base::Outcome<RenderedPage>> Render(std::string url,
                                                 outbound::CallContext context) override;

 private:
  struct Kept {
    RobotsRules rules;
    absl::Duration until;  // monotonic
  };
  base::Task<base::Outcome<RobotsRules>> RulesOf(std::string origin, outbound::CallContext context);
  base::Task<base::Outcome<RobotsRules>> Fetch(std::string origin, outbound::CallContext context);

  base::EventLoop& loop_;
  outbound::Outbound& outbound_;
  PageRenderer& pages_;
  const Options options_;
  std::map<std::string, Kept> kept_;
};

}  // namespace webdriver
