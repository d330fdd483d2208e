// Schedules and batches live, and act, in the namespace of their caller.
#include "tests/integration/schedules/system_fixture.h"
#include "tests/support/await.h"

namespace engine_test {
namespace {

class TenantsTest : public SystemTest {
 protected:
  // Starts a run of the schedule, in place of the open one; waits until it is there.
  std::string Trigger(const std::string& ns, const std::string& schedule) {
    v1::TriggerScheduleRequest trigger;
    trigger.set_overlap(v1::OverlapPolicy::TERMINATE_OTHER);
    v1::UpdateWorkflowRequest update;
    update.set_namespace_(ns);
    update.set_workflow_id(schedule);
    update.set_update_name(schedules::kTrigger);
    *update.mutable_input() = history::ToPayload(trigger);
    const auto updated = Await<v1::UpdateWorkflowResponse>(
        [&](auto done) { client->Update(update, std::move(done)); });
    EXPECT_TRUE(updated.ok() && updated->has_result()) << updated.status();
    if (!updated.ok()) return "";
    const std::string id =
        history::FromPayload<v1::TriggerScheduleResponse>(updated->result())->workflow_id();
    test::Await([&] { return InfoIn(ns, id).ok(); }, "the run " + id);
    return id;
  }
};

TEST_F(TenantsTest, ABatchTouchesTheRunsOfItsNamespaceAlone) {
  OpenAll();
  for (const char* ns : {"acme", "globex", "default"}) {
    ASSERT_TRUE(StartIn(ns, "report", "r1", T("wait")).ok());
    ASSERT_TRUE(StartIn(ns, "report", "r2", T("wait")).ok());
  }
  v1::BatchInput batch;
  batch.set_batch_id("b");
  batch.mutable_batch()->set_verb(v1::BatchVerb::TERMINATE);
  batch.mutable_batch()->set_filter("workflow_type = report");
  batch.mutable_batch()->set_reason("test");
  ASSERT_TRUE(StartIn("acme", batches::kBatchType, batches::WorkflowIdOf("b"), batch).ok());
  const auto info =
      history::FromPayload<v1::BatchInfo>(ResultIn("acme", batches::WorkflowIdOf("b")).result());
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->progress().total(), 2);
  EXPECT_EQ(info->progress().done(), 2);
  for (const char* id : {"r1", "r2"}) {
    EXPECT_EQ(ResultIn("acme", id).status(), v1::RunStatus::TERMINATED);
    EXPECT_EQ(InfoIn("globex", id)->status(), v1::RunStatus::RUNNING);
    EXPECT_EQ(InfoIn("default", id)->status(), v1::RunStatus::RUNNING);
  }
}

// Its second start must end the first run: the one of its own namespace, not the one beside it.
TEST_F(TenantsTest, AScheduleStartsFollowsAndStopsRunsOfItsNamespace) {
  OpenAll();
  v1::ScheduleInput schedule;
  schedule.set_schedule_id("s");
  schedule.set_paused(true);
  schedule.mutable_schedule()->mutable_spec()->add_crons("0 * * * *");
  schedule.mutable_schedule()->mutable_action()->set_workflow_type("report");
  *schedule.mutable_schedule()->mutable_action()->mutable_input() = history::ToPayload(T("wait"));
  ASSERT_TRUE(StartIn("acme", schedules::kScheduleType, "schedule:s", schedule).ok());
  const std::string first = Trigger("acme", "schedule:s");
  ASSERT_TRUE(StartIn("default", "report", first, T("wait")).ok());
  const std::string second = Trigger("acme", "schedule:s");
  EXPECT_EQ(ResultIn("acme", first).status(), v1::RunStatus::TERMINATED);
  const absl::StatusOr<v1::WorkflowInfo> run = InfoIn("acme", second);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->status(), v1::RunStatus::RUNNING);
  EXPECT_EQ(run->namespace_(), "acme");
  EXPECT_EQ(InfoIn("default", first)->status(), v1::RunStatus::RUNNING);
  EXPECT_TRUE(absl::IsNotFound(InfoIn("default", second).status()));
}

}  // namespace
}  // namespace engine_test
