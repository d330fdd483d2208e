// DriverProcess: chromedriver as a child process on a free port of 127.0.0.1, started on demand
// and again after it has died. Its browsers live and die with it (they talk to it over a pipe);
// what an earlier campaignd left behind is found by the directory in its command line.
//
// Thread-safety: loop thread only, except the constructor. Must outlive its coroutines.
//
// Example:
//   webdriver::DriverProcess driver(loop, outbound, "/usr/bin/chromedriver");
//   base::Outcome<std::string> url = co_await driver.EnsureRunning(context);
#pragma once

#include <optional>
#include <string>

#include "activities/connectors/webdriver/child_process.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/task.h"

namespace webdriver {

// Kills every process whose command line names `directory`, or one below it, as its
// user-data-dir; how many.
int KillBrowsersBelow(const std::string& directory);

class DriverProcess {
 public:
  DriverProcess(base::EpollLoop& loop, outbound::Outbound& outbound, std::string path);
  ~DriverProcess();  // kills it; loop thread, or after the loop has stopped

  // The base URL of a driver that is ready; starts it unless it runs. Failures:
  // "ProcessNotStarted" (permanent: no such program), "VendorUnavailable".
  base::Task<base::Outcome<std::string>> EnsureRunning(outbound::CallContext context);
  // Ends it and all its browsers at once.
  void Kill();
  // Grows with every start: sessions of an older one are gone.
  int generation() const { return generation_; }
  int pid() const { return child_.has_value() ? child_->pid() : -1; }

 private:
  base::Task<base::Outcome<std::string>> StartAndWait(outbound::CallContext context);
  void OnOutput(base::Completion<int> port);

  base::EpollLoop& loop_;
  outbound::Outbound& outbound_;
  const std::string path_;
  base::Semaphore starting_{1};
  std::optional<ChildProcess> child_;
  std::string output_;  // until the port is known
  std::string url_;
  int generation_ = 0;
};

}  // namespace webdriver
