// What the store keeps beside histories, through the engine: search attributes, memo, versions,
// filters, blobs and deletion; each over a restart.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "orchestrator/sdk/search_attributes.h"
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Outcome;
using sdk::Workflow;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr sdk::ActivityType<Text, Text> kEcho{"echo"};

base::Task<Outcome<Text>> Echo(sdk::ActivityContext& ctx, Text input) { co_return input; }

// Sets Region from its input, waits for "go", then sets more and ends at "end".
Workflow<Text> Tagged(sdk::Context ctx, Text input) {
  ctx.UpsertSearchAttributes(
      sdk::SearchAttributes().Keyword("Region", input.message()).Int("Amount", 7));
  ctx.UpsertMemo("note", T("about " + input.message()));
  if (ctx.Patched("fast")) ctx.UpsertSearchAttributes(sdk::SearchAttributes().Bool("Fast", true));
  const sdk::Done go = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("go"); });
  if (!go.ok()) co_return go.failure();
  ctx.UpsertSearchAttributes(sdk::SearchAttributes()
                                 .Keyword("Region", "moved")
                                 .Remove("Amount")
                                 .KeywordList("Tags", {"a", "b"}));
  const sdk::Done end = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("end"); });
  if (!end.ok()) co_return end.failure();
  co_return T("done");
}

Workflow<Text> Greedy(sdk::Context ctx, Text input) {
  ctx.UpsertSearchAttributes(sdk::SearchAttributes().Keyword(input.message(), "x"));
  co_return T("done");
}

Workflow<Text> Again(sdk::Context ctx, Text input) {
  if (input.message().empty()) {
    ctx.UpsertSearchAttributes(sdk::SearchAttributes().Keyword("Region", "chain"));
    ctx.UpsertMemo("note", T("kept"));
    co_return ctx.ContinueAsNew(T("second"));
  }
  co_return T(ctx.info().search_attributes.fields().at("Region").keyword());
}

// Holds a large text: given to an activity, and its answer again as the result.
Workflow<Text> Large(sdk::Context ctx, Text input) {
  const std::string text = input.message();
  ctx.SetQueryHandler<Text, Text>(
      "size", [text](const Text&) -> Outcome<Text> { return T(absl::StrCat(text.size())); });
  const Outcome<Text> echoed = co_await ctx.Execute(kEcho, input);
  if (!echoed.ok()) co_return echoed.failure();
  const sdk::Done end = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("end"); });
  if (!end.ok()) co_return end.failure();
  co_return echoed;
}

class SearchTest : public EngineTest {
 protected:
  SearchTest() {
    registry.AddActivity(kEcho, &Echo);
    registry.AddWorkflow<Text, Text>("tagged", &Tagged);
    registry.AddWorkflow<Text, Text>("greedy", &Greedy);
    registry.AddWorkflow<Text, Text>("again", &Again);
    registry.AddWorkflow<Text, Text>("large", &Large);
  }
  absl::StatusOr<v1::ListWorkflowsResponse> ListPage(const v1::ListWorkflowsRequest& request) {
    return Await<v1::ListWorkflowsResponse>(
        [&](auto done) { client->ListWorkflows(request, std::move(done)); });
  }
  std::vector<std::string> List(const std::string& filter) {
    v1::ListWorkflowsRequest request;
    request.set_filter(filter);
    const auto page = ListPage(request);
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> ids;
    if (!page.ok()) return ids;
    for (const auto& info : page->workflows()) ids.push_back(info.workflow_id());
    return ids;
  }
  int64_t Count(const std::string& filter) {
    v1::CountWorkflowsRequest request;
    request.set_filter(filter);
    const auto counts = Await<v1::CountWorkflowsResponse>(
        [&](auto done) { client->CountWorkflows(request, std::move(done)); });
    EXPECT_TRUE(counts.ok()) << counts.status();
    return counts.ok() ? counts->count() : -1;
  }
  absl::Status Delete(const std::string& id) {
    v1::DeleteWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_identity("tester");
    return Await<v1::DeleteWorkflowResponse>(
               [&](auto done) { client->DeleteWorkflow(request, std::move(done)); })
        .status();
  }
};

