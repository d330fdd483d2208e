#include "tests/contract/connectors/fixture.h"

#include <poll.h>
#include <unistd.h>

#include <filesystem>

namespace connector_test {

LoopTest::LoopTest() {
  http_ = std::make_unique<outbound::HttpClient>(loop_, outbound::HttpClient::Options{});
  pipeline_ = std::make_unique<outbound::Pipeline>(loop_, *http_, random_, metrics_,
                                                   outbound::Pipeline::Options{});
  loop_.Start();
}

LoopTest::~LoopTest() {
  RunOnLoop([this] { http_->Shutdown(); });
  loop_.Stop();
}

void LoopTest::RunOnLoop(absl::AnyInvocable<void()> fn) {
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> future = done->get_future();
  loop_.Post([fn = std::move(fn), done]() mutable {
    fn();
    done->set_value();
  });
  future.wait();
}

outbound::CallContext LoopTest::Context(const std::string& workflow_id) {
  return {.workflow_id = workflow_id,
          .run_id = "run-1",
          .activity_name = "test_activity",
          .idempotency_key = workflow_id + "/test_activity/1",
          .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          .deadline = clock_.Now() + absl::Seconds(30)};
}

SandboxTest::SandboxTest() {
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "vendor-sandbox";
  base::Outcome<webdriver::ChildProcess> child = webdriver::ChildProcess::Start(
      {program.string(), "--listen", "127.0.0.1:0"}, /*keep_stderr=*/true);
  if (!child.ok()) {
    ADD_FAILURE() << child.failure().ToString();
    return;
  }
  sandbox_ = std::move(*child);
  std::string line;
  pollfd readable{.fd = sandbox_.stdout_fd(), .events = POLLIN};
  while (line.find('\n') == std::string::npos && poll(&readable, 1, 20'000) == 1) {
    char buffer[256];
    const ssize_t n = read(sandbox_.stdout_fd(), buffer, sizeof(buffer));
    if (n <= 0) break;
    line.append(buffer, n);
  }
  const size_t begin = line.find("http://");
  const size_t end = line.find('\n');
  if (begin == std::string::npos || end == std::string::npos) {
    ADD_FAILURE() << "vendor-sandbox did not say where it listens: " << line;
    return;
  }
  base_url_ = line.substr(begin, end - begin);
}

Json SandboxTest::Admin(const std::string& method, const std::string& path,
                        const std::string& body) {
  outbound::HttpRequest request{.method = method, .url = url(path), .body = body};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  const outbound::Transfer transfer = Run(http().Send(request, {}, {}));
  EXPECT_EQ(static_cast<int>(transfer.end), static_cast<int>(outbound::TransferEnd::kAnswered))
      << transfer.message;
  EXPECT_EQ(transfer.response.status / 100, 2) << path << ": " << transfer.response.body;
  return Json::parse(transfer.response.body, nullptr, /*allow_exceptions=*/false);
}

void SandboxTest::AddFault(const std::string& json) { Admin("POST", "/__sandbox/faults", json); }

void SandboxTest::ClearFaults() { Admin("DELETE", "/__sandbox/faults"); }

void SandboxTest::AdvanceClock(absl::Duration by) {
  Admin("POST", "/__sandbox/clock", Json{{"advance_seconds", absl::ToDoubleSeconds(by)}}.dump());
}

Json SandboxTest::Resources(const std::string& vendor, const std::string& kind) {
  return Admin("GET",
               "/__sandbox/resources?vendor=" + vendor + (kind.empty() ? "" : "&kind=" + kind));
}

int SandboxTest::AliveCount(const std::string& vendor, const std::string& kind) {
  const Json resources = Resources(vendor, kind);
  int count = 0;
  for (const Json& resource : resources.value("resources", Json::array())) {
    if (resource.value("alive", false)) ++count;
  }
  return count;
}

int SandboxTest::CallCount(const std::string& vendor, const std::string& operation) {
  const Json calls = Admin("GET", "/__sandbox/calls?vendor=" + vendor + "&operation=" + operation);
  return static_cast<int>(calls.value("calls", Json::array()).size());
}

}  // namespace connector_test
