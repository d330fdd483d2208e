// The W3C WebDriver protocol (https://www.w3.org/TR/webdriver2/): the few commands that rendering
// a page needs, over HTTP to chromedriver or a remote end of the same protocol.
//
// Thread-safety: loop thread only.
//
// Example:
//   webdriver::WebDriverClient driver(outbound, "http://127.0.0.1:9515");
//   base::Outcome<std::string> session = co_await driver.NewSession(capabilities_json, context);
//   base::Outcome<base::Unit> loaded = co_await driver.Navigate(*session, url, timeout, context);
//   base::Outcome<bool> ended = co_await driver.DeleteSession(*session, timeout, context);
#pragma once

#include <string>

#include "absl/time/time.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace webdriver {

// Failures carry the protocol's error code as their type with the prefix "WebDriver: ":
// "WebDriver: timeout", "WebDriver: invalid session id", "WebDriver: unknown error", ...; what
// did not come from the remote end has the pipeline's types.
class WebDriverClient {
 public:
  WebDriverClient(outbound::Outbound& outbound, std::string base_url);

  const std::string& base_url() const { return base_url_; }
  // Ready for new sessions?
  base::Task<base::Outcome<bool>> Status(outbound::CallContext context);
  // The new session's id. A lost answer leaves a browser behind: end it by its user-data-dir.
  base::Task<base::Outcome<std::string>> NewSession(std::string capabilities_json,
                                                    outbound::CallContext context);
  // Loads the page; the session's page-load time-out ends it, `timeout` is for the whole call.
  base::Task<base::Outcome<base::Unit>> Navigate(std::string session, std::string url,
                                                 absl::Duration timeout,
                                                 outbound::CallContext context);
  // Has the script run in every document that the session loads, before the document's own ones.
  // Chromium alone can; other remote ends answer "WebDriver: unknown command".
  base::Task<base::Outcome<base::Unit>> RunInNewDocuments(std::string session, std::string script,
                                                          outbound::CallContext context);
  // Runs the script (a promise is waited for) and returns its value as JSON.
  base::Task<base::Outcome<std::string>> Execute(std::string session, std::string script,
                                                 std::string arguments_json, absl::Duration timeout,
                                                 outbound::CallContext context);
  // True when it ended now, false when it was gone.
  base::Task<base::Outcome<bool>> DeleteSession(std::string session, absl::Duration timeout,
                                                outbound::CallContext context);

 private:
  outbound::Outbound& outbound_;
  const std::string base_url_;
};

}  // namespace webdriver
