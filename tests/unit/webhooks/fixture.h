// A directory of its own, a loop, and an inbox over them. Not thread-safe (test support).
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <future>
#include <memory>
#include <string>

#include "gateway/webhooks/inbox.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "tests/support/temporary_folder.h"

namespace webhooks {

class InboxFixture : public ::testing::Test {
 protected:
  InboxFixture() { loop_.Start(); }
  ~InboxFixture() override {
    inbox_.reset();
    loop_.Stop();
  }
  std::string path() const { return folder_.File("webhooks.db"); }
  // A new one over the same file, as after a restart. It does not work before Start.
  void OpenInbox(InboxOptions options = {}) {
    inbox_.reset();
    auto opened = Inbox::Open(path(), loop_, clock_, metrics_, options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    inbox_ = *std::move(opened);
  }
  absl::StatusOr<bool> Accept(const std::string& id, const std::string& body = "{}") {
    std::promise<absl::StatusOr<bool>> answer;
    inbox_->Accept({.source = "test", .id = id, .digest = "digest of " + id + body, .body = body},
                   [&](absl::StatusOr<bool> is_new) { answer.set_value(std::move(is_new)); });
    return answer.get_future().get();
  }
  // Accepted and not done, as the metrics say.
  int Waiting() {
    const std::string name = "\nwebhook_deliveries_waiting ";
    const std::string exposed = metrics_.Expose();
    const size_t at = exposed.find(name);
    return at == std::string::npos ? 0 : std::atoi(exposed.c_str() + at + name.size());
  }

  base::SystemClock clock_;
  base::Metrics metrics_;
  base::EpollLoop loop_{clock_, "test"};
  test::TemporaryFolder folder_;
  std::unique_ptr<Inbox> inbox_;
};

}  // namespace webhooks