TEST_F(SearchTest, AttributesOfCodeAndStartAreShownAndFoundAfterARestart) {
  Open();
  ASSERT_TRUE(Start("tagged", "w1", "eu").ok());
  v1::StartWorkflowRequest request;
  request.set_workflow_id("w2");
  request.set_workflow_type("tagged");
  *request.mutable_input() = history::ToPayload(T("us"));
  *request.mutable_search_attributes() = sdk::SearchAttributes().Double("Rate", 0.5);
  (*request.mutable_memo()->mutable_fields())["from"].set_data("outside");
  ASSERT_TRUE(Await<v1::StartWorkflowResponse>([&](auto done) {
                client->StartWorkflow(request, std::move(done));
              }).ok());
  Restart();
  EXPECT_THAT(List("Region = eu"), ElementsAre("w1"));
  EXPECT_THAT(List("Rate < 1 AND Region = us"), ElementsAre("w2"));
  EXPECT_THAT(List("Amount = 7"), ElementsAre("w2", "w1"));
  EXPECT_EQ(Count("Fast = true"), 2);
  v1::WorkflowInfo info = Info("w2");
  EXPECT_EQ(info.search_attributes().fields().size(), 4u);
  EXPECT_EQ(info.memo().fields().at("from").data(), "outside");
  EXPECT_EQ(history::FromPayload<Text>(info.memo().fields().at("note"))->message(), "about us");
  EXPECT_THAT(info.patches(), ElementsAre("fast"));

  ASSERT_TRUE(Signal("w1", "go", "").ok());
  EXPECT_THAT(List("Region = eu OR Amount = 7"), ElementsAre("w2"));
  EXPECT_THAT(List("Region = moved AND Tags:b"), ElementsAre("w1"));
  Restart();  // replay accepts the upserts
  ASSERT_TRUE(Signal("w1", "end", "").ok());
  EXPECT_EQ(ResultText("w1"), "done");
  EXPECT_THAT(List("Tags:a AND status = COMPLETED"), ElementsAre("w1"));
}

TEST_F(SearchTest, ContinueAsNewCarriesAttributesAndMemo) {
  Open();
  ASSERT_TRUE(Start("again", "w1").ok());
  EXPECT_EQ(ResultText("w1"), "chain");
  EXPECT_EQ(Count("Region = chain"), 2);
  EXPECT_EQ(history::FromPayload<Text>(Info("w1").memo().fields().at("note"))->message(), "kept");
}

TEST_F(SearchTest, LimitsNameThemselvesAndTheValue) {
  Open({.search_attributes_max = 2, .search_attribute_bytes_max = 100, .memo_bytes_max = 50});
  v1::StartWorkflowRequest request;
  request.set_workflow_id("w");
  request.set_workflow_type("greedy");
  const auto start = [&](const v1::SearchAttributes& attributes) {
    *request.mutable_search_attributes() = attributes;
    return Await<v1::StartWorkflowResponse>(
               [&](auto done) { client->StartWorkflow(request, std::move(done)); })
        .status();
  };
  const absl::Status many = start(sdk::SearchAttributes().Int("A", 1).Int("B", 1).Int("C", 1));
  EXPECT_TRUE(absl::IsResourceExhausted(many)) << many;
  EXPECT_THAT(std::string(many.message()),
              AllOf(HasSubstr("3 search attributes"), HasSubstr("search_attributes_max = 2")));
  const absl::Status large = start(sdk::SearchAttributes().Keyword("A", std::string(200, 'x')));
  EXPECT_THAT(std::string(large.message()), AllOf(HasSubstr("\"A\""), HasSubstr("203 bytes"),
                                                  HasSubstr("search_attribute_bytes_max = 100")));
  const absl::Status name = start(sdk::SearchAttributes().Int("no good", 1));
  EXPECT_TRUE(absl::IsInvalidArgument(name)) << name;
  EXPECT_TRUE(absl::IsInvalidArgument(start(sdk::SearchAttributes().Int("workflow_type", 1))));
  request.clear_search_attributes();
  (*request.mutable_memo()->mutable_fields())["m"].set_data(std::string(100, 'x'));
  const absl::Status memo = start({});
  EXPECT_THAT(std::string(memo.message()), HasSubstr("memo_bytes_max = 50"));
  EXPECT_EQ(Count(""), 0);

  // Code that does it is STUCK, and nothing of its task is recorded.
  ASSERT_TRUE(Start("greedy", "w1", "no good").ok());
  const v1::WorkflowInfo info = Info("w1");
  EXPECT_EQ(info.status(), v1::RunStatus::STUCK);
  EXPECT_THAT(info.status_reason(), HasSubstr("\"no good\""));
  EXPECT_EQ(info.history_length(), 1);
}

