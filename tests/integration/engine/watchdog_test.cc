// Workflow code that holds its partition's loop is named, in the metrics and in the run's state.
#include <gmock/gmock.h>

#include "absl/synchronization/notification.h"
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Outcome;
using sdk::Workflow;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// What the code below waits for, as code must not.
absl::Notification* latch = nullptr;

Workflow<Text> Blocks(sdk::Context ctx, Text input) {
  latch->WaitForNotification();
  co_return input;
}

Workflow<Text> Waits(sdk::Context ctx, Text input) {
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  co_return input;
}

// Its replay takes long.
Workflow<Text> ReplaysSlowly(sdk::Context ctx, Text input) {
  if (ctx.is_replaying()) latch->WaitForNotification();
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  co_return input;
}

class WatchdogTest : public EngineTest {
 protected:
  WatchdogTest() {
    registry.AddWorkflow<Text, Text>("blocks", &Blocks);
    registry.AddWorkflow<Text, Text>("waits", &Waits);
    registry.AddWorkflow<Text, Text>("replays_slowly", &ReplaysSlowly);
    latch = &release;
  }
  ~WatchdogTest() override {
    if (!release.HasBeenNotified()) release.Notify();
    Close();
  }
  void Begin() {
    engine::EngineOptions options;
    options.task_blocked_after = absl::Milliseconds(20);
    Open(options);
  }
  // Asks for a start and does not wait for the answer, which cannot come.
  void StartAndLeave(const std::string& type, const std::string& id) {
    v1::StartWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_workflow_type(type);
    *request.mutable_input() = history::ToPayload(T("in"));
    client->StartWorkflow(request, [this](absl::StatusOr<v1::StartWorkflowResponse> started) {
      EXPECT_TRUE(started.ok()) << started.status();
      answered.Notify();
    });
  }
  std::string Metrics() { return metrics.Expose(); }

  absl::Notification release;
  absl::Notification answered;
};

TEST_F(WatchdogTest, NamesARunWhoseCodeBlocksItsLoop) {
  Begin();
  ASSERT_TRUE(Start("waits", "other").ok());
  StartAndLeave("blocks", "bad");

  const v1::WorkflowInfo bad = Info("bad");
  EXPECT_EQ(bad.workflow_type(), "blocks");
  EXPECT_FALSE(bad.run_id().empty());
  EXPECT_THAT(
      bad.status_reason(),
      StartsWith("blocked: the code of workflow type blocks has held its partition's loop"));
  const v1::WorkflowInfo other = Info("other");
  EXPECT_EQ(other.workflow_type(), "waits");
  EXPECT_THAT(other.status_reason(),
              StartsWith("waits for its partition: workflow \"bad\" is blocked"));
  EXPECT_THAT(Metrics(), HasSubstr("workflow_task_blocked_total{workflow=\"blocks\"} 1"));

  release.Notify();
  answered.WaitForNotification();
  EXPECT_EQ(ResultText("bad"), "in");
  EXPECT_EQ(Info("other").status_reason(), "");
  while (Metrics().find("workflow_loops_blocked{by=\"code\"} 0") == std::string::npos) {
    (void)Info("other");
  }
}

TEST_F(WatchdogTest, SaysThatALongHistoryIsReplayedAndDoesNotCryWolf) {
  Begin();
  ASSERT_TRUE(Start("replays_slowly", "old", "in").ok());
  Close();
  Begin();
  v1::SignalWorkflowRequest request;
  request.set_workflow_id("old");
  request.set_signal_name("go");
  client->Signal(request, [this](absl::StatusOr<v1::SignalWorkflowResponse> signaled) {
    EXPECT_TRUE(signaled.ok()) << signaled.status();
    answered.Notify();
  });
  EXPECT_THAT(Info("old").status_reason(), StartsWith("replaying: its history of "));
  EXPECT_THAT(Metrics(), Not(HasSubstr("workflow_task_blocked_total{")));
  release.Notify();
  answered.WaitForNotification();
  EXPECT_EQ(ResultText("old"), "in");
}

}  // namespace
}  // namespace engine_test
