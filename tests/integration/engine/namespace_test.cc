// Tenants: two namespaces with the same workflow id know nothing of each other, by any verb, over
// several partitions, and not by a run id either.
#include <gmock/gmock.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "orchestrator/history/payload.h"
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using ::testing::IsEmpty;

constexpr sdk::WorkflowType<Text, Text> kEcho{"echo"};

// Waits for the signal "go" and returns it.
sdk::Workflow<Text> Waiting(sdk::Context ctx, Text input) {
  ctx.SetQueryHandler<Text, Text>("input",
                                  [input](const Text&) -> sdk::Outcome<Text> { return input; });
  ctx.SetUpdateHandler<Text, Text>("ask", nullptr, [ctx](const Text&) { return T(ctx.info().ns); });
  const sdk::Done waited = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  co_return *ctx.TakeSignal<Text>("go");
}

sdk::Workflow<Text> Echo(sdk::Context ctx, Text input) {
  co_return T(absl::StrCat(ctx.info().ns, " ", input.message()));
}

// Its child is "child", and it sends to the workflow "peer": both of its own namespace.
sdk::Workflow<Text> Parent(sdk::Context ctx, Text input) {
  const sdk::Outcome<Text> child =
      co_await ctx.ExecuteChild(kEcho, T("child"), {.workflow_id = "child"});
  if (!child.ok()) co_return child.failure();
  const sdk::Done sent = co_await ctx.SignalExternal({.workflow_id = "peer"}, "go", *child);
  if (!sent.ok()) co_return sent.failure();
  co_return *child;
}

class NamespaceTest : public EngineTest {
 protected:
  NamespaceTest() {
    registry.AddWorkflow<Text, Text>("waiting", &Waiting);
    registry.AddWorkflow<Text, Text>("echo", &Echo);
    registry.AddWorkflow<Text, Text>("parent", &Parent);
    Open({.partitions = 8});
  }
  ~NamespaceTest() override { Close(); }

  // The run's id.
  std::string Begin(const std::string& ns, const std::string& type, const std::string& id,
                    const std::string& input = "") {
    const auto started = StartIn(ns, type, id, T(input), /*request_id=*/"the same");
    EXPECT_TRUE(started.ok()) << started.status();
    if (!started.ok()) return "";
    EXPECT_FALSE(started->already_started()) << ns;
    return started->run_id();
  }
  template <typename Request>
  Request In(const std::string& ns, const std::string& id, const std::string& run_id) {
    Request request;
    request.set_namespace_(ns);
    request.set_workflow_id(id);
    request.set_run_id(run_id);
    return request;
  }
  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(void (client::WorkflowClient::*verb)(Request,
                                                                     client::Callback<Response>),
                                Request request) {
    return Await<Response>([&](auto done) { (*client.*verb)(request, std::move(done)); });
  }
  std::string Outcome(const std::string& ns, const std::string& id) {
    const v1::GetWorkflowResultResponse result = ResultIn(ns, id);
    if (result.has_failure()) return result.failure().type();
    return history::FromPayload<Text>(result.result())->message();
  }

