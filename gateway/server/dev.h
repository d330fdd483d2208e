// Development mode: every vendor is the vendor-sandbox, with tokens of its own, so that nothing
// real is called whatever the environment says. The sandbox is the one at a given URL, or one
// that we start beside our own program and that ends with us.
//
// Thread-safety: main thread only: a child ends with the thread that started it.
//
// Example:
//   absl::StatusOr<DevSandbox> sandbox = DevSandbox::Start(data_dir.Path("sandbox"));
//   PointAtSandbox(sandbox->url(), &settings);
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "activities/connectors/webdriver/child_process.h"
#include "gateway/server/settings.h"

namespace server {

class DevSandbox {
 public:
  // Starts vendor-sandbox (next to this program) and waits until it answers. It listens on the port
  // that it had before with this directory, so that links from then still work; else on 9100, which
  // samples name; else, with a word in the log, on a free one. The file "port" in the directory
  // keeps which. NOT_FOUND when the program is missing, UNAVAILABLE when it does not come up.
  static absl::StatusOr<DevSandbox> Start(const std::string& data_dir);
  // "http://127.0.0.1:9100"
  const std::string& url() const { return url_; }

 private:
  DevSandbox(webdriver::ChildProcess process, std::string url)
      : process_(std::move(process)), url_(std::move(url)) {}

  webdriver::ChildProcess process_;
  std::string url_;
};

// What is wrong with the URL of a sandbox; "" when it is one ("http://host:port").
std::string SandboxUrlProblem(const std::string& url);

// UNAVAILABLE when nothing listens at `url` ("http://host:port") within `patience`;
// INVALID_ARGUMENT, at once, when that is no such URL.
absl::Status AwaitSandbox(const std::string& url, absl::Duration patience);

// Every vendor's URL and token, and what a campaign needs besides where it is not set.
void PointAtSandbox(const std::string& url, Settings* settings);

// Tells the sandbox where we take webhooks, with the secrets that PointAtSandbox set: its buttons
// and events come to us. UNAVAILABLE when it does not answer, INTERNAL when it does not take it.
absl::Status ConnectSandbox(const std::string& url, const std::string& our_http_address,
                            const Settings& settings);

}  // namespace server