TEST_F(SearchTest, WhatIsWrongWithAListIsSaid) {
  Open();
  v1::ListWorkflowsRequest request;
  request.set_filter("Region = eu AND status = HAPPY");
  const absl::Status wrong = ListPage(request).status();
  EXPECT_TRUE(absl::IsInvalidArgument(wrong)) << wrong;
  EXPECT_THAT(std::string(wrong.message()), AllOf(HasSubstr("HAPPY"), HasSubstr("character 26")));
  request.clear_filter();
  request.set_order_by("size");
  EXPECT_THAT(std::string(ListPage(request).status().message()), HasSubstr("order_by"));

  for (const char* id : {"w1", "w2", "w3"}) ASSERT_TRUE(Start("tagged", id, "eu").ok());
  request.set_order_by("start_time");
  request.set_filter("Region = eu");
  request.set_page_size(2);
  const auto page = ListPage(request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->workflows(0).workflow_id(), "w1");
  request.set_page_token(page->next_page_token());
  EXPECT_EQ(ListPage(request)->workflows(0).workflow_id(), "w3");
  EXPECT_TRUE(ListPage(request)->next_page_token().empty());
  request.set_filter("Region = us");
  const absl::Status token = ListPage(request).status();
  EXPECT_TRUE(absl::IsInvalidArgument(token)) << token;
  EXPECT_THAT(std::string(token.message()), HasSubstr("page_token"));
}

TEST_F(SearchTest, VersionsFollowTheCodeThatRunsTheTasks) {
  build_id = "build-1";
  Open();
  ASSERT_TRUE(Start("tagged", "w1", "eu").ok());
  ASSERT_TRUE(Start("tagged", "w2", "eu").ok());
  build_id = "build-2";
  Restart();
  ASSERT_TRUE(Signal("w1", "go", "").ok());
  ASSERT_TRUE(Signal("w1", "end", "").ok());
  EXPECT_EQ(ResultText("w1"), "done");
  const auto versions = Await<v1::ListVersionsResponse>(
      [&](auto done) { client->ListVersions({}, std::move(done)); });
  ASSERT_TRUE(versions.ok()) << versions.status();
  std::vector<std::string> lines;
  for (const auto& use : versions->builds()) {
    lines.push_back(absl::StrCat(use.id(), " ", use.open_runs(), "+", use.closed_runs(), " ",
                                 use.oldest_open_workflow_id()));
  }
  EXPECT_THAT(lines, ElementsAre("build-1 1+0 w2", "build-2 0+1 "));
  ASSERT_EQ(versions->patches_size(), 1);
  EXPECT_EQ(versions->patches(0).id(), "fast");
  EXPECT_EQ(versions->patches(0).open_runs(), 1);
  EXPECT_THAT(List("build_id = \"build-1\""), ElementsAre("w2"));
  EXPECT_THAT(List("patches:fast"), UnorderedElementsAre("w1", "w2"));
  // The history names the build where it changed, and only there.
  std::vector<std::string> named;
  for (const auto& event : History("w1")) {
    const std::string& id = event.workflow_task_completed().build_id();
    if (!id.empty()) named.push_back(id);
  }
  EXPECT_THAT(named, ElementsAre("build-1", "build-2"));
}

