// Deleting closed runs.
#include <gmock/gmock.h>

#include "orchestrator/filter/parser.h"
#include "tests/contract/store/store_conformance.h"

namespace contract {
namespace {

store::RunWrite Deletion(const base::RunId& run_id) {
  store::RunWrite write{.deletes = true};
  write.row.run_id = run_id;
  return write;
}

store::RunRow Closed(int n) {
  store::RunRow row = RowOf(n);
  row.status = v1::RunStatus::COMPLETED;
  row.close_time = At(n + 1);
  return row;
}

TEST_P(StoreConformance, DeleteRemovesEverythingOfTheRunAndNothingElse) {
  store::RunRow row = Closed(1);
  store::RunRow other = Closed(2);
  auto properties = std::make_shared<store::RunProperties>();
  (*properties->search_attributes.mutable_fields())["Region"].set_keyword("eu");
  properties->patches = {"p"};
  row.properties = other.properties = properties;
  row.build_id = other.build_id = "b";
  Create({row, other});
  ASSERT_TRUE(Commit({Deletion(row.run_id)}).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(absl::IsNotFound(store().LoadRun(row.run_id).status()));
    EXPECT_TRUE(absl::IsNotFound(store().ReadTransitions(row.run_id, 0, 10).status()));
    EXPECT_FALSE(store().FindRun(row.ns, row.workflow_id)->has_value());
    const store::RunFilter filter{.where = filter::Parse("Region = eu").value()};
    EXPECT_EQ(store().List(filter, store::RunOrder::kStartTimeDescending, 10, "")->rows.size(), 1u);
    EXPECT_EQ(store().CountRuns()->at(0).count, 1);
    ASSERT_EQ(store().CountVersions(base::Namespace(), "")->size(), 2u);
    EXPECT_EQ(store().CountVersions(base::Namespace(), "")->at(0).closed, 1);
    EXPECT_TRUE(store().LoadRun(other.run_id).ok());
    Reopen();
  }
  EXPECT_TRUE(Commit({Deletion(row.run_id)}).ok()) << "a second time nothing happens";
  // Its place is free: the same ids may come again, with nothing of the old run.
  store::RunRow again = RowOf(1);
  Create({again});
  EXPECT_EQ(store().LoadRun(again.run_id)->row.properties, nullptr);
  EXPECT_EQ(store().LoadRun(again.run_id)->transitions.size(), 1u);
}

TEST_P(StoreConformance, DeleteOfAnOpenRunIsAborted) {
  store::RunRow row = RowOf(1);
  Create({row, Closed(2)});
  EXPECT_TRUE(absl::IsAborted(Commit({Deletion(RunIdOf(2)), Deletion(row.run_id)})));
  EXPECT_TRUE(store().LoadRun(row.run_id).ok());
  EXPECT_TRUE(store().LoadRun(RunIdOf(2)).ok()) << "all of a batch or nothing";
}

TEST_P(StoreConformance, DeleteNeedsTheEpoch) {
  Create({Closed(1)});
  const auto other = OpenAnother();
  ASSERT_TRUE(other->AcquirePartition(0, "node-2").ok());
  EXPECT_TRUE(absl::IsAborted(Commit({Deletion(RunIdOf(1))})));
  EXPECT_TRUE(store().LoadRun(RunIdOf(1)).ok());
}

}  // namespace
}  // namespace contract
