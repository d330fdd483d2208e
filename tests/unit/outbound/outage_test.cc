// An outage of an hour with 1,000 runs in flight: the real engine, worker and pipeline on one
// manual loop, a vendor that is down, then up. Nothing waits for real time.
//
// Method: every run calls the vendor, sleeps a minute, calls it again. Their activities have two
// attempts only, so a run fails when the outage uses attempts.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "activities/outbound/pipeline.h"
#include "gtest/gtest.h"
#include "orchestrator/base/log.h"
#include "orchestrator/engine/committer.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/sdk/registry.h"
#include "orchestrator/store/simulated/simulated_store.h"
#include "orchestrator/worker/activity_worker.h"
#include "orchestrator/worker/workflow_worker.h"
#include "tests/support/manual_loop.h"

namespace outbound_test {
namespace {

namespace v1 = ::orchestrator::v1;
using outbound::Transfer;
using outbound::TransferEnd;
using Text = v1::Failure;  // some message with a text in it

constexpr int kRuns = 1000;
constexpr absl::Duration kDownFrom = absl::Seconds(20);
const absl::Duration kDownUntil = kDownFrom + absl::Hours(1);
constexpr sdk::ActivityType<Text, Text> kCall{"call_vendor"};
const outbound::Vendor kVendor{.name = "acme"};

enum class Trouble { kRefuses, kHangs, kSays503 };

// A vendor that takes 50 ms for an answer, and 20 s for none.
class Vendor : public outbound::Transport {
 public:
  Vendor(test::ManualLoop& loop, Trouble trouble) : loop_(loop), trouble_(trouble) {}

  base::Task<Transfer> Send(outbound::HttpRequest, outbound::TransferLimits limits,
                            base::CancelToken) override {
    const absl::Duration at = loop_.clock().Monotonic();
    calls.push_back(at);
    const bool down = at >= kDownFrom && at < kDownUntil;
    Transfer transfer{.end = TransferEnd::kAnswered, .sent = true};
    transfer.response.status = 200;
    if (down && trouble_ == Trouble::kRefuses) {
      transfer = {.end = TransferEnd::kNotSent, .message = "refused"};
    } else if (down && trouble_ == Trouble::kSays503) {
      transfer.response.status = 503;
    } else if (down) {
      transfer = {.end = TransferEnd::kTimedOut, .message = "no answer", .sent = true};
    }
    const bool hangs = down && trouble_ == Trouble::kHangs;
    co_await base::Sleep(loop_, hangs ? absl::Seconds(20) : absl::Milliseconds(50));
    co_return transfer;
  }
  int CallsBetween(absl::Duration from, absl::Duration until) const {
    return static_cast<int>(std::count_if(
        calls.begin(), calls.end(), [&](absl::Duration at) { return at >= from && at < until; }));
  }
  std::vector<absl::Duration> calls;

 private:
  test::ManualLoop& loop_;
  const Trouble trouble_;
};

// The worker's way to the one partition.
class Port : public engine::WorkerPort {
 public:
  engine::Partition* partition = nullptr;
  void CompleteActivity(engine::ActivityToken token, core::ActivityOutcome outcome,
                        absl::AnyInvocable<void(absl::Status)> done) override {
    partition->CompleteActivity(std::move(token), std::move(outcome), std::move(done));
  }
  void RecordHeartbeat(engine::ActivityToken token, v1::Payload details,
                       absl::AnyInvocable<void(absl::Status)> done) override {
    partition->RecordHeartbeat(std::move(token), std::move(details), std::move(done));
  }
};

// `calls`: of the activity, one after another; it begins again with the first.
base::Task<sdk::Outcome<Text>> CallVendor(outbound::Pipeline* pipeline, sdk::ActivityContext* ctx,
                                          int calls, Text input) {
  outbound::CallContext context{.workflow_id = ctx->info().workflow_id,
                                .idempotency_key = ctx->info().idempotency_key,
                                .deadline = ctx->info().deadline - absl::Seconds(1),
                                .cancel = ctx->cancel()};
  for (int i = 0; i < calls; ++i) {
    base::Outcome<outbound::HttpResponse> response = co_await pipeline->Call(
        kVendor, {.method = "PUT", .url = "http://acme/", .operation = "op"}, context);
    if (!response.ok()) co_return response.failure();
  }
  co_return input;
}

sdk::Workflow<Text> TwoCalls(sdk::Context ctx, Text input) {
  const sdk::ActivityOptions options{.start_to_close_timeout = absl::Minutes(2),
                                     .retry = sdk::RetryPolicy{.maximum_attempts = 2}};
  const sdk::Outcome<Text> first = co_await ctx.Execute(kCall, input, options);
  if (!first.ok()) co_return first.failure();
  const sdk::Done slept = co_await ctx.Sleep(absl::Minutes(1));
  if (!slept.ok()) co_return slept.failure();
  sdk::Outcome<Text> second = co_await ctx.Execute(kCall, input, options);
  co_return second;
}

class OutageTest : public testing::TestWithParam<Trouble> {
 protected:
  OutageTest() {
    base::SetLogLevel(base::LogLevel::kOff);
    registry_.AddWorkflow<Text, Text>("two_calls", &TwoCalls);
    registry_.AddActivity(kCall, [this](sdk::ActivityContext& ctx, Text input) {
      return CallVendor(&pipeline_, &ctx, calls_each_, std::move(input));
    });
    activities_.Connect(port_);
    partition_.Open();
    port_.partition = &partition_;
    loop_.RunReady();
  }