TEST_F(SearchTest, DeleteTakesClosedRunsOnly) {
  Open();
  ASSERT_TRUE(Start("tagged", "w1", "eu").ok());
  EXPECT_TRUE(absl::IsNotFound(Delete("nobody")));
  const absl::Status open = Delete("w1");
  EXPECT_TRUE(absl::IsFailedPrecondition(open)) << open;
  ASSERT_TRUE(Signal("w1", "go", "").ok());
  ASSERT_TRUE(Signal("w1", "end", "").ok());
  EXPECT_EQ(ResultText("w1"), "done");
  EXPECT_TRUE(Delete("w1").ok());
  EXPECT_TRUE(absl::IsNotFound(Delete("w1")));
  EXPECT_THAT(List(""), IsEmpty());
  Restart();
  EXPECT_EQ(Count(""), 0);
  ASSERT_TRUE(Start("tagged", "w1", "us").ok()) << "its id is free";
  EXPECT_THAT(List("Region:*"), ElementsAre("w1"));
}

TEST_F(SearchTest, LargePayloadsAreKeptOnceAndReadWhole) {
  const std::string text(200'000, 'L');
  Open({.payload_offload_bytes = 10'000});
  const std::string first = Start("large", "w1", text)->run_id();
  const std::string second = Start("large", "w2", text)->run_id();
  for (const char* id : {"w1", "w2"}) {
    WaitFor(id, [](const v1::WorkflowInfo& info) { return info.pending_activities().empty(); });
  }
  for (const std::string& run_id : {first, second}) {
    const auto stored = store->LoadRun(base::RunId(run_id));
    ASSERT_TRUE(stored.ok());
    for (const std::string& transition : stored->transitions) EXPECT_LT(transition.size(), 5000u);
  }
  EXPECT_EQ(History("w1")[0].workflow_execution_started().input().ByteSizeLong(),
            history::ToPayload(T(text)).ByteSizeLong());
  Restart();  // with the off-load off: what is stored is read all the same
  EXPECT_EQ(*Query("w1", "size"), "200000");
  for (const char* id : {"w1", "w2"}) {
    ASSERT_TRUE(Signal(id, "end", "").ok());
    EXPECT_EQ(ResultText(id).size(), text.size());
  }
  EXPECT_TRUE(Delete("w1").ok());
  Restart();
  EXPECT_EQ(ResultText("w2").size(), text.size()) << "the other run still refers to the blob";
  EXPECT_EQ(
      history::FromPayload<Text>(History("w2")[0].workflow_execution_started().input())->message(),
      text);
}

TEST_F(SearchTest, AReferenceThatACallerMakesUpIsAnOrdinaryPayload) {
  Open({.payload_offload_bytes = 0});
  v1::StartWorkflowRequest request;
  request.set_workflow_id("w1");
  request.set_workflow_type("nobody knows");
  auto& metadata = *request.mutable_input()->mutable_metadata();
  metadata["encoding"] = "blob/sha256";
  metadata["blob"] = std::string(64, '0');
  metadata["blob/encoding"] = "x";
  metadata["blobby"] = "y";
  request.mutable_input()->set_data("small");
  ASSERT_TRUE(Await<v1::StartWorkflowResponse>([&](auto done) {
                client->StartWorkflow(request, std::move(done));
              }).ok());
  Restart();
  const v1::Payload input = History("w1")[0].workflow_execution_started().input();
  EXPECT_EQ(input.data(), "small");
  EXPECT_EQ(input.metadata().size(), 4u);
  for (const auto& [key, value] : request.input().metadata()) {
    ASSERT_TRUE(input.metadata().contains(key)) << key;
    EXPECT_EQ(input.metadata().at(key), value) << key;
  }
}

}  // namespace
}  // namespace engine_test
