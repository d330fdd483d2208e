// What the reads promise: look-ups, lists and what is due, page by page without gap or repeat.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/contract/store/store_conformance.h"

namespace contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreConformance, UnknownRunsAreNotFound) {
  EXPECT_TRUE(absl::IsNotFound(store().LoadRun(RunIdOf(1)).status()));
  EXPECT_TRUE(absl::IsNotFound(store().ReadTransitions(RunIdOf(1), 0, 10).status()));
  EXPECT_EQ(store().FindRunById(RunIdOf(1)).value(), std::nullopt);
  EXPECT_EQ(store().FindRun(base::Namespace("default"), base::WorkflowId("x")).value(),
            std::nullopt);
}

TEST_P(StoreConformance, FindRunGivesTheNewestOfTheWorkflowId) {
  for (int n = 1; n <= 3; ++n) {
    store::RunRow row = RowOf(n);
    row.workflow_id = base::WorkflowId("same");
    Create({row});
    row.status = v1::RunStatus::COMPLETED;
    row.close_time = At(n);
    ASSERT_TRUE(Commit({Append(row, 1, "closed")}).ok());
  }
  EXPECT_EQ((*store().FindRun(base::Namespace("default"), base::WorkflowId("same")))->run_id,
            RunIdOf(3));
  EXPECT_EQ(store().FindRun(base::Namespace("other"), base::WorkflowId("same")).value(),
            std::nullopt);
}

class Lister {
 public:
  Lister(store::Store& store, store::RunFilter filter)
      : store_(store), filter_(std::move(filter)) {}
  // All pages of `size`; every page but the last must be full.
  std::vector<std::string> All(int size) {
    std::vector<std::string> ids;
    std::string token;
    do {
      const auto page = store_.List(filter_, store::RunOrder::kStartTimeDescending, size, token);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return ids;
      for (std::string& id : RunIdsOf(page->rows)) ids.push_back(std::move(id));
      token = page->next_page_token;
      EXPECT_TRUE(token.empty() || page->rows.size() == static_cast<size_t>(size));
    } while (!token.empty());
    return ids;
  }

 private:
  store::Store& store_;
  const store::RunFilter filter_;
};

TEST_P(StoreConformance, ListsFilterAndPageWithoutGapsOrRepeats) {
  constexpr int kRuns = 60;
  std::vector<store::RunRow> rows;
  for (int n = 0; n < kRuns; ++n) {
    store::RunRow row = RowOf(n);
    row.start_time = At(n / 7);  // many equal times
    row.ns = base::Namespace(n % 2 == 0 ? "even" : "odd");
    row.workflow_type = n % 3 == 0 ? "Campaign" : "Report";
    row.status = n % 5 == 0 ? v1::RunStatus::FAILED : v1::RunStatus::RUNNING;
    rows.push_back(row);
  }
  Create(rows);
  for (const char* ns : {"", "even", "none"}) {
    for (const char* type : {"", "Campaign", "None"}) {
      for (const auto status : {v1::RunStatus::UNSPECIFIED, v1::RunStatus::FAILED}) {
        const store::RunFilter filter{
            .ns = base::Namespace(ns), .status = status, .workflow_type = type};
        std::multiset<std::string> expected;
        for (const store::RunRow& row : rows) {
          if ((*ns == 0 || row.ns.value() == ns) && (*type == 0 || row.workflow_type == type) &&
              (status == v1::RunStatus::UNSPECIFIED || row.status == status)) {
            expected.insert(row.run_id.value());
          }
        }
        for (const int size : {1, 7, 100}) {
          const std::vector<std::string> all = Lister(store(), filter).All(size);
          EXPECT_EQ(std::multiset<std::string>(all.begin(), all.end()), expected)
              << "ns=" << ns << " type=" << type << " status=" << status << " size=" << size;
        }
      }
    }
  }
  const auto page = store().List({}, store::RunOrder::kStartTimeDescending, 100, "");
  EXPECT_TRUE(std::is_sorted(page->rows.begin(), page->rows.end(), [](auto& a, auto& b) {
    return a.start_time > b.start_time;
  })) << "newest first";
  for (const store::RunRow& row : page->rows) {
    const auto found = store().FindRunById(row.run_id).value();
    EXPECT_EQ(Describe(row), Describe(*found)) << "with every field";
  }
}

TEST_P(StoreConformance, ListGoesOnAfterNewRunsAppear) {
  for (int n = 0; n < 4; ++n) Create({RowOf(n)});
  const auto page = store().List({}, store::RunOrder::kStartTimeDescending, 2, "");
  EXPECT_THAT(RunIdsOf(page->rows), ElementsAre(RunIdOf(3).value(), RunIdOf(2).value()));
  Create({RowOf(9)});
  const auto rest =
      store().List({}, store::RunOrder::kStartTimeDescending, 2, page->next_page_token);
  EXPECT_THAT(RunIdsOf(rest->rows), ElementsAre(RunIdOf(1).value(), RunIdOf(0).value()));
  EXPECT_EQ(rest->next_page_token, "");
}