  // Every verb that names a workflow, sent to a namespace: its name -> how it ended.
  std::map<std::string, absl::Status> AllVerbs(const std::string& ns, const std::string& id,
                                               const std::string& run_id) {
    using Client = client::WorkflowClient;
    std::map<std::string, absl::Status> said;
    said["get"] = Call(&Client::GetWorkflow, In<v1::GetWorkflowRequest>(ns, id, run_id)).status();
    said["history"] =
        Call(&Client::GetHistory, In<v1::GetWorkflowHistoryRequest>(ns, id, run_id)).status();
    said["result"] =
        Call(&Client::GetResult, In<v1::GetWorkflowResultRequest>(ns, id, run_id)).status();
    said["saga"] = Call(&Client::GetSaga, In<v1::GetSagaRequest>(ns, id, run_id)).status();
    auto signal = In<v1::SignalWorkflowRequest>(ns, id, run_id);
    signal.set_signal_name("noise");
    said["signal"] = Call(&Client::Signal, signal).status();
    auto query = In<v1::QueryWorkflowRequest>(ns, id, run_id);
    query.set_query_name("input");
    *query.mutable_input() = history::ToPayload(T(""));
    said["query"] = Call(&Client::Query, query).status();
    auto update = In<v1::UpdateWorkflowRequest>(ns, id, run_id);
    update.set_update_name("ask");
    *update.mutable_input() = history::ToPayload(T(""));
    said["update"] = Call(&Client::Update, update).status();
    said["pause"] = Call(&Client::Pause, In<v1::PauseWorkflowRequest>(ns, id, run_id)).status();
    said["resume"] = Call(&Client::Resume, In<v1::ResumeWorkflowRequest>(ns, id, run_id)).status();
    said["retry"] =
        Call(&Client::RetryNow, In<v1::RetryWorkflowNowRequest>(ns, id, run_id)).status();
    v1::CompensationVerbRequest verb;
    verb.set_namespace_(ns);
    verb.set_workflow_id(id);
    verb.set_step("none");
    said["compensation"] =
        Await<v1::CompensationVerbResponse>([&](auto done) {
          client->Compensation(client::CompensationVerb::kSkip, verb, std::move(done));
        }).status();
    said["cancel"] = Call(&Client::Cancel, In<v1::CancelWorkflowRequest>(ns, id, run_id)).status();
    said["terminate"] =
        Call(&Client::Terminate, In<v1::TerminateWorkflowRequest>(ns, id, run_id)).status();
    auto reset = In<v1::ResetWorkflowRequest>(ns, id, run_id);
    reset.set_event_id(1);
    said["reset"] = Call(&Client::ResetWorkflow, reset).status();
    said["delete"] =
        Call(&Client::DeleteWorkflow, In<v1::DeleteWorkflowRequest>(ns, id, run_id)).status();
    return said;
  }
};

TEST_F(NamespaceTest, NoVerbReachesAnotherNamespaceByNameOrByRunId) {
  const std::string run_id = Begin("acme", "waiting", "order-1", "of acme");
  for (const char* other : {"", "default", "globex"}) {
    for (const std::string& by : {std::string(), run_id}) {
      for (const auto& [verb, status] : AllVerbs(other, "order-1", by)) {
        EXPECT_TRUE(absl::IsNotFound(status))
            << verb << " in \"" << other << "\" by run id \"" << by << "\": " << status;
      }
    }
  }
  // None of it was felt.
  const auto info = Call(&client::WorkflowClient::GetWorkflow,
                         In<v1::GetWorkflowRequest>("acme", "order-1", run_id));
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->status(), v1::RunStatus::RUNNING);
  EXPECT_EQ(info->namespace_(), "acme");
  // And its own tenant reaches it by all of them.
  for (const auto& [verb, status] : AllVerbs("acme", "order-1", "")) {
    EXPECT_FALSE(absl::IsNotFound(status) && verb != "compensation") << verb << ": " << status;
  }
}

TEST_F(NamespaceTest, TheSameIdRunsOnceInEachAndEachAnswersForItself) {
  const std::vector<std::string> all = {"default", "acme", "globex"};
  std::map<std::string, std::string> runs;
  for (const std::string& ns : all) runs[ns] = Begin(ns, "waiting", "order-1", "of " + ns);
  for (const std::string& ns : all) {
    auto query = In<v1::QueryWorkflowRequest>(ns, "order-1", "");
    query.set_query_name("input");
    *query.mutable_input() = history::ToPayload(T(""));
    const auto answer = Call(&client::WorkflowClient::Query, query);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(history::FromPayload<Text>(answer->result())->message(), "of " + ns);
    v1::SignalWithStartWorkflowRequest signal;
    signal.mutable_start()->set_namespace_(ns);
    signal.mutable_start()->set_workflow_id("order-1");
    signal.mutable_start()->set_workflow_type("waiting");
    signal.set_signal_name("go");
    *signal.mutable_signal_input() = history::ToPayload(T("end of " + ns));
    const auto sent = Call(&client::WorkflowClient::SignalWithStart, signal);
    ASSERT_TRUE(sent.ok()) << sent.status();
    EXPECT_EQ(sent->run_id(), runs[ns]) << "it is open, so nothing new begins";
    EXPECT_EQ(Outcome(ns, "order-1"), "end of " + ns);
  }
}