  void Start(int number) {
    v1::StartWorkflowRequest request;
    request.set_workflow_id(absl::StrCat("run-", number));
    request.set_workflow_type("two_calls");
    *request.mutable_input() = history::ToPayload(Text());
    partition_.Start(std::move(request), [](absl::StatusOr<v1::StartWorkflowResponse> started) {
      EXPECT_TRUE(started.ok()) << started.status();
    });
  }
  // How many runs there are in each status.
  std::map<std::string, int> Statuses() {
    std::map<std::string, int> counts;
    for (int i = 0; i < kRuns; ++i) {
      v1::GetWorkflowRequest request;
      request.set_workflow_id(absl::StrCat("run-", i));
      partition_.Describe(request, [&counts](absl::StatusOr<v1::WorkflowInfo> info) {
        ++counts[info.ok() ? v1::RunStatus::Value_Name(info->status())
                           : std::string(info.status().message())];
      });
    }
    loop_.Advance(absl::Seconds(1));
    return counts;
  }

  int calls_each_ = 1;
  test::ManualLoop loop_;
  base::SeededRandom random_{42};
  base::Metrics metrics_;
  Vendor vendor_{loop_, GetParam()};
  outbound::KillSwitch kill_switch_{metrics_, absl::Seconds(10)};
  outbound::Breakers breakers_{loop_.clock(), random_, metrics_, {}};
  outbound::RateLimiter limiter_{
      loop_.clock(), random_, {.limits = {{"acme", *outbound::ParseRateLimits("600/1m")}}}};
  outbound::Pipeline pipeline_{
      loop_,   vendor_,
      random_, metrics_,
      {},      {.kill_switch = &kill_switch_, .limiter = &limiter_, .breakers = &breakers_}};
  sdk::Registry registry_;
  worker::WorkflowWorker workflows_{registry_};
  worker::ActivityWorker activities_{registry_, loop_, {.slots = 2000}};
  store::SimulatedStore store_{std::make_shared<store::SimulatedDisk>()};
  engine::Committer committer_{store_, loop_, metrics_};
  Port port_;
  engine::Partition partition_{
      0,
      0,
      4095,
      *store_.AcquirePartition(0, "test"),
      {},
      {.store = store_,
       .committer = committer_,
       .runner = workflows_,
       .executor = activities_,
       .loop = loop_,
       .random = random_,
       .metrics = metrics_,
       .on_lease_lost = [](absl::Status status) { ADD_FAILURE() << status; }}};
};

TEST_P(OutageTest, NoRunFailsTheVendorIsLeftInPeaceAndTheBacklogDrainsAtItsPace) {
  for (int i = 0; i < kRuns; ++i) {
    Start(i);
    if (i % 20 == 19) loop_.Advance(absl::Seconds(1));  // 20 a second: 50 s, the outage amidst
  }
  loop_.Advance(kDownFrom + absl::Minutes(30) - loop_.clock().Monotonic());
  const std::map<std::string, int> amidst = Statuses();
  EXPECT_EQ(amidst.at("RUNNING") + (amidst.contains("COMPLETED") ? amidst.at("COMPLETED") : 0),
            kRuns);
  EXPECT_GT(amidst.at("RUNNING"), kRuns * 9 / 10);
  loop_.Advance(absl::Hours(2));
  EXPECT_EQ(Statuses(), (std::map<std::string, int>{{"COMPLETED", kRuns}}));

  // Whoever was on the way when it went down, and then a probe from time to time.
  const absl::Duration known = kDownFrom + absl::Minutes(2);
  EXPECT_LE(vendor_.CallsBetween(kDownFrom, known), 250);
  EXPECT_LE(vendor_.CallsBetween(known, kDownUntil), 16);
  EXPECT_GE(vendor_.CallsBetween(known, kDownUntil), 8);

  // The backlog: never more than the limiter's 600 in a minute, nor than the breaker's 10 a second.
  int most = 0;
  for (absl::Duration at = kDownUntil; at < loop_.clock().Monotonic() - absl::Minutes(1);
       at += absl::Seconds(10)) {
    most = std::max(most, vendor_.CallsBetween(at, at + absl::Minutes(1)));
  }
  EXPECT_LE(most, 610);
  EXPECT_GE(most, 200);
}

TEST_P(OutageTest, ActivitiesOfSeveralCallsGetThroughOneAfterAnother) {
  calls_each_ = 5;
  for (int i = 0; i < kRuns; ++i) {
    Start(i);
    if (i % 20 == 19) loop_.Advance(absl::Seconds(1));
  }
  loop_.Advance(kDownUntil - loop_.clock().Monotonic());
  const int before = static_cast<int>(vendor_.calls.size());
  // The next probe comes within 5 minutes. Two activities a run: 10,000 calls, 600 in a minute.
  loop_.Advance(absl::Minutes(5) + absl::Minutes(17) * 1.4);
  EXPECT_EQ(Statuses(), (std::map<std::string, int>{{"COMPLETED", kRuns}}));
  EXPECT_LE(static_cast<int>(vendor_.calls.size()) - before, kRuns * 10 * 1.1);
}

INSTANTIATE_TEST_SUITE_P(Troubles, OutageTest,
                         testing::Values(Trouble::kRefuses, Trouble::kHangs, Trouble::kSays503),
                         [](const auto& info) {
                           return std::string(info.param == Trouble::kRefuses ? "Refuses"
                                              : info.param == Trouble::kHangs ? "Hangs"
                                                                              : "Says503");
                         });

}  // namespace
}  // namespace outbound_test
