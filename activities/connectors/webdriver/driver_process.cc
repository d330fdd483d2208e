#include "activities/connectors/webdriver/driver_process.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "activities/connectors/webdriver/webdriver_client.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace webdriver {
namespace {

using base::Outcome;
using base::Task;
using outbound::CallContext;

constexpr absl::Duration kStartTimeout = absl::Seconds(15);
constexpr size_t kOutputBytesMax = 64 * 1024;

// The port in "ChromeDriver was started successfully on port 42411."; 0 when it is not there yet.
int PortIn(const std::string& output) {
  static const std::string kBefore = "started successfully on port ";
  const size_t at = output.find(kBefore);
  if (at == std::string::npos || output.find('\n', at) == std::string::npos) return 0;
  return std::atoi(output.c_str() + at + kBefore.size());
}

// Arguments end in NUL; some of Chromium's processes join theirs by spaces.
bool NamesDirectory(const std::string& command_line, const std::string& directory) {
  const std::string wanted = "--user-data-dir=" + directory;
  const size_t at = command_line.find(wanted);
  if (at == std::string::npos) return false;
  const size_t end = at + wanted.size();
  return end == command_line.size() || command_line[end] == '/' || command_line[end] == '\0' ||
         command_line[end] == ' ';
}

}  // namespace

int KillBrowsersBelow(const std::string& directory) {
  int killed = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 1 || pid == getpid()) continue;
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    const std::string line((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    if (!NamesDirectory(line, directory)) continue;
    if (kill(pid, SIGKILL) == 0) ++killed;
  }
  return killed;
}

DriverProcess::DriverProcess(base::EpollLoop& loop, outbound::Outbound& outbound, std::string path)
    : loop_(loop), outbound_(outbound), path_(std::move(path)) {}

DriverProcess::~DriverProcess() { Kill(); }

void DriverProcess::Kill() {
  if (child_.has_value()) loop_.UnwatchFd(child_->stdout_fd());
  child_.reset();
  output_.clear();
  url_.clear();
}

Task<Outcome<std::string>> DriverProcess::EnsureRunning(CallContext context) {
  const base::Semaphore::Permit permit = co_await starting_.Acquire(context.cancel);
  if (!permit.held()) co_return base::Failure::Canceled(context.cancel.reason());
  if (child_.has_value() && child_->Alive() && !url_.empty()) co_return url_;
  Kill();
  Outcome<std::string> url = co_await StartAndWait(std::move(context));
  if (!url.ok()) Kill();
  co_return url;
}

Task<Outcome<std::string>> DriverProcess::StartAndWait(CallContext context) {
  Outcome<ChildProcess> child = ChildProcess::Start({path_, "--port=0"});
  if (!child.ok()) co_return child.failure();
  child_ = std::move(*child);
  ++generation_;
  base::Completion<int> port;
  loop_.WatchFd(child_->stdout_fd(), base::kFdRead, [this, port](uint32_t) { OnOutput(port); });
  const base::TimerId timer = loop_.PostAfter(kStartTimeout, [port] { port.Set(0); });
  const auto on_cancel = context.cancel.OnCancel([port] { port.Set(0); });
  const int number = co_await port;
  loop_.CancelTimer(timer);
  context.cancel.Forget(on_cancel);
  if (context.cancel.canceled()) co_return base::Failure::Canceled(context.cancel.reason());
  if (number == 0) {
    co_return base::Failure::Retryable("VendorUnavailable",
                                       wire::Cat(path_, " did not start: ", output_));
  }
  const std::string url = wire::Cat("http://127.0.0.1:", number);
  WebDriverClient client(outbound_, url);
  const absl::Duration until = loop_.clock().Monotonic() + kStartTimeout;
  while (loop_.clock().Monotonic() < until) {
    Outcome<bool> ready = co_await client.Status(context);
    if (!ready.ok() && ready.failure().is_canceled()) co_return ready.failure();
    if (ready.ok() && *ready) {
      url_ = url;
      base::Log(base::LogLevel::kInfo, "chromedriver is ready", {},
                {{"url", url}, {"pid", child_->pid()}});
      co_return url;
    }
    [[maybe_unused]] const bool elapsed =
        co_await base::Sleep(loop_, absl::Milliseconds(20), context.cancel);
  }
  co_return base::Failure::Retryable("VendorUnavailable", path_ + " does not become ready");
}

void DriverProcess::OnOutput(base::Completion<int> port) {
  char buffer[4096];
  while (true) {
    const ssize_t n = read(child_->stdout_fd(), buffer, sizeof(buffer));
    if (n > 0) {
      // Later output is read, so that the pipe never fills, and dropped.
      if (output_.size() < kOutputBytesMax) output_.append(buffer, n);
      continue;
    }
    if (n == 0) {
      loop_.UnwatchFd(child_->stdout_fd());
      port.Set(0);
      return;
    }
    break;  // nothing more for now
  }
  const int number = PortIn(output_);
  if (number != 0) port.Set(number);
}

}  // namespace webdriver
