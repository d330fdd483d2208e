// An owner that lost its partition, and the one after it: what may have run counts as such without
// any clock, and nothing goes out on the word of a lease that is gone.
#include <gmock/gmock.h>

#include <atomic>

#include "orchestrator/store/forwarding_store.h"
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Outcome;
using sdk::Workflow;

constexpr sdk::ActivityType<Text, Text> kFails{"fails"};
constexpr sdk::ActivityType<Text, Text> kFirst{"first"};
constexpr sdk::ActivityType<Text, Text> kSecond{"second"};

base::Task<Outcome<Text>> FailWithoutEffect(sdk::ActivityContext& ctx, Text input) {
  co_return Failure::Retryable("Busy", "nothing was done");
}

Workflow<Text> RunFails(sdk::Context ctx, Text input) {
  Outcome<Text> out = co_await ctx.Execute(kFails, input);
  co_return out;
}

Workflow<Text> RunBoth(sdk::Context ctx, Text input) {
  Outcome<Text> first = co_await ctx.Execute(kFirst, input);
  if (!first.ok()) co_return first.failure();
  Outcome<Text> second = co_await ctx.Execute(kSecond, input);
  co_return second;
}

class FencingTest : public EngineTest {
 protected:
  FencingTest() {
    // The second attempt is planned, durably, and stays so for the length of the test.
    registry.AddActivity(kFails, &FailWithoutEffect,
                         {.retry = sdk::RetryPolicy{.initial_interval = absl::Hours(1)}});
    registry.AddWorkflow<Text, Text>("fails", &RunFails);
    registry.AddWorkflow<Text, Text>("both", &RunBoth);
  }
  void StartAndFailOnce() {
    ASSERT_TRUE(Start("fails", "w").ok());
    WaitFor("w", [](const v1::WorkflowInfo& info) {
      return info.pending_activities_size() == 1 && info.pending_activities(0).attempt() == 2;
    });
  }
  // Of the activity's end, after the workflow was canceled.
  bool EffectUnknown() {
    v1::CancelWorkflowRequest request;
    request.set_workflow_id("w");
    EXPECT_TRUE(Await<v1::CancelWorkflowResponse>([&](auto done) {
                  client->Cancel(request, std::move(done));
                }).ok());
    EXPECT_EQ(Result("w").status(), v1::RunStatus::CANCELED);
    for (const v1::HistoryEvent& event : History("w")) {
      if (event.has_activity_task_canceled()) {
        return event.activity_task_canceled().failure().effect_unknown();
      }
    }
    ADD_FAILURE() << "the activity did not end as canceled";
    return false;
  }
};

TEST_F(FencingTest, AnOwnerKnowsWhatItDidNotDispatch) {
  Open();
  StartAndFailOnce();
  EXPECT_FALSE(EffectUnknown());
}

TEST_F(FencingTest, WhatAnEarlierOwnerPlannedMayHaveRun) {
  Open();
  StartAndFailOnce();
  Restart();
  EXPECT_TRUE(EffectUnknown());
}

TEST_F(FencingTest, AnEvictedAttemptOfItsOwnDidNotRun) {
  Open({.live_runs_max = 1});
  StartAndFailOnce();
  for (const char* id : {"x1", "x2", "x3"}) ASSERT_TRUE(Start("fails", id).ok());
  EXPECT_FALSE(EffectUnknown());
}

// Says that the lease is gone, from when it is told to.
class LeaseLostStore : public store::ForwardingStore {
 public:
  LeaseLostStore(store::Store* store, std::atomic<bool>* lost)
      : ForwardingStore(store), lost_(lost) {}
  absl::Status CheckEpoch(int partition, int64_t epoch) override {
    if (*lost_) return absl::AbortedError("another owner has taken it over");
    return ForwardingStore::CheckEpoch(partition, epoch);
  }

 private:
  std::atomic<bool>* const lost_;
};

TEST_F(FencingTest, NothingIsDispatchedAfterTheLeaseWasLost) {
  std::atomic<bool> lost{false};
  std::atomic<int> seconds{0};
  absl::Notification told;
  registry.AddActivity(kFirst, [&lost](sdk::ActivityContext&, Text input) {
    lost = true;
    return sdk::internal::Immediate<Text>(input);
  });
  registry.AddActivity(kSecond, [&seconds](sdk::ActivityContext&, Text input) {
    ++seconds;
    return sdk::internal::Immediate<Text>(input);
  });
  decorate = [&](store::Store* real) { return std::make_unique<LeaseLostStore>(real, &lost); };
  on_fatal = [&](const absl::Status& status) {
    EXPECT_TRUE(absl::IsAborted(status)) << status;
    told.Notify();
  };
  engine::EngineOptions options;
  options.lease_check_after = -absl::Nanoseconds(1);  // looks every time
  Open(options);
  ASSERT_TRUE(Start("both", "w").ok());
  told.WaitForNotification();  // at the dispatch of the second activity, which is durable
  Close();
  EXPECT_EQ(seconds, 0);

  // The next owner dispatches it.
  lost = false;
  on_fatal = nullptr;
  registry.AddActivity(kFirst, [](sdk::ActivityContext&, Text input) {
    return sdk::internal::Immediate<Text>(input);
  });
  Open(options);
  EXPECT_EQ(ResultText("w"), "");
  EXPECT_EQ(seconds, 1);
}

}  // namespace
}  // namespace engine_test
