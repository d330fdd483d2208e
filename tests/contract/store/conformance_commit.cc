// What Commit promises: all or nothing, fenced by epoch, one open run a workflow id.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/contract/store/store_conformance.h"

namespace contract {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_P(StoreConformance, CreatedRunLoadsWithEveryField) {
  store::RunRow row = RowOf(1);
  row.status = v1::RunStatus::STUCK;
  row.status_reason = "nondeterminism: event 5";
  row.wake_at = At(60) + absl::Microseconds(7);
  row.saga_state = v1::SagaState::COMPENSATING;
  ASSERT_TRUE(Commit({Creation(row)}).ok());
  const auto run = store().LoadRun(row.run_id);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(Describe(run->row), Describe(row));
  EXPECT_THAT(run->transitions, ElementsAre(absl::StrCat("created ", row.run_id.value())));
  EXPECT_THAT(run->attempts, IsEmpty());
}

TEST_P(StoreConformance, AppendedTransitionsLoadInOrderWithTheLastRow) {
  store::RunRow row = RowOf(1);
  Create({row});
  ASSERT_TRUE(Commit({Append(row, 3, "second")}).ok());
  row.status = v1::RunStatus::COMPLETED;
  row.close_time = At(99);
  row.saga_state = v1::SagaState::PIVOT_PASSED;
  ASSERT_TRUE(Commit({Append(row, 1, std::string("\0third\xff", 7))}).ok());
  const auto run = store().LoadRun(row.run_id);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(Describe(run->row), Describe(row));
  EXPECT_THAT(run->transitions, ElementsAre(absl::StrCat("created ", row.run_id.value()), "second",
                                            std::string("\0third\xff", 7)));
}

TEST_P(StoreConformance, RowChangesWithoutATransition) {
  store::RunRow row = RowOf(1);
  Create({row});
  row.wake_at = At(500);
  ASSERT_TRUE(Commit({{.row = row, .expected_next_event_id = 2}}).ok());
  const auto run = store().LoadRun(row.run_id);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(Describe(run->row), Describe(row));
  EXPECT_EQ(run->transitions.size(), 1u);
}

TEST_P(StoreConformance, AcceptsRunIdsThatAreNoUuids) {
  for (const char* id : {"plain", "sixteen-bytes-id", "0190A0B0-0000-7001-8000-000000000001"}) {
    store::RunRow row = RowOf(1);
    row.run_id = base::RunId(id);
    row.workflow_id = base::WorkflowId(id);
    Create({row});
    const auto found = store().FindRunById(row.run_id);
    ASSERT_TRUE(found.ok() && found->has_value()) << id;
    EXPECT_EQ(Describe(**found), Describe(row));
  }
}

TEST_P(StoreConformance, OneRunMayBeWrittenSeveralTimesInABatch) {
  store::RunRow row = RowOf(1);
  std::vector<store::RunWrite> writes = {Creation(row)};
  writes.push_back(Append(row, 2, "second"));
  writes.push_back(Append(row, 2, "third"));
  ASSERT_TRUE(Commit(std::move(writes)).ok());
  EXPECT_EQ(store().LoadRun(row.run_id)->row.next_event_id, 6);
}

TEST_P(StoreConformance, StaleEpochIsAbortedAndWritesNothing) {
  const int64_t older = epoch_;
  epoch_ = store().AcquirePartition(0, "node-2").value();
  EXPECT_GT(epoch_, older);
  const store::WriteBatch batch{.partition = 0, .epoch = older, .writes = {Creation(RowOf(1))}};
  const absl::Status status = store().Commit(batch);
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("partition 0"));
  EXPECT_TRUE(absl::IsNotFound(store().LoadRun(RunIdOf(1)).status()));
  EXPECT_TRUE(Commit({Creation(RowOf(1))}).ok());
  EXPECT_TRUE(absl::IsAborted(store().CheckEpoch(0, older)));
  EXPECT_TRUE(store().CheckEpoch(0, epoch_).ok());
}

TEST_P(StoreConformance, PartitionsAreFencedOneByOne) {
  ASSERT_TRUE(store().AcquirePartition(1, "node-2").ok());
  EXPECT_TRUE(Commit({Creation(RowOf(1))}).ok());
  const store::WriteBatch never{.partition = 7, .epoch = 1, .writes = {Creation(RowOf(2))}};
  EXPECT_TRUE(absl::IsAborted(store().Commit(never)));
}

TEST_P(StoreConformance, WrongExpectedEventIsAbortedAndRollsTheBatchBack) {
  store::RunRow first = RowOf(1);
  store::RunRow second = RowOf(2);
  Create({first, second});
  store::RunWrite good = Append(first, 1, "good");
  good.attempts_put.push_back(AttemptOf(2, 1));
  store::RunWrite bad = Append(second, 1, "bad");
  bad.expected_next_event_id = bad.first_event_id = 4;
  bad.row.next_event_id = 5;
  const absl::Status status = Commit({good, Creation(RowOf(3)), bad});
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(second.run_id.value()));
  const auto run = store().LoadRun(first.run_id);
  EXPECT_EQ(run->row.next_event_id, 2);
  EXPECT_EQ(run->transitions.size(), 1u);
  EXPECT_THAT(run->attempts, IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(store().LoadRun(RunIdOf(3)).status()));
}

TEST_P(StoreConformance, WriteToAnUnknownRunIsAborted) {
  store::RunRow row = RowOf(1);
  EXPECT_TRUE(absl::IsAborted(Commit({Append(row, 1, "x")})));
}