TEST_F(NamespaceTest, AnUpdateWithStartIsForTheRunOfItsNamespace) {
  Begin("acme", "waiting", "order-1");
  Begin("default", "waiting", "order-1");
  v1::UpdateWithStartWorkflowRequest request;
  request.mutable_start()->set_namespace_("acme");
  request.mutable_start()->set_workflow_id("order-1");
  request.mutable_start()->set_workflow_type("waiting");
  request.set_update_name("ask");
  *request.mutable_update_input() = history::ToPayload(T(""));
  const auto asked = Call(&client::WorkflowClient::UpdateWithStart, request);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_FALSE(asked->started());
  EXPECT_EQ(history::FromPayload<Text>(asked->update().result())->message(), "acme");
}

TEST_F(NamespaceTest, ChildrenAndMessagesStayInTheNamespaceOfTheirRun) {
  Begin("acme", "waiting", "peer");
  Begin("default", "waiting", "peer");
  Begin("acme", "parent", "parent");
  EXPECT_EQ(Outcome("acme", "parent"), "acme child");
  EXPECT_EQ(Outcome("acme", "child"), "acme child");
  EXPECT_EQ(Outcome("acme", "peer"), "acme child");
  EXPECT_TRUE(absl::IsNotFound(InfoIn("default", "child").status()));
  const auto bystander = InfoIn("default", "peer");
  ASSERT_TRUE(bystander.ok()) << bystander.status();
  EXPECT_EQ(bystander->status(), v1::RunStatus::RUNNING);
}

TEST_F(NamespaceTest, ListsAndCountsAreOfOneNamespace) {
  Begin("acme", "waiting", "order-1");
  Begin("acme", "waiting", "order-2");
  Begin("globex", "waiting", "order-1");
  v1::ListWorkflowsRequest list;
  list.set_namespace_("globex");
  const auto runs = Call(&client::WorkflowClient::ListWorkflows, list);
  ASSERT_TRUE(runs.ok()) << runs.status();
  ASSERT_EQ(runs->workflows_size(), 1);
  EXPECT_EQ(runs->workflows(0).namespace_(), "globex");
  list.set_filter("workflow_id = \"order-2\"");
  const auto others = Call(&client::WorkflowClient::ListWorkflows, list);
  ASSERT_TRUE(others.ok()) << others.status();
  EXPECT_THAT(others->workflows(), IsEmpty());
  v1::CountWorkflowsRequest count;
  count.set_namespace_("acme");
  const auto counted = Call(&client::WorkflowClient::CountWorkflows, count);
  ASSERT_TRUE(counted.ok()) << counted.status();
  EXPECT_EQ(counted->count(), 2);
}

TEST_F(NamespaceTest, ARestartKeepsThemApart) {
  Begin("acme", "waiting", "order-1", "of acme");
  Begin("default", "waiting", "order-1", "of default");
  Restart({.partitions = 8});
  for (const char* ns : {"acme", "default"}) {
    auto signal = In<v1::SignalWorkflowRequest>(ns, "order-1", "");
    signal.set_signal_name("go");
    *signal.mutable_input() = history::ToPayload(T(ns));
    ASSERT_TRUE(Call(&client::WorkflowClient::Signal, signal).ok());
    EXPECT_EQ(Outcome(ns, "order-1"), ns);
  }
}

}  // namespace
}  // namespace engine_test
