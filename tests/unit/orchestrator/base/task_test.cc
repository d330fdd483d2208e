// Task, WhenAll, Completion, Semaphore and CancelToken, on the test's own thread.
#include "orchestrator/base/task.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace base {
namespace {

Task<int> Twice(int x) { co_return 2 * x; }

Task<int> AwaitTwice(Completion<int> input) {
  const int value = co_await input;
  const int twice = co_await Twice(value);
  co_return twice;
}

Task<int> Fail(std::string what) {
  throw std::runtime_error(what);
  co_return 0;
}

TEST(Task, IsLazyAndPassesItsValueOn) {
  Completion<int> input;
  Task<int> task = AwaitTwice(input);
  int result = 0;
  Spawn(std::move(task), [&](std::exception_ptr error, int* value) { result = *value; });
  EXPECT_EQ(result, 0);
  input.Set(21);
  EXPECT_EQ(result, 42);
}

TEST(Task, AnExceptionLeavesThroughTheAwait) {
  std::string what;
  Spawn(Fail("broken"), [&](std::exception_ptr error, int* value) {
    EXPECT_EQ(value, nullptr);
    try {
      std::rethrow_exception(error);
    } catch (const std::runtime_error& e) {
      what = e.what();
    }
  });
  EXPECT_EQ(what, "broken");
}

struct Counted {
  explicit Counted(int* live) : live(live) { ++*live; }
  Counted(const Counted&) = delete;
  ~Counted() { --*live; }
  int* live;
};

Task<int> Holds(std::shared_ptr<Counted> counted) { co_return 1; }

TEST(Task, ATaskThatIsNeverStartedFreesItsFrame) {
  int live = 0;
  {
    Task<int> task = Holds(std::make_shared<Counted>(&live));
  }
  EXPECT_EQ(live, 0);
}

TEST(Completion, TheFirstSetWins) {
  Completion<int> done;
  done.Set(1);
  done.Set(2);
  int result = 0;
  Spawn(AwaitTwice(done), [&](std::exception_ptr, int* value) { result = *value; });
  EXPECT_EQ(result, 2);
}

TEST(WhenAll, ReturnsValuesInTheGivenOrder) {
  Completion<int> a;
  Completion<int> b;
  std::vector<Task<int>> tasks;
  tasks.push_back(AwaitTwice(a));
  tasks.push_back(AwaitTwice(b));
  std::vector<int> result;
  Spawn(WhenAll(std::move(tasks)),
        [&](std::exception_ptr, std::vector<int>* values) { result = *values; });
  b.Set(2);
  EXPECT_TRUE(result.empty());
  a.Set(1);
  EXPECT_EQ(result, (std::vector<int>{2, 4}));
}

TEST(WhenAll, ThrowsTheFirstExceptionAfterAllHaveEnded) {
  Completion<int> a;
  std::vector<Task<int>> tasks;
  tasks.push_back(Fail("first"));
  tasks.push_back(AwaitTwice(a));
  bool ended = false;
  std::exception_ptr error;
  Spawn(WhenAll(std::move(tasks)), [&](std::exception_ptr e, std::vector<int>*) {
    ended = true;
    error = e;
  });
  EXPECT_FALSE(ended);
  a.Set(1);
  EXPECT_TRUE(ended);
  EXPECT_TRUE(error != nullptr);
}

TEST(WhenAll, OfNothingEndsAtOnce) {
  bool ended = false;
  Spawn(WhenAll(std::vector<Task<int>>()),
        [&](std::exception_ptr, std::vector<int>*) { ended = true; });
  EXPECT_TRUE(ended);
}

Task<void> HoldPermit(Semaphore semaphore, Completion<bool> until, std::string* log,
                      std::string name, CancelToken token = {}) {
  Semaphore::Permit permit = co_await semaphore.Acquire(token);
  *log += name + (permit.held() ? "+" : "!");
  const bool done = co_await until;
  *log += done ? name + "-" : "";
}

TEST(Semaphore, ServesFirstComeFirstServed) {
  Semaphore semaphore(1);
  Completion<bool> a;
  Completion<bool> b;
  Completion<bool> c;
  std::string log;
  const auto ignore = [](std::exception_ptr) {};
  Spawn(HoldPermit(semaphore, a, &log, "a"), ignore);
  Spawn(HoldPermit(semaphore, b, &log, "b"), ignore);
  Spawn(HoldPermit(semaphore, c, &log, "c"), ignore);
  EXPECT_EQ(log, "a+");
  a.Set(true);
  EXPECT_EQ(log, "a+a-b+");
  b.Set(true);
  c.Set(true);
  EXPECT_EQ(log, "a+a-b+b-c+c-");
}

TEST(Semaphore, ACanceledWaiterGetsNothingAndLosesNothing) {
  Semaphore semaphore(1);
  Completion<bool> a;
  Completion<bool> b;
  Completion<bool> c;
  CancelSource cancel;
  std::string log;
  const auto ignore = [](std::exception_ptr) {};
  Spawn(HoldPermit(semaphore, a, &log, "a"), ignore);
  Spawn(HoldPermit(semaphore, b, &log, "b", cancel.token()), ignore);
  Spawn(HoldPermit(semaphore, c, &log, "c"), ignore);
  cancel.Cancel("enough");
  EXPECT_EQ(log, "a+b!");
  a.Set(true);
  EXPECT_EQ(log, "a+b!a-c+");
  b.Set(true);
  c.Set(true);
}

TEST(CancelToken, CallsEachCallbackOnce) {
  CancelSource source;
  int calls = 0;
  source.token().OnCancel([&] { ++calls; });
  const CancelToken::CallbackId forgotten = source.token().OnCancel([&] { calls += 100; });
  source.token().Forget(forgotten);
  source.Cancel("first");
  source.Cancel("second");
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(source.token().reason(), "first");
  EXPECT_EQ(source.token().OnCancel([&] { ++calls; }), 0u);
  EXPECT_EQ(calls, 2) << "too late to wait: called at once";
}

TEST(CancelToken, ADefaultOneIsNeverCanceled) {
  CancelToken token;
  EXPECT_FALSE(token.canceled());
  EXPECT_EQ(token.OnCancel([] { FAIL(); }), 0u);
}

}  // namespace
}  // namespace base
