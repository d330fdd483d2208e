// EpollLoop with a clock that the test moves: timers by their times, files, the end.
#include "orchestrator/base/event_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "orchestrator/base/task.h"
#include "tests/support/manual_clock.h"

namespace base {
namespace {

class EventLoopTest : public ::testing::Test {
 protected:
  EventLoopTest() : loop(clock, "test") { loop.Start(); }
  // Runs `fn` on the loop and waits for it.
  template <typename Fn>
  void OnLoop(Fn fn) {
    absl::Notification done;
    loop.Post([&] {
      fn();
      done.Notify();
    });
    done.WaitForNotification();
  }
  // A turn of the loop with its timers.
  void Turn() {
    for (int i = 0; i < 3; ++i) OnLoop([] {});
  }

  test::ManualClock clock;
  EpollLoop loop;
};

TEST_F(EventLoopTest, RunsWhatWasPostedInOrderOnItsThread) {
  std::string log;
  for (const char c : std::string("abc")) loop.Post([&log, c] { log += c; });
  OnLoop([&] { EXPECT_TRUE(loop.InLoop()); });
  EXPECT_EQ(log, "abc");
  EXPECT_FALSE(loop.InLoop());
}

TEST_F(EventLoopTest, TimersRunByTimeNeverEarly) {
  std::string log;
  OnLoop([&] {
    loop.PostAfter(absl::Seconds(2), [&] { log += "b"; });
    loop.PostAfter(absl::Seconds(1), [&] { log += "a"; });
    loop.PostAfter(absl::Seconds(2), [&] { log += "c"; });
  });
  clock.Advance(absl::Seconds(1) - absl::Nanoseconds(1));
  Turn();
  OnLoop([&] { EXPECT_EQ(log, ""); });
  clock.Advance(absl::Nanoseconds(1));
  Turn();
  OnLoop([&] { EXPECT_EQ(log, "a"); });
  clock.Advance(absl::Hours(1));
  Turn();
  OnLoop([&] { EXPECT_EQ(log, "abc"); });
}

TEST_F(EventLoopTest, ACanceledTimerDoesNotRun) {
  bool ran = false;
  OnLoop([&] {
    const TimerId id = loop.PostAfter(absl::Seconds(1), [&] { ran = true; });
    loop.CancelTimer(id);
    loop.CancelTimer(id);
    loop.CancelTimer(12345);
  });
  clock.Advance(absl::Seconds(2));
  Turn();
  EXPECT_FALSE(ran);
}

TEST_F(EventLoopTest, SleepEndsAtOnceWhenCanceled) {
  CancelSource cancel;
  std::string log;
  OnLoop([&] {
    Spawn(Sleep(loop, absl::Hours(1), cancel.token()),
          [&](std::exception_ptr, bool* elapsed) { log += *elapsed ? "elapsed" : "canceled"; });
    Spawn(Sleep(loop, absl::Seconds(1)),
          [&](std::exception_ptr, bool* elapsed) { log += *elapsed ? "elapsed " : "canceled "; });
  });
  clock.Advance(absl::Seconds(1));
  Turn();
  OnLoop([&] { cancel.Cancel("enough"); });
  EXPECT_EQ(log, "elapsed canceled");
}

TEST_F(EventLoopTest, WatchesAFileAndStopsWhenAsked) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  absl::Notification readable;
  int calls = 0;
  OnLoop([&] {
    loop.WatchFd(fds[0], kFdRead, [&](uint32_t events) {
      EXPECT_EQ(events, kFdRead);
      ++calls;
      loop.UnwatchFd(fds[0]);  // the callback may end its own watch
      readable.Notify();
    });
  });
  ASSERT_EQ(write(fds[1], "x", 1), 1);
  readable.WaitForNotification();
  Turn();
  EXPECT_EQ(calls, 1);
  close(fds[0]);
  close(fds[1]);
}

TEST_F(EventLoopTest, StopRunsWhatWasPostedBefore) {
  int ran = 0;
  for (int i = 0; i < 100; ++i) loop.Post([&] { ++ran; });
  loop.Stop();
  EXPECT_EQ(ran, 100);
  loop.Post([&] { ++ran; });
  loop.Stop();
  EXPECT_EQ(ran, 100) << "what comes later does not run";
}

}  // namespace
}  // namespace base
