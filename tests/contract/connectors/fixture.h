// SandboxTest: a vendor-sandbox of its own as a child process, an I/O loop, the real HTTP client
// and the real pipeline. Tests run coroutines of connectors on the loop and wait for them.
//
// Thread-safety: the test's thread only.
//
// Example:
//   TEST_F(SandboxTest, CreatesOnePage) {
//     AddFault(R"({"vendor":"notion","operation":"pages.create","kind":"lost_response","count":1})");
//     notion::NotionClient client(outbound(), {.base_url = url("/notion"), .token = "t"});
//     auto page = Run(client.EnsurePage("Title", Context("wf-1")));
//     ASSERT_TRUE(page.ok()) << page.failure().ToString();
//     EXPECT_EQ(AliveCount("notion", "page"), 1);
//   }
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "activities/connectors/webdriver/child_process.h"
#include "activities/outbound/http_client.h"
#include "activities/outbound/pipeline.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"
#include "orchestrator/base/task.h"

namespace connector_test {

using Json = nlohmann::json;

class LoopTest : public testing::Test {
 protected:
  LoopTest();
  ~LoopTest() override;

  base::EpollLoop& loop() { return loop_; }
  base::Clock& clock() { return clock_; }
  base::Metrics& metrics() { return metrics_; }
  outbound::HttpClient& http() { return *http_; }
  outbound::Pipeline& outbound() { return *pipeline_; }

  // Runs the task on the loop's thread and waits for its end.
  template <typename T>
  T Run(base::Task<T> task) {
    auto done = std::make_shared<std::promise<std::optional<T>>>();
    std::future<std::optional<T>> future = done->get_future();
    loop_.Post([task = std::move(task), done]() mutable {
      base::Spawn(std::move(task), [done](std::exception_ptr error, T* value) {
        if (error) {
          done->set_exception(error);
        } else {
          done->set_value(std::move(*value));
        }
      });
    });
    return *future.get();
  }
  // Runs a function on the loop's thread and waits for its end.
  void RunOnLoop(absl::AnyInvocable<void()> fn);

  // A context for one attempt of `workflow_id`'s activity, with 30 s to go.
  outbound::CallContext Context(const std::string& workflow_id);

 private:
  base::SystemClock clock_;
  base::SystemRandom random_;
  base::Metrics metrics_;
  base::EpollLoop loop_{clock_, "test-io"};
  std::unique_ptr<outbound::HttpClient> http_;
  std::unique_ptr<outbound::Pipeline> pipeline_;
};

class SandboxTest : public LoopTest {
 protected:
  SandboxTest();

  // "http://127.0.0.1:PORT" + path.
  std::string url(const std::string& path) const { return base_url_ + path; }

  // {"vendor","operation"?,"kind","count"?,"rate"?,...}; see tests/sandbox/README.md.
  void AddFault(const std::string& json);
  void ClearFaults();
  void AdvanceClock(absl::Duration by);
  // GET /__sandbox/resources, filtered: {"resources":[...],"alive":{...},"duplicates":[...]}.
  Json Resources(const std::string& vendor, const std::string& kind = "");
  int AliveCount(const std::string& vendor, const std::string& kind);
  // GET /__sandbox/calls of the operation ("" = all): how many the vendor saw.
  int CallCount(const std::string& vendor, const std::string& operation = "");
  // Any request to the sandbox; fails the test unless it is answered with 2xx.
  Json Admin(const std::string& method, const std::string& path, const std::string& body = "");

 private:
  webdriver::ChildProcess sandbox_;
  std::string base_url_;
};

}  // namespace connector_test
