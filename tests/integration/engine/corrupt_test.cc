// A damaged history makes its own run unreadable, and nothing else.
#include <gmock/gmock.h>

#include "orchestrator/store/forwarding_store.h"
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Workflow;

Workflow<Text> Wait(sdk::Context ctx, Text input) {
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  co_return T("went");
}

// Puts `damage` behind the stored history of workflow "damaged".
class DamagingStore : public store::ForwardingStore {
 public:
  DamagingStore(store::Store* store, v1::HistoryEvent damage)
      : ForwardingStore(store), damage_(std::move(damage)) {}
  absl::StatusOr<store::StoredRun> LoadRun(const base::RunId& run_id) override {
    absl::StatusOr<store::StoredRun> run = ForwardingStore::LoadRun(run_id);
    if (!run.ok() || run->row.workflow_id.value() != "damaged") return run;
    v1::Transition transition;
    transition.set_first_event_id(run->row.next_event_id++);
    *transition.add_events() = damage_;
    run->transitions.push_back(transition.SerializeAsString());
    return run;
  }

 private:
  const v1::HistoryEvent damage_;
};

class CorruptTest : public EngineTest {
 protected:
  CorruptTest() { registry.AddWorkflow<Text, Text>("wait", &Wait); }
  absl::Status Get(const std::string& id) {
    v1::GetWorkflowRequest request;
    request.set_workflow_id(id);
    return Await<v1::WorkflowInfo>(
               [&](auto done) { client->GetWorkflow(request, std::move(done)); })
        .status();
  }
};

TEST_F(CorruptTest, OneDamagedRunIsUnreadableAndTheOthersGoOn) {
  std::vector<v1::HistoryEvent> damages(5);
  damages[0].mutable_activity_task_completed()->set_scheduled_event_id(99);
  damages[1].mutable_activity_task_started()->set_scheduled_event_id(99);
  damages[2].mutable_saga_compensation_completed()->set_step("no such step");
  damages[3].mutable_workflow_execution_started();
  damages[4].mutable_saga_compensation_started()->set_step("no such step");
  Open();
  ASSERT_TRUE(Start("wait", "damaged").ok());
  for (size_t i = 0; i < damages.size(); ++i) {
    Close();
    decorate = [&](store::Store* inner) {
      return std::make_unique<DamagingStore>(inner, damages[i]);
    };
    Open();
    const std::string id = "sound-" + std::to_string(i);
    const absl::Status status = Get("damaged");
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("cannot be read"));
    EXPECT_EQ(Signal("damaged", "go", "").code(), absl::StatusCode::kDataLoss);
    ASSERT_TRUE(Start("wait", id).ok());
    ASSERT_TRUE(Signal(id, "go", "").ok());
    EXPECT_EQ(ResultText(id), "went");
  }
}

}  // namespace
}  // namespace engine_test
