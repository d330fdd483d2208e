// Filters, orders and counts. Every filter is asked of the store and of store::Matches, which says
// what it means; both must name the same runs.
#include <gmock/gmock.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"
#include "orchestrator/filter/parser.h"
#include "orchestrator/store/match.h"
#include "tests/contract/store/store_conformance.h"

namespace contract {
namespace {

using store::RunOrder;
using testing::ElementsAre;
using testing::IsEmpty;

v1::SearchAttribute Keyword(const std::string& value) {
  v1::SearchAttribute attribute;
  attribute.set_keyword(value);
  return attribute;
}
v1::SearchAttribute Int(int64_t value) {
  v1::SearchAttribute attribute;
  attribute.set_int_(value);
  return attribute;
}
v1::SearchAttribute Double(double value) {
  v1::SearchAttribute attribute;
  attribute.set_double_(value);
  return attribute;
}
v1::SearchAttribute Bool(bool value) {
  v1::SearchAttribute attribute;
  attribute.set_bool_(value);
  return attribute;
}
v1::SearchAttribute Datetime(absl::Time time) {
  v1::SearchAttribute attribute;
  attribute.mutable_datetime()->set_seconds(absl::ToUnixSeconds(time));
  return attribute;
}
v1::SearchAttribute List(const std::vector<std::string>& values) {
  v1::SearchAttribute attribute;
  for (const std::string& value : values) attribute.mutable_keyword_list()->add_values(value);
  return attribute;
}

using Fields = std::vector<std::pair<std::string, v1::SearchAttribute>>;

std::shared_ptr<const store::RunProperties> Properties(const Fields& fields,
                                                       std::vector<std::string> patches = {}) {
  auto properties = std::make_shared<store::RunProperties>();
  for (const auto& [name, value] : fields) {
    (*properties->search_attributes.mutable_fields())[name] = value;
  }
  properties->patches = std::move(patches);
  return properties;
}

// Eight runs that differ in everything that a filter can look at.
std::vector<store::RunRow> Zoo() {
  std::vector<store::RunRow> rows;
  for (int n = 1; n <= 8; ++n) rows.push_back(RowOf(n));
  rows[0].properties = Properties({{"Region", Keyword("eu")}, {"Amount", Int(5)}});
  rows[1].properties = Properties({{"Region", Keyword("eu-west")}, {"Amount", Double(5.5)}});
  rows[2].properties =
      Properties({{"Region", Keyword("us")}, {"Amount", Int(-7)}}, {"fast", "new"});
  rows[3].properties =
      Properties({{"Tags", List({"vip", "beta", "vip"})}, {"Due", Datetime(At(1000))}});
  rows[4].properties = Properties({{"Tags", List({"vip"})},
                                   {"Due", Datetime(At(-1000000000))},
                                   {"Paid", Bool(true)},
                                   {"Amount", Keyword("5")}});
  rows[5].properties = Properties({{"Paid", Bool(false)}, {"Region", Keyword("")}}, {"fast"});
  rows[1].build_id = "build-1";
  rows[2].build_id = "build-2";
  rows[5].build_id = "build-1";
  rows[3].parent_workflow_id = "workflow-1";
  rows[6].parent_workflow_id = "workflow-1";
  rows[4].workflow_type = "Order";
  rows[6].workflow_type = "Order";
  rows[5].saga_state = v1::SagaState::COMPENSATION_BLOCKED;
  rows[6].saga_state = v1::SagaState::PIVOT_PASSED;
  rows[5].status = v1::RunStatus::STUCK;
  rows[5].status_reason = "limit: the history has 50000 events";
  for (const int i : {0, 4, 7}) rows[i].close_time = At(100 - i);
  rows[0].status = v1::RunStatus::COMPLETED;
  rows[4].status = v1::RunStatus::FAILED;
  rows[7].status = v1::RunStatus::COMPLETED;
  rows[7].ns = base::Namespace("other");
  return rows;
}

store::RunFilter Where(const std::string& text) {
  auto where = filter::Parse(text);
  CHECK(where.ok()) << where.status().ToString();
  return {.where = *where};
}

std::vector<std::string> All(store::Store& store, const store::RunFilter& filter, RunOrder order,
                             int page_size) {
  std::vector<std::string> ids;
  std::string token;
  do {
    const auto page = store.List(filter, order, page_size, token);
    CHECK(page.ok()) << page.status().ToString();
    for (const store::RunRow& row : page->rows) ids.push_back(row.run_id.value());
    token = page->next_page_token;
  } while (!token.empty());
  return ids;
}

constexpr const char* kFilters[] = {
    "run_id = \"0190a0b0-0000-7003-8000-000000000003\"",
    "run_id != \"0190a0b0-0000-7003-8000-000000000003\"",
    "run_id = none",
    "workflow_id = \"workflow-2\"",
    "workflow_id = \"work*\"",
    "workflow_id = \"*\"",
    "workflow_id : \"flow-3\"",
    "workflow_id >= \"workflow-4\" AND workflow_id < \"workflow-6\"",
    "workflow_type = Order",
    "workflow_type != Order",
    "status = STUCK",
    "status = running",
    "status != RUNNING",
    "status = STUCK OR status = FAILED",
    "status_reason : \"limit\"",
    "saga_state = COMPENSATION_BLOCKED",
    "saga_state = PIVOT_PASSED",
    "saga_state = FORWARD",
    "start_time > \"2026-01-01T00:00:04Z\"",
    "start_time <= 2026-01-01T00:00:04Z",
    "close_time >= \"2026-01-01T00:01:36Z\"",
    "NOT close_time >= \"2026-01-01T00:01:36Z\"",
    "close_time != \"2026-01-01T00:01:36Z\"",
    "build_id = \"build-1\"",
    "build_id = \"build-*\"",
    "build_id = \"\"",
    "build_id != \"build-1\"",
    "patches:fast",
    "patches:fast AND patches:new",
    "patches:*",
    "NOT patches:fast",
    "parent_workflow_id = \"workflow-1\"",
    "parent_workflow_id = \"\"",
    "Region = eu",
    "Region = \"eu*\"",
    "Region = \"\"",
    "Region != eu",
    "Region > eu",
    "Region >= \"eu\" AND Region < \"f\"",
    "Region:*",
    "NOT Region:*",
    "Amount = 5",
    "Amount = 5.0",
    "Amount = \"5\"",
    "Amount > -8",
    "Amount > -7 AND Amount <= 5.5",
    "Amount < 0",
    "Tags:vip",
    "Tags:vip AND Tags:beta",
    "Tags = vip",
    "Tags > a",
    "Paid = true",
    "Paid != true",
    "Due > \"2026-01-01T00:00:00Z\"",
    "Due < \"2026-01-01T00:00:00Z\"",
    "Due = \"2026-01-01T00:16:40Z\"",
    "Region = eu OR Tags:vip",
    "Region = eu OR patches:fast OR workflow_id = \"workflow-8\"",
    "(Region = eu OR Region = us) AND Amount < 100",
    "Region = eu OR workflow_type = Order",
    "-(status = RUNNING OR status = STUCK)",
    "Nothing = 5",
    "Nothing != 5",
};

TEST_P(StoreConformance, FiltersFindWhatTheyMean) {
  const std::vector<store::RunRow> zoo = Zoo();
  Create(zoo);
  for (const char* text : kFilters) {
    const store::RunFilter filter = Where(text);
    std::vector<std::string> expected;
    for (const store::RunRow& row : zoo) {
      if (store::Matches(*filter.where, row)) expected.push_back(row.run_id.value());
    }
    for (const int page_size : {1, 2, 100}) {
      EXPECT_EQ(All(store(), filter, RunOrder::kStartTimeAscending, page_size), expected) << text;
    }
    int64_t counted = 0;
    const auto counts = store().Count(filter);
    ASSERT_TRUE(counts.ok()) << text << ": " << counts.status();
    for (const auto& group : *counts) counted += group.count;
    EXPECT_EQ(counted, static_cast<int64_t>(expected.size())) << text;
    std::reverse(expected.begin(), expected.end());
    EXPECT_EQ(All(store(), filter, RunOrder::kStartTimeDescending, 3), expected) << text;
  }
}

// The meaning itself, by hand, so that the test above does not compare two equal mistakes.
TEST_P(StoreConformance, FiltersByHand) {
  Create(Zoo());
  const auto numbers = [&](const std::string& text) {
    std::vector<int> found;
    for (const std::string& id : All(store(), Where(text), RunOrder::kStartTimeAscending, 100)) {
      found.push_back(id.back() - '0');
    }
    return found;
  };
  EXPECT_THAT(numbers("Region = eu"), ElementsAre(1));
  EXPECT_THAT(numbers("Region = \"eu*\""), ElementsAre(1, 2));
  EXPECT_THAT(numbers("Region != eu"), ElementsAre(2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(numbers("Amount >= 5"), ElementsAre(1, 2)) << "and not the text \"5\" of run 5";
  EXPECT_THAT(numbers("Amount < 5"), ElementsAre(3));
  EXPECT_THAT(numbers("Tags:vip"), ElementsAre(4, 5));
  EXPECT_THAT(numbers("Tags:vip AND Tags:beta"), ElementsAre(4));
  EXPECT_THAT(numbers("Due < \"2026-01-01T00:00:00Z\""), ElementsAre(5));
  EXPECT_THAT(numbers("Paid = false"), ElementsAre(6));
  EXPECT_THAT(numbers("patches:fast"), ElementsAre(3, 6));
  EXPECT_THAT(numbers("build_id = \"build-1\""), ElementsAre(2, 6));
  EXPECT_THAT(numbers("NOT close_time > \"2026-01-01T00:00:00Z\""), ElementsAre(2, 3, 4, 6, 7));
  EXPECT_THAT(numbers("status = STUCK"), ElementsAre(6));
  EXPECT_THAT(numbers("workflow_type = Order AND parent_workflow_id = \"workflow-1\""),
              ElementsAre(7));
}

TEST_P(StoreConformance, FilterMeetsTheOtherFieldsOfTheRequest) {
  Create(Zoo());
  store::RunFilter filter = Where("close_time > \"2026-01-01T00:00:00Z\"");
  filter.status = v1::RunStatus::COMPLETED;
  EXPECT_EQ(All(store(), filter, RunOrder::kStartTimeDescending, 10).size(), 2u);
  filter.ns = base::Namespace("other");
  EXPECT_EQ(All(store(), filter, RunOrder::kStartTimeDescending, 10).size(), 1u);
  filter = Where("workflow_id = \"workflow-8\"");
  filter.ns = base::Namespace("default");
  EXPECT_THAT(All(store(), filter, RunOrder::kStartTimeDescending, 10), IsEmpty());
  filter.ns = base::Namespace("other");
  EXPECT_EQ(All(store(), filter, RunOrder::kStartTimeDescending, 10).size(), 1u);
}

TEST_P(StoreConformance, OrderByCloseTimeListsClosedRuns) {
  Create(Zoo());  // closed: 1 at 100, 5 at 96, 8 at 93
  const auto ids = [](std::vector<int> numbers) {
    std::vector<std::string> texts;
    for (const int n : numbers) texts.push_back(RunIdOf(n).value());
    return texts;
  };
  for (const int size : {1, 10}) {
    EXPECT_EQ(All(store(), {}, RunOrder::kCloseTimeAscending, size), ids({8, 5, 1}));
    EXPECT_EQ(All(store(), {}, RunOrder::kCloseTimeDescending, size), ids({1, 5, 8}));
    EXPECT_EQ(All(store(), Where("close_time < \"2026-01-01T00:01:37Z\""),
                  RunOrder::kCloseTimeAscending, size),
              ids({8, 5}));
    EXPECT_EQ(All(store(), Where("Region = eu"), RunOrder::kCloseTimeAscending, size), ids({1}));
  }
}

TEST_P(StoreConformance, PropertiesAreStoredChangedAndFound) {
  store::RunRow row = RowOf(1);
  row.properties = Properties({{"Region", Keyword("eu")}, {"Tags", List({"a", "b"})}}, {"p1"});
  Create({row});
  Reopen();
  auto stored = store().LoadRun(row.run_id);
  ASSERT_TRUE(stored.ok() && stored->row.properties != nullptr);
  EXPECT_EQ(Describe(stored->row), Describe(row));
  EXPECT_EQ(stored->row.properties->search_attributes.fields().at("Region").keyword(), "eu");

  auto changed = std::make_shared<store::RunProperties>(*Properties({{"Region", Keyword("us")}}));
  changed->memo = v1::Memo();
  (*changed->memo.mutable_fields())["note"].set_data("hello");
  row.properties = changed;
  store::RunWrite write = Append(row, 1, "x");
  write.properties_changed = true;
  ASSERT_TRUE(Commit({write}).ok());
  EXPECT_THAT(All(store(), Where("Region = eu"), RunOrder::kStartTimeDescending, 10), IsEmpty());
  EXPECT_THAT(All(store(), Where("Tags:a OR patches:p1"), RunOrder::kStartTimeDescending, 10),
              IsEmpty());
  EXPECT_THAT(All(store(), Where("Region = us"), RunOrder::kStartTimeDescending, 10),
              ElementsAre(row.run_id.value()));
  EXPECT_EQ((*store().FindRunById(row.run_id))->properties->memo.fields().at("note").data(),
            "hello");

  row.properties = nullptr;  // not told that they changed: they stay
  ASSERT_TRUE(Commit({Append(row, 1, "x")}).ok());
  EXPECT_EQ(All(store(), Where("Region = us"), RunOrder::kStartTimeDescending, 10).size(), 1u);
  write = Append(row, 1, "x");
  write.properties_changed = true;
  ASSERT_TRUE(Commit({write}).ok());
  EXPECT_THAT(All(store(), Where("Region = us"), RunOrder::kStartTimeDescending, 10), IsEmpty());
}

TEST_P(StoreConformance, VersionsAreCountedAsRunsComeGoAndChange) {
  const auto versions = [&](const std::string& type = "") {
    std::vector<std::string> lines;
    const auto found = store().CountVersions(base::Namespace(), type);
    CHECK(found.ok()) << found.status().ToString();
    for (const store::VersionCount& v : *found) {
      lines.push_back(
          absl::StrCat(v.kind == store::VersionCount::Kind::kPatch ? "patch " : "build ", v.id, " ",
                       v.workflow_type, " ", v.open, "+", v.closed, v.open > 0 ? " oldest " : "",
                       v.oldest_open.value()));
    }
    return lines;
  };
  EXPECT_THAT(versions(), IsEmpty());
  std::vector<store::RunRow> rows = {RowOf(1), RowOf(2), RowOf(3)};
  for (store::RunRow& row : rows) row.build_id = "b1";
  rows[1].properties = Properties({}, {"p"});
  rows[2].workflow_type = "Order";
  Create(rows);
  EXPECT_THAT(versions(), ElementsAre("patch p Campaign 1+0 oldest workflow-2",
                                      "build b1 Campaign 2+0 oldest workflow-1",
                                      "build b1 Order 1+0 oldest workflow-3"));
  EXPECT_THAT(versions("Order"), ElementsAre("build b1 Order 1+0 oldest workflow-3"));

  rows[0].build_id = "b2";
  rows[0].properties = Properties({}, {"p", "q"});
  store::RunWrite moved = Append(rows[0], 1, "x");
  moved.properties_changed = true;
  rows[1].status = v1::RunStatus::COMPLETED;
  rows[1].close_time = At(9);
  ASSERT_TRUE(Commit({moved, Append(rows[1], 1, "closed")}).ok());
  const auto expected = ElementsAre("patch p Campaign 1+1 oldest workflow-1",
                                    "patch q Campaign 1+0 oldest workflow-1",
                                    "build b1 Campaign 0+1", "build b1 Order 1+0 oldest workflow-3",
                                    "build b2 Campaign 1+0 oldest workflow-1");
  EXPECT_THAT(versions(), expected);
  Reopen();
  EXPECT_THAT(versions(), expected);

  // A commit that fails counts nothing, and a build that it brought gets its number later.
  store::RunRow stale = RowOf(1);
  stale.build_id = "b3";
  EXPECT_FALSE(Commit({Creation(stale)}).ok());
  EXPECT_THAT(versions(), expected);
  rows[2].build_id = "b3";
  ASSERT_TRUE(Commit({Append(rows[2], 1, "x")}).ok());
  EXPECT_EQ((*store().FindRunById(rows[2].run_id))->build_id, "b3");
  EXPECT_EQ(All(store(), Where("build_id = b3"), RunOrder::kStartTimeDescending, 10).size(), 1u);
}

}  // namespace
}  // namespace contract
