// Golden histories: what earlier releases recorded must replay on today's code, for ever. A failure
// here means that runs in production would become STUCK: put the code back, or give the changed
// workflow a new type name. Never record an old folder anew.
#include "orchestrator/sdk/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "activities/campaign/campaign_workflow.h"
#include "orchestrator/batches/batch_workflow.h"
#include "orchestrator/core/run_state.h"
#include "orchestrator/history/time.h"
#include "orchestrator/schedules/schedule_workflow.h"
#include "orchestrator/sdk/replay_check.h"
#include "tests/integration/samples/order_workflow.h"
#include "tests/replay/history_file.h"
#include "tests/replay/program_workflow.h"

namespace replay {
namespace {

using ::testing::HasSubstr;

constexpr char kGolden[] = "tests/replay/golden";

std::vector<std::string> GoldenFiles() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kGolden)) {
    if (entry.path().extension() == ".jsonl") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class GoldenHistory : public ::testing::Test {
 protected:
  GoldenHistory() {
    samples::RegisterOrder(registry, &shop);
    RegisterProgram(registry);
    schedules::Register(registry, client::NewClientSlot());
    batches::Register(registry, client::NewClientSlot());
    campaign::RegisterWorkflow(
        registry, {.approval_timeout = absl::Hours(14 * 24), .undo_window = absl::Minutes(15)});
  }
  absl::Status ReplayGolden(const std::string& name) {
    return sdk::ReplayHistory(registry, ReadFile(absl::StrCat(kGolden, "/", name)).events);
  }
  samples::Shop shop;
  sdk::Registry registry;
};

// Types that no golden history needs to hold.
const std::set<std::string>& Exempt() {
  static const auto* types = new std::set<std::string>{
      "workflow_task",  // of the stored form only
  };
  return *types;
}

TEST(GoldenHistories, HoldEveryEventType) {
  std::set<std::string> held;
  for (const std::string& file : GoldenFiles()) {
    for (const v1::HistoryEvent& event : ReadFile(file).events) {
      held.insert(
          v1::HistoryEvent::descriptor()->FindFieldByNumber(event.attributes_case())->name());
    }
  }
  const auto* types = v1::HistoryEvent::descriptor()->FindOneofByName("attributes");
  ASSERT_NE(types, nullptr);
  for (int i = 0; i < types->field_count(); ++i) {
    const std::string& type = types->field(i)->name();
    EXPECT_NE(held.contains(type), Exempt().contains(type))
        << type
        << (held.contains(type) ? ": take it off the exempt ones"
                                : ": add a golden history that holds it "
                                  "(tests/replay/README.md)");
  }
}

TEST_F(GoldenHistory, AllReplayOnTodaysCode) {
  const std::vector<std::string> files = GoldenFiles();
  ASSERT_GE(files.size(), 5u);
  for (const std::string& file : files) {
    const absl::Status replayed = sdk::ReplayHistory(registry, ReadFile(file).events);
    EXPECT_TRUE(replayed.ok()) << file << ": " << replayed;
  }
  EXPECT_TRUE(shop.reservations.empty()) << "replay has no effects";
}

TEST_F(GoldenHistory, AllFoldIntoARunState) {
  for (const std::string& file : GoldenFiles()) {
    const history::HistoryFile golden = ReadFile(file);
    core::RunState state;
    int64_t expected = 1;
    for (const v1::HistoryEvent& event : golden.events) {
      ASSERT_EQ(event.event_id(), expected++) << file;
      core::Apply(state, event, history::FromProto(event.event_time()));
    }
    EXPECT_EQ(state.corruption, "") << file;
    EXPECT_EQ(state.next_event_id, expected) << file;
    EXPECT_EQ(state.closed(), golden.header.status() != v1::RunStatus::RUNNING) << file;
    if (state.closed()) EXPECT_EQ(state.closed_status, golden.header.status()) << file;
  }
}

// Any cut of a history at the end of a task replays as well: that is what a restart sees.
TEST_F(GoldenHistory, EveryPrefixReplays) {
  for (const std::string& file : GoldenFiles()) {
    const history::HistoryFile whole = ReadFile(file);
    std::vector<v1::HistoryEvent> prefix;
    for (const v1::HistoryEvent& event : whole.events) {
      // Commands belong to the task before them; a cut between them never is committed.
      if (!sdk::IsCommandEvent(event) && !event.has_workflow_task_started() &&
          !event.has_workflow_task_completed() && !prefix.empty()) {
        const absl::Status replayed = sdk::ReplayHistory(registry, prefix);
        EXPECT_TRUE(replayed.ok()) << file << " up to " << prefix.size() << ": " << replayed;
      }
      prefix.push_back(event);
    }
  }
}

namespace sv1 = ::samples::v1;

// What goes wrong when code is changed: each variant below is the sample with one change.
sdk::Workflow<sv1::Payment> Charge(saga::Saga* saga, sv1::OrderInput input) {
  sv1::ChargeInput charge;
  charge.set_card(input.card());
  charge.set_cents(input.cents());
  return saga->Run(samples::kChargeCard, charge, samples::kRefundCard);
}

sdk::Workflow<sv1::Receipt> ChargesFirst(sdk::Context ctx, sv1::OrderInput input) {
  saga::Saga saga(ctx);
  sdk::Outcome<sv1::Payment> paid = co_await Charge(&saga, input);
  co_return sdk::Failure::Permanent("NotReached", paid.ok() ? "" : paid.failure().message);
}

TEST_F(GoldenHistory, AnotherOrderOfStepsIsFound) {
  registry.AddWorkflow<sv1::OrderInput, sv1::Receipt>("order", &ChargesFirst);
  const absl::Status replayed = ReplayGolden("0.1/order_shipped.jsonl");
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
  sdk::Outcome<sv1::Payment> paid = co_await Charge(&saga, input);
  if (!paid.ok()) co_return co_await saga.Abort(paid.failure());
  saga.Pivot();
  co_return sv1::Receipt();
}

TEST_F(GoldenHistory, ARemovedTimerIsFound) {
  registry.AddWorkflow<sv1::OrderInput, sv1::Receipt>("order", &NoGrace);
  const absl::Status replayed = ReplayGolden("0.1/order_shipped.jsonl");
  EXPECT_THAT(std::string(replayed.message()),
              HasSubstr("expected TimerStarted id=3, found SagaPivotPassed"));
}

TEST_F(GoldenHistory, AChangeBehindThePresentIsCompatible) {
  // A declined order never came to its grace period: the same code replays it.
  registry.AddWorkflow<sv1::OrderInput, sv1::Receipt>("order", &NoGrace);
  const absl::Status replayed = ReplayGolden("0.1/order_declined.jsonl");
  EXPECT_TRUE(replayed.ok()) << replayed;
}

}  // namespace
}  // namespace replay
