// What holds beyond one store object and one thread: reopening, take-over, readers beside a writer.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/contract/store/store_conformance.h"

namespace contract {
namespace {

TEST_P(StoreConformance, ReopenKeepsEverything) {
  store::RunRow row = RowOf(1);
  row.wake_at = At(5);
  Create({row});
  store::RunWrite write = Append(row, 2, "second");
  write.attempts_put = {AttemptOf(3, 1)};
  ASSERT_TRUE(Commit({write}).ok());
  Reopen();
  const auto run = store().LoadRun(row.run_id);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(Describe(run->row), Describe(row));
  EXPECT_EQ(run->transitions.size(), 2u);
  EXPECT_EQ(run->attempts.size(), 1u);
  EXPECT_EQ(store().CountRuns()->at(0).count, 1);
  EXPECT_TRUE(Commit({Append(row, 1, "third")}).ok()) << "the epoch outlives the process";
  EXPECT_GT(store().AcquirePartition(0, "node-1").value(), epoch_);
}

TEST_P(StoreConformance, AcquireInAnotherStoreFencesTheFirst) {
  store::RunRow row = RowOf(1);
  Create({row});
  const auto other = OpenAnother();
  const int64_t newer = other->AcquirePartition(0, "node-2").value();
  EXPECT_GT(newer, epoch_);
  store::RunRow stale = row;
  EXPECT_TRUE(absl::IsAborted(Commit({Append(stale, 1, "stale")})));
  const store::WriteBatch batch{
      .partition = 0, .epoch = newer, .writes = {Append(row, 1, "current")}};
  ASSERT_TRUE(other->Commit(batch).ok());
  EXPECT_THAT(store().LoadRun(row.run_id)->transitions, testing::ElementsAre(testing::_, "current"))
      << "seen through the fenced store too";
}

TEST_P(StoreConformance, EveryCommitIsSeenByReadsThatBeginAfterIt) {
  const auto other = OpenAnother();
  store::RunRow row = RowOf(1);
  Create({row});
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Commit({Append(row, 1, "x")}).ok());
    ASSERT_EQ((*store().FindRunById(row.run_id))->next_event_id, row.next_event_id);
    ASSERT_EQ((*other->FindRunById(row.run_id))->next_event_id, row.next_event_id);
  }
}

// Readers load a run whole while it grows: what they see must always be one committed state.
TEST_P(StoreConformance, ReadersBesideAWriterSeeWholeCommits) {
  constexpr int kReaders = 6;  // more than a small pool has
  constexpr int kCommits = 300;
  store::RunRow first = RowOf(1);
  store::RunRow second = RowOf(2);
  Create({first, second});
  std::atomic<bool> done = false;
  std::atomic<int> reads = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      base::EventId last = 0;
      while (!done) {
        const auto run = store().LoadRun(RunIdOf(1));
        ASSERT_TRUE(run.ok()) << run.status();
        ASSERT_GE(run->row.next_event_id, last) << "time went backwards";
        last = run->row.next_event_id;
        ASSERT_EQ(static_cast<base::EventId>(run->transitions.size()), last - 1);
        ASSERT_GE((*store().FindRunById(RunIdOf(2)))->next_event_id, last) << "half a batch";
        ASSERT_EQ(store().List({}, store::RunOrder::kStartTimeDescending, 10, "")->rows.size(), 2u);
        ++reads;
      }
    });
  }
  for (int i = 0; i < kCommits || reads < kReaders; ++i) {
    const absl::Status status = Commit({Append(first, 1, "x"), Append(second, 1, "y")});
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok() || testing::Test::HasFailure()) break;
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace contract
