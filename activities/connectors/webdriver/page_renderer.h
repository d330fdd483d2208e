// PageRenderer: a web page as a reader sees it. BrowserPool is the real one.
//
// Thread-safety: loop thread only.
//
// Example:
//   base::Outcome<webdriver::RenderedPage> page = co_await pages.Render(url, context);
#pragma once

#include <string>

#include "activities/connectors/webdriver/page_script.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace webdriver {

class PageRenderer {
 public:
  virtual ~PageRenderer() = default;
  // The page, after its scripts have run. Failures: "InvalidUrl" (permanent: http and https
  // only), "PageError" (4xx permanent, 5xx retryable), "PageUnreachable", "PageTimeout",
  // "Canceled", "DeadlineExceeded", "VendorUnavailable" (no browser).
  virtual base::Task<base::Outcome<RenderedPage>> Render(std::string url,
                                                         outbound::CallContext context) = 0;
};

}  // namespace webdriver
