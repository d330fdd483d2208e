// Golden histories: what earlier releases recorded must replay on today's code, for ever. A failure
// here means that runs in production would become STUCK: put the code back, or give the changed
// workflow a new type name. Never record an old folder anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "orchestrator/core/run_state.h"
#include "orchestrator/history/time.h"
#include "orchestrator/sdk/instance.h"
#include "tests/integration/samples/order_workflow.h"
#include "tests/replay/history_file.h"

namespace replay {
namespace {

using ::testing::HasSubstr;

constexpr char kGolden[] = "tests/replay/golden";

std::vector<std::string> GoldenFiles() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kGolden)) {
    if (entry.path().extension() == ".txtpb") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

absl::Status Replay(const sdk::Registry& registry, const v1::History& history) {
  const std::string& type = history.events(0).workflow_execution_started().workflow_type();
  const sdk::Registry::RawWorkflow* workflow = registry.FindWorkflow(type);
  if (workflow == nullptr) return absl::NotFoundError("no workflow type " + type);
  sdk::Instance instance(registry, *workflow);
  return instance.Replay(EventsOf(history));
}

class GoldenHistory : public ::testing::Test {
 protected:
  GoldenHistory() { samples::RegisterOrder(registry, &shop); }
  samples::Shop shop;
  sdk::Registry registry;
};

TEST_F(GoldenHistory, AllReplayOnTodaysCode) {
  const std::vector<std::string> files = GoldenFiles();
  ASSERT_GE(files.size(), 5u);
  for (const std::string& file : files) {
    const absl::Status replayed = Replay(registry, ReadHistory(file));
    EXPECT_TRUE(replayed.ok()) << file << ": " << replayed;
  }
  EXPECT_TRUE(shop.reservations.empty()) << "replay has no effects";
}

TEST_F(GoldenHistory, AllFoldIntoARunState) {
  for (const std::string& file : GoldenFiles()) {
    const v1::History history = ReadHistory(file);
    core::RunState state;
    int64_t expected = 1;
    for (const v1::HistoryEvent& event : history.events()) {
      ASSERT_EQ(event.event_id(), expected++) << file;
      core::Apply(state, event, history::FromProto(event.event_time()));
    }
    EXPECT_EQ(state.next_event_id, expected) << file;
    EXPECT_EQ(state.closed(), file.find("waiting") == file.npos) << file;
  }
}

// Any cut of a history at the end of a task replays as well: that is what a restart sees.
TEST_F(GoldenHistory, EveryPrefixReplays) {
  for (const std::string& file : GoldenFiles()) {
    const v1::History whole = ReadHistory(file);
    v1::History prefix;
    for (const v1::HistoryEvent& event : whole.events()) {
      // Commands belong to the task before them; a cut between them never is committed.
      if (!sdk::IsCommandEvent(event) && !event.has_workflow_task_started() &&
          !event.has_workflow_task_completed() && prefix.events_size() > 0) {
        const absl::Status replayed = Replay(registry, prefix);
        EXPECT_TRUE(replayed.ok()) << file << " up to " << prefix.events_size() << ": " << replayed;
      }
      *prefix.add_events() = event;
    }
  }
}

namespace sv1 = ::samples::v1;

// What goes wrong when code is changed: each variant below is the sample with one change.
sdk::Workflow<sv1::Receipt> ChargesFirst(sdk::Context ctx, sv1::OrderInput input) {
  saga::Saga saga(ctx);
  sv1::ChargeInput charge;
  charge.set_card(input.card());
  charge.set_cents(input.cents());
  sdk::Outcome<sv1::Payment> paid =
      co_await saga.Run(samples::kChargeCard, charge, samples::kRefundCard);
  co_return sdk::Failure::Permanent("NotReached", paid.ok() ? "" : paid.failure().message);
}

TEST_F(GoldenHistory, AnotherOrderOfStepsIsFound) {
  registry.AddWorkflow<sv1::OrderInput, sv1::Receipt>("order", &ChargesFirst);
  const absl::Status replayed =
      Replay(registry, ReadHistory(std::string(kGolden) + "/0.1/order_shipped.txtpb"));
  EXPECT_EQ(replayed.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(replayed.message()),
              HasSubstr("at event 5: expected ActivityTaskScheduled id=1 type=reserve_stock, "
                        "found ActivityTaskScheduled id=1 type=charge_card at replay_test.cc:"));
}

// The sample without its grace period.
sdk::Workflow<sv1::Receipt> NoGrace(sdk::Context ctx, sv1::OrderInput input) {
  saga::Saga saga(ctx);
  sv1::ReserveInput reserve;
  reserve.set_item(input.item());
  reserve.set_quantity(input.quantity());
  sdk::Outcome<sv1::Reservation> reserved =
      co_await saga.Run(samples::kReserveStock, reserve, samples::kReleaseStock);
  if (!reserved.ok()) co_return co_await saga.Abort(reserved.failure());
  sv1::ChargeInput charge;
  charge.set_card(input.card());
  charge.set_cents(input.cents());
  sdk::Outcome<sv1::Payment> paid =
      co_await saga.Run(samples::kChargeCard, charge, samples::kRefundCard);
  if (!paid.ok()) co_return co_await saga.Abort(paid.failure());
  saga.Pivot();
  co_return sv1::Receipt();
}

TEST_F(GoldenHistory, ARemovedTimerIsFound) {
  registry.AddWorkflow<sv1::OrderInput, sv1::Receipt>("order", &NoGrace);
  const absl::Status replayed =
      Replay(registry, ReadHistory(std::string(kGolden) + "/0.1/order_shipped.txtpb"));
  EXPECT_THAT(std::string(replayed.message()),
              HasSubstr("expected TimerStarted id=3, found SagaPivotPassed"));
}

TEST_F(GoldenHistory, AChangeBehindThePresentIsCompatible) {
  // A declined order never came to its grace period: the same code replays it.
  registry.AddWorkflow<sv1::OrderInput, sv1::Receipt>("order", &NoGrace);
  const absl::Status replayed =
      Replay(registry, ReadHistory(std::string(kGolden) + "/0.1/order_declined.txtpb"));
  EXPECT_TRUE(replayed.ok()) << replayed;
}

}  // namespace
}  // namespace replay
