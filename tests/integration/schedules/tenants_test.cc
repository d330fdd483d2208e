// Schedules and batches live, and act, in the namespace of their caller.
#include "tests/integration/schedules/system_fixture.h"

namespace engine_test {
namespace {

class TenantsTest : public SystemTest {
 protected:
  template <typename Input>
  void StartIn(const std::string& ns, const std::string& type, const std::string& id,
               const Input& input) {
    v1::StartWorkflowRequest request;
    request.set_namespace_(ns);
    request.set_workflow_id(id);
    request.set_workflow_type(type);
    *request.mutable_input() = history::ToPayload(input);
    const auto started = Await<v1::StartWorkflowResponse>(
        [&](auto done) { client->StartWorkflow(request, std::move(done)); });
    ASSERT_TRUE(started.ok()) << ns << " " << id << ": " << started.status();
  }
  v1::GetWorkflowResultResponse Ended(const std::string& ns, const std::string& id) {
    v1::GetWorkflowResultRequest request;
    request.set_namespace_(ns);
    request.set_workflow_id(id);
    request.mutable_wait()->set_seconds(60);
    const auto result = Await<v1::GetWorkflowResultResponse>(
        [&](auto done) { client->GetResult(request, std::move(done)); });
    EXPECT_TRUE(result.ok()) << ns << " " << id << ": " << result.status();
    return result.value_or(v1::GetWorkflowResultResponse());
  }
  absl::StatusOr<v1::WorkflowInfo> InfoIn(const std::string& ns, const std::string& id) {
    v1::GetWorkflowRequest request;
    request.set_namespace_(ns);
    request.set_workflow_id(id);
    return Await<v1::WorkflowInfo>(
        [&](auto done) { client->GetWorkflow(request, std::move(done)); });
  }
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
    while (!InfoIn(ns, id).ok()) {
    }
    return id;
  }
};

TEST_F(TenantsTest, ABatchTouchesTheRunsOfItsNamespaceAlone) {
  OpenAll();
  for (const char* ns : {"acme", "globex", "default"}) {
    StartIn(ns, "report", "r1", T("wait"));
    StartIn(ns, "report", "r2", T("wait"));
  }
  v1::BatchInput batch;
  batch.set_batch_id("b");
  batch.mutable_batch()->set_verb(v1::BatchVerb::TERMINATE);
  batch.mutable_batch()->set_filter("workflow_type = report");
  batch.mutable_batch()->set_reason("test");
  StartIn("acme", batches::kBatchType, batches::WorkflowIdOf("b"), batch);
  const auto info =
      history::FromPayload<v1::BatchInfo>(Ended("acme", batches::WorkflowIdOf("b")).result());
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->progress().total(), 2);
  EXPECT_EQ(info->progress().done(), 2);
  for (const char* id : {"r1", "r2"}) {
    EXPECT_EQ(Ended("acme", id).status(), v1::RunStatus::TERMINATED);
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
  StartIn("acme", schedules::kScheduleType, "schedule:s", schedule);
  const std::string first = Trigger("acme", "schedule:s");
  StartIn("default", "report", first, T("wait"));
  const std::string second = Trigger("acme", "schedule:s");
  EXPECT_EQ(Ended("acme", first).status(), v1::RunStatus::TERMINATED);
  absl::StatusOr<v1::WorkflowInfo> run = InfoIn("acme", second);
  while (!run.ok()) run = InfoIn("acme", second);
  EXPECT_EQ(run->status(), v1::RunStatus::RUNNING);
  EXPECT_EQ(run->namespace_(), "acme");
  EXPECT_EQ(InfoIn("default", first)->status(), v1::RunStatus::RUNNING);
  EXPECT_TRUE(absl::IsNotFound(InfoIn("default", second).status()));
}

}  // namespace
}  // namespace engine_test
