// Blobs: kept once, and exactly as long as something refers to them.
#include <gmock/gmock.h>

#include "tests/contract/store/store_conformance.h"

namespace contract {
namespace {

using testing::ElementsAre;

// The store takes any 32 bytes for a hash.
store::Blob BlobOf(char name, base::EventId attempt = 0) {
  return {.hash = std::string(32, name), .data = std::string(1000, name), .attempt = attempt};
}

bool Has(store::Store& store, char name) {
  const auto data = store.ReadBlobs({std::string(32, name)});
  if (data.ok()) EXPECT_THAT(*data, ElementsAre(std::string(1000, name)));
  if (!data.ok()) EXPECT_TRUE(absl::IsDataLoss(data.status())) << data.status();
  return data.ok();
}

store::RunRow Closed(int n) {
  store::RunRow row = RowOf(n);
  row.status = v1::RunStatus::COMPLETED;
  row.close_time = At(n + 1);
  return row;
}

store::RunWrite Deletion(int n) {
  store::RunWrite write{.deletes = true};
  write.row.run_id = RunIdOf(n);
  return write;
}

TEST_P(StoreConformance, ABlobLivesAsLongAsARunRefersToIt) {
  store::RunWrite first = Creation(Closed(1));
  first.blobs = {BlobOf('a'), BlobOf('b')};
  store::RunWrite second = Creation(Closed(2));
  second.blobs = {BlobOf('a'), BlobOf('a')};
  ASSERT_TRUE(Commit({first, second}).ok());
  Reopen();
  EXPECT_TRUE(Has(store(), 'a') && Has(store(), 'b'));
  EXPECT_FALSE(Has(store(), 'c'));
  ASSERT_TRUE(Commit({Deletion(1)}).ok());
  EXPECT_TRUE(Has(store(), 'a'));
  EXPECT_FALSE(Has(store(), 'b'));
  ASSERT_TRUE(Commit({Deletion(2)}).ok());
  EXPECT_FALSE(Has(store(), 'a'));
}

TEST_P(StoreConformance, AnAttemptsBlobGoesWithItsRow) {
  store::RunRow row = RowOf(1);
  store::RunWrite write = Creation(row);
  write.blobs = {BlobOf('h')};
  write.attempts_put = {AttemptOf(1, 1)};
  ASSERT_TRUE(Commit({write}).ok());
  const auto put = [&](std::vector<store::Blob> blobs) {
    store::RunWrite next = Append(row, 1, "x");
    next.attempts_put = {AttemptOf(1, 2)};
    next.blobs = std::move(blobs);
    ASSERT_TRUE(Commit({next}).ok());
  };
  put({BlobOf('a', 1), BlobOf('h', 1)});
  EXPECT_TRUE(Has(store(), 'a'));
  Reopen();
  put({BlobOf('b', 1)});  // replaces the row
  EXPECT_FALSE(Has(store(), 'a'));
  EXPECT_TRUE(Has(store(), 'b'));
  EXPECT_TRUE(Has(store(), 'h')) << "the history still refers to it";
  put({BlobOf('b', 1)});
  EXPECT_TRUE(Has(store(), 'b')) << "the same again";
  store::RunWrite removed = Append(row, 1, "x");
  removed.attempts_removed = {1};
  ASSERT_TRUE(Commit({removed}).ok());
  EXPECT_FALSE(Has(store(), 'b'));
  EXPECT_TRUE(Has(store(), 'h'));
}

TEST_P(StoreConformance, ACommitThatFailsBringsNoBlob) {
  Create({RowOf(1)});
  store::RunWrite write = Creation(RowOf(1));
  write.blobs = {BlobOf('a')};
  EXPECT_FALSE(Commit({write}).ok());
  EXPECT_FALSE(Has(store(), 'a'));
}

}  // namespace
}  // namespace contract
