// Webhooks over restarts and repetitions: a real file, a real loop.
#include "gateway/webhooks/inbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>

#include "absl/synchronization/mutex.h"
#include "tests/support/await.h"
#include "tests/unit/webhooks/fixture.h"

namespace webhooks {
namespace {

using Note = base::Outcome<std::string>;

// Work that ends as a test has planned, in that order, and well after that.
class Desk {
 public:
  // The ids that were begun, in order; waits until there are `count`.
  std::vector<std::string> Begun(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return begun_.size() >= count; };
    mu_.Await(absl::Condition(&enough));
    return begun_;
  }
  void Plan(Note outcome) {
    absl::MutexLock lock(&mu_);
    planned_.push_back(std::move(outcome));
  }
  base::Task<Note> Work(Delivery delivery, base::CancelToken) {
    Note outcome = std::string("fine");
    {
      absl::MutexLock lock(&mu_);
      begun_.push_back(delivery.id);
      if (!planned_.empty()) {
        outcome = planned_.front();
        planned_.pop_front();
      }
    }
    co_return outcome;
  }
  Inbox::Work work() {
    return [this](Delivery delivery, base::CancelToken cancel) {
      return Work(std::move(delivery), std::move(cancel));
    };
  }

 private:
  absl::Mutex mu_;
  std::vector<std::string> begun_ ABSL_GUARDED_BY(mu_);
  std::deque<Note> planned_ ABSL_GUARDED_BY(mu_);
};

class InboxTest : public InboxFixture {
 protected:
  void OpenWith(Desk& desk, InboxOptions options = {}) {
    OpenInbox(options);
    inbox_->Handle("test", desk.work());
  }
};

TEST_F(InboxTest, WorksOnADeliveryOnceHoweverOftenItIsSent) {
  Desk desk;
  OpenWith(desk);
  inbox_->Start();
  EXPECT_TRUE(*Accept("a"));
  EXPECT_FALSE(*Accept("a"));
  desk.Begun(1);
  EXPECT_FALSE(*Accept("a"));  // also when it is done
  EXPECT_TRUE(*Accept("b"));
  EXPECT_EQ(desk.Begun(2), (std::vector<std::string>{"a", "b"}));
}

TEST_F(InboxTest, KnowsTheSameBodyUnderAnotherId) {
  Desk desk;
  OpenWith(desk);
  inbox_->Start();
  std::promise<absl::StatusOr<bool>> first, second;
  inbox_->Accept({.source = "test", .id = "1", .digest = "d", .body = "{}"},
                 [&](auto is_new) { first.set_value(is_new); });
  inbox_->Accept({.source = "test", .id = "2", .digest = "d", .body = "{}"},
                 [&](auto is_new) { second.set_value(is_new); });
  EXPECT_TRUE(*first.get_future().get());
  EXPECT_FALSE(*second.get_future().get());
}

TEST_F(InboxTest, WhatWasAcceptedIsWorkedOnAfterARestart) {
  Desk desk;
  OpenWith(desk);  // accepted, and the process ends before any work: it never starts
  EXPECT_TRUE(*Accept("a"));
  EXPECT_TRUE(*Accept("b"));
  // The first inbox had no chance: nothing is handled by it.
  Desk later;
  OpenInbox();
  inbox_->Handle("test", later.work());
  inbox_->Start();
  EXPECT_EQ(later.Begun(2).size(), 2u);
}

TEST_F(InboxTest, WhatIsDoneIsNotDoneAgainAfterARestart) {
  Desk desk;
  OpenWith(desk);
  inbox_->Start();
  EXPECT_TRUE(*Accept("a"));
  desk.Begun(1);
  Desk later;
  OpenInbox();
  inbox_->Handle("test", later.work());
  inbox_->Start();
  EXPECT_FALSE(*Accept("a"));
  EXPECT_TRUE(*Accept("b"));
  EXPECT_EQ(later.Begun(1), std::vector<std::string>{"b"});
}

TEST_F(InboxTest, TriesAgainUntilItSucceeds) {
  Desk desk;
  desk.Plan(base::Failure::Retryable("Down", "slack is down"));
  desk.Plan(base::Failure::Retryable("Down", "slack is down"));
  OpenWith(desk, {.pause_first = absl::Milliseconds(1), .pause_max = absl::Milliseconds(2)});
  inbox_->Start();
  EXPECT_TRUE(*Accept("a"));
  EXPECT_EQ(desk.Begun(3), (std::vector<std::string>{"a", "a", "a"}));
  EXPECT_TRUE(*Accept("b"));
  EXPECT_EQ(desk.Begun(4).back(), "b");
}

TEST_F(InboxTest, GivesUpWhatNoRepetitionMends) {
  Desk desk;
  desk.Plan(base::Failure::Permanent("Gone", "no such channel"));
  OpenWith(desk, {.pause_first = absl::Milliseconds(1)});
  inbox_->Start();
  EXPECT_TRUE(*Accept("a"));
  EXPECT_TRUE(*Accept("b"));
  // A delivery that is to be tried again goes on waiting until then.
  test::Await([&] { return Waiting() == 0; }, "both deliveries to be done with");
  EXPECT_EQ(desk.Begun(2), (std::vector<std::string>{"a", "b"}));
}

TEST_F(InboxTest, RefusesMoreThanItCanKeep) {
  Desk desk;
  OpenWith(desk, {.waiting_max = 2});  // not started: nothing gets done
  EXPECT_TRUE(*Accept("a"));
  EXPECT_TRUE(*Accept("b"));
  EXPECT_TRUE(absl::IsResourceExhausted(Accept("c").status()));
  inbox_->Stop();
  EXPECT_TRUE(absl::IsUnavailable(Accept("d").status()));
}

TEST_F(InboxTest, KeepsFacts) {
  OpenInbox();
  const auto run = [this](auto task) {
    std::promise<std::string> done;
    loop_.Post([&] {
      base::Spawn(task(), [&](std::exception_ptr, base::Outcome<std::string>* value) {
        done.set_value(**value);
      });
    });
    return done.get_future().get();
  };
  EXPECT_EQ(run([this] { return inbox_->Fact("head"); }), "");
  std::promise<bool> set;
  loop_.Post([&] {
    base::Spawn(inbox_->SetFact("head", "abc"),
                [&](std::exception_ptr, base::Done* done) { set.set_value(done->ok()); });
  });
  EXPECT_TRUE(set.get_future().get());
  OpenInbox();
  EXPECT_EQ(run([this] { return inbox_->Fact("head"); }), "abc");
}

}  // namespace
}  // namespace webhooks
