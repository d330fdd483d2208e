// What is read from a page, in the browser by a script and here from its answer; and the settings
// of a browser session. Pure functions.
//
// Example:
//   base::Outcome<RenderedPage> page = ReadPage(url, script_result_json, 64 * 1024);
#pragma once

#include <string>

#include "absl/time/time.h"
#include "orchestrator/base/outcome.h"

namespace webdriver {

struct RenderedPage {
  std::string url;        // as asked for
  std::string final_url;  // after redirects
  std::string title;
  std::string h1;
  std::string description;  // <meta name="description">, else og:description
  std::string text;         // what a reader sees, bounded
  int http_status = 0;
};

// Waits until the page has loaded, but no longer than arguments[0] ms, then returns its parts;
// texts are cut to arguments[1] characters. The text of a large page is collected in the order of
// the document, up to that length, without laying the page out.
extern const char kPageScript[];

// How much of a page is loaded.
struct PageLimits {
  size_t characters_max = 4 << 20;  // of its text, scripts and styles among it
  size_t elements_max = 100'000;
};
// To be run in every new document, before its own scripts: stops a page that loads, or makes,
// more than that. What is there by then is read as the page.
std::string PageGuard(const PageLimits& limits);

// Failures: "PageError" (4xx, 5xx; retryable when it may pass; a document that is no text),
// "PageUnreachable".
base::Outcome<RenderedPage> ReadPage(const std::string& url, const std::string& result_json,
                                     size_t text_bytes_max);

struct SessionSettings {
  std::string browser_path;   // empty: chromedriver's own choice
  std::string user_data_dir;  // empty: chromedriver's own choice (a remote one)
  bool private_addresses_allowed = false;
  int gate_port = 0;  // of our BrowserGate, which then judges addresses; 0: a remote service
  absl::Duration page_timeout = absl::Seconds(30);
};
// The capabilities of a headless Chromium session, as JSON.
std::string CapabilitiesJson(const SessionSettings& settings);

}  // namespace webdriver