TEST_P(StoreConformance, RefusesATransitionThatLeavesAGap) {
  store::RunRow row = RowOf(1);
  Create({row});
  store::RunWrite gap = Append(row, 1, "x");
  gap.first_event_id = 3;
  EXPECT_TRUE(absl::IsInvalidArgument(Commit({gap})));
  EXPECT_EQ(store().LoadRun(row.run_id)->transitions.size(), 1u);
}

TEST_P(StoreConformance, ExistingRunIdIsAborted) {
  Create({RowOf(1)});
  store::RunRow again = RowOf(1);
  again.workflow_id = base::WorkflowId("another");
  const absl::Status status = Commit({Creation(again)});
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(again.run_id.value()));
}

TEST_P(StoreConformance, SecondOpenRunOfAWorkflowIdIsAborted) {
  using Status = v1::RunStatus;
  int n = 0;
  for (const Status::Value open : {Status::RUNNING, Status::PAUSED, Status::STUCK}) {
    store::RunRow first = RowOf(++n);
    first.status = open;
    Create({first});
    store::RunRow second = RowOf(++n);
    second.workflow_id = first.workflow_id;
    const absl::Status status = Commit({Creation(second)});
    EXPECT_TRUE(absl::IsAborted(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(second.run_id.value()));
    second.ns = base::Namespace("other");
    EXPECT_TRUE(Commit({Creation(second)}).ok()) << "another namespace is another workflow";
  }
}

TEST_P(StoreConformance, ClosedRunMakesRoomForANewOne) {
  using Status = v1::RunStatus;
  store::RunRow row = RowOf(1);
  int n = 1;
  for (const Status::Value closed :
       {Status::COMPLETED, Status::FAILED, Status::CANCELED, Status::TERMINATED, Status::TIMED_OUT,
        Status::CONTINUED_AS_NEW}) {
    Create({row});
    row.status = closed;
    row.close_time = At(50);
    ASSERT_TRUE(Commit({Append(row, 1, "closed")}).ok());
    row = RowOf(++n);
    row.workflow_id = RowOf(1).workflow_id;
  }
  EXPECT_TRUE(Commit({Creation(row)}).ok());
}

TEST_P(StoreConformance, ContinueAsNewClosesAndStartsInOneBatch) {
  store::RunRow old_run = RowOf(1);
  Create({old_run});
  old_run.status = v1::RunStatus::CONTINUED_AS_NEW;
  old_run.close_time = At(9);
  store::RunRow new_run = RowOf(2);
  new_run.workflow_id = old_run.workflow_id;
  new_run.start_time = old_run.start_time;  // equal times: the later run is still the newest
  ASSERT_TRUE(Commit({Append(old_run, 1, "continued"), Creation(new_run)}).ok());
  const auto found = store().FindRun(old_run.ns, old_run.workflow_id);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->run_id, new_run.run_id);
  EXPECT_EQ((*store().FindRunById(old_run.run_id))->status, v1::RunStatus::CONTINUED_AS_NEW);
}

TEST_P(StoreConformance, AttemptsArePutReplacedAndRemoved) {
  store::RunRow row = RowOf(1);
  Create({row, RowOf(2)});
  store::RunWrite put = Append(row, 1, "x");
  put.attempts_put = {AttemptOf(2, 1), AttemptOf(9, 1)};
  ASSERT_TRUE(Commit({put}).ok());
  store::RunWrite change{.row = row, .expected_next_event_id = row.next_event_id};
  change.attempts_put = {AttemptOf(9, 2)};
  change.attempts_removed = {2, 77};
  ASSERT_TRUE(Commit({change}).ok());
  const auto run = store().LoadRun(row.run_id);
  ASSERT_EQ(run->attempts.size(), 1u);
  EXPECT_EQ(run->attempts[0].SerializeAsString(), AttemptOf(9, 2).SerializeAsString());
  EXPECT_THAT(store().LoadRun(RunIdOf(2))->attempts, IsEmpty());
}

TEST_P(StoreConformance, TenThousandWritesInOneBatch) {
  constexpr int kRuns = 5'000;
  std::vector<store::RunWrite> writes;
  for (int n = 0; n < kRuns; ++n) writes.push_back(Creation(RowOf(n)));
  for (int n = 0; n < kRuns; ++n) {
    store::RunRow row = RowOf(n);
    writes.push_back(Append(row, 3, std::string(300, 'x')));
  }
  ASSERT_TRUE(Commit(std::move(writes)).ok());
  for (int n = 0; n < kRuns; n += 499) {
    const auto run = store().LoadRun(RunIdOf(n));
    ASSERT_TRUE(run.ok()) << run.status();
    EXPECT_EQ(run->row.next_event_id, 5);
    EXPECT_EQ(run->transitions.size(), 2u);
  }
  const auto counts = store().CountRuns();
  ASSERT_EQ(counts->size(), 1u);
  EXPECT_EQ((*counts)[0].count, kRuns);
}

TEST_P(StoreConformance, LargeTransitionsAreKeptWhole) {
  const std::string big(3'000'000, '\x7f');
  store::RunRow row = RowOf(1);
  Create({row});
  ASSERT_TRUE(Commit({Append(row, 1, big)}).ok());
  EXPECT_TRUE(store().LoadRun(row.run_id)->transitions[1] == big);
}

}  // namespace
}  // namespace contract