TEST_P(StoreConformance, ListRefusesATokenThatIsNone) {
  for (const char* token : {"x", "1", "1_2_3", "a_b", "_", "99999999999999999999_1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        store().List({}, store::RunOrder::kStartTimeDescending, 10, token).status()))
        << token;
  }
}

TEST_P(StoreConformance, DueRunsPageThroughEqualTimes) {
  std::vector<store::RunRow> rows;
  std::vector<std::string> expected;
  for (int n = 0; n < 10; ++n) {
    store::RunRow row = RowOf(n);
    row.wake_at = n < 3 ? absl::InfinitePast() : At(100);
    rows.push_back(row);
    expected.push_back(row.run_id.value());
  }
  rows.push_back(RowOf(20));
  rows.back().wake_at = At(101);  // after `until`
  rows.push_back(RowOf(21));      // waits for messages only
  Create(rows);
  store::DueRun after{.wake_at = absl::InfinitePast()};
  std::vector<std::string> seen;
  for (int page = 0; page < 10; ++page) {
    const auto due = store().DueRuns(0, store::kSlots - 1, after, At(100), 4);
    ASSERT_TRUE(due.ok()) << due.status();
    if (due->empty()) break;
    for (const store::DueRun& run : *due) {
      seen.push_back(run.run_id.value());
      EXPECT_EQ(run.wake_at, seen.size() <= 3 ? absl::InfinitePast() : At(100));
    }
    after = due->back();
  }
  EXPECT_EQ(seen, expected);
}

TEST_P(StoreConformance, DueRunsFollowEveryChange) {
  const auto due = [&] {
    std::vector<std::string> ids;
    const auto runs = store().DueRuns(0, store::kSlots - 1, {.wake_at = absl::InfinitePast()},
                                      absl::InfiniteFuture(), 100);
    for (const store::DueRun& run : *runs) ids.push_back(run.run_id.value());
    return ids;
  };
  store::RunRow row = RowOf(1);
  row.wake_at = At(10);
  Create({row});
  EXPECT_THAT(due(), ElementsAre(row.run_id.value()));
  row.wake_at = absl::InfiniteFuture();
  ASSERT_TRUE(Commit({Append(row, 1, "parked")}).ok());
  EXPECT_THAT(due(), IsEmpty());
  row.wake_at = At(20);
  ASSERT_TRUE(Commit({Append(row, 1, "timer")}).ok());
  EXPECT_THAT(due(), ElementsAre(row.run_id.value()));
  row.status = v1::RunStatus::COMPLETED;
  row.wake_at = absl::InfinitePast();
  row.close_time = At(30);
  ASSERT_TRUE(Commit({Append(row, 1, "closed")}).ok());
  EXPECT_THAT(due(), ElementsAre(row.run_id.value())) << "it owes something to another run";
  row.wake_at = absl::InfiniteFuture();
  ASSERT_TRUE(Commit({Append(row, 0, "")}).ok());
  EXPECT_THAT(due(), IsEmpty());
}

TEST_P(StoreConformance, DueRunsAreOfTheAskedSlots) {
  std::vector<store::RunRow> rows;
  for (int n = 0; n < 50; ++n) {
    rows.push_back(RowOf(n));
    rows.back().wake_at = At(0);
  }
  Create(rows);
  size_t seen = 0;
  for (const auto& [first, last] : {std::pair{0, 1023}, std::pair{1024, 4095}}) {
    const auto due =
        store().DueRuns(first, last, {.wake_at = absl::InfinitePast()}, At(0), 100).value();
    for (const store::DueRun& run : due) {
      const auto row = store().FindRunById(run.run_id).value();
      const int slot = store::SlotOf(row->ns, row->workflow_id);
      EXPECT_TRUE(first <= slot && slot <= last) << slot;
    }
    EXPECT_FALSE(due.empty());
    seen += due.size();
  }
  EXPECT_EQ(seen, rows.size());
}

TEST_P(StoreConformance, ReadTransitionsBeginsInTheMiddle) {
  store::RunRow row = RowOf(1);
  Create({row});  // event 1
  ASSERT_TRUE(Commit({Append(row, 3, "2-4")}).ok());
  ASSERT_TRUE(Commit({Append(row, 1, "5")}).ok());
  const auto read = [&](base::EventId after, int limit) {
    return store().ReadTransitions(row.run_id, after, limit).value();
  };
  const std::string first = absl::StrCat("created ", row.run_id.value());
  EXPECT_THAT(read(0, 10), ElementsAre(first, "2-4", "5"));
  EXPECT_THAT(read(1, 10), ElementsAre("2-4", "5"));
  EXPECT_THAT(read(2, 10), ElementsAre("2-4", "5")) << "event 3 lies inside a transition";
  EXPECT_THAT(read(3, 1), ElementsAre("2-4"));
  EXPECT_THAT(read(4, 10), ElementsAre("5"));
  EXPECT_THAT(read(5, 10), IsEmpty());
  EXPECT_THAT(read(1000, 10), IsEmpty());
}

TEST_P(StoreConformance, CountsFollowEveryChange) {
  store::RunRow row = RowOf(1);
  Create({row, RowOf(2)});
  row.status = v1::RunStatus::COMPLETED;
  row.close_time = At(3);
  ASSERT_TRUE(Commit({Append(row, 1, "closed")}).ok());
  store::RunRow refused = RowOf(2);
  ASSERT_FALSE(Commit({Creation(RowOf(3)), Creation(refused)}).ok());
  std::vector<std::string> counts;
  const auto counted = store().CountRuns();
  for (const store::StatusCount& count : *counted) {
    counts.push_back(absl::StrCat(count.workflow_type, " ", count.status, " ", count.count));
  }
  EXPECT_THAT(counts, testing::UnorderedElementsAre("Campaign 1 1", "Campaign 4 1"));
}

}  // namespace
}  // namespace contract
