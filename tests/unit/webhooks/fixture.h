// A directory of its own, a loop, and an inbox over them. Not thread-safe (test support).
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "gateway/webhooks/inbox.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"

namespace webhooks {

class InboxFixture : public ::testing::Test {
 protected:
  InboxFixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "inbox_XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    loop_.Start();
  }
  ~InboxFixture() override {
    inbox_.reset();
    loop_.Stop();
    std::filesystem::remove_all(directory_);
  }
  std::string path() const { return (directory_ / "webhooks.db").string(); }
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

  base::SystemClock clock_;
  base::Metrics metrics_;
  base::EpollLoop loop_{clock_, "test"};
  std::filesystem::path directory_;
  std::unique_ptr<Inbox> inbox_;
};

}  // namespace webhooks
