// The conformance suite of store::Store: the same named cases for every store. A store joins by
// instantiating StoreConformance with a maker of fresh databases.
//
// Example:
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
//                            testing::Values([] { return std::make_unique<SqliteDatabase>(); }));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "orchestrator/store/store.h"

namespace contract {

namespace v1 = ::orchestrator::v1;

// An empty database of its own, dropped at the end.
class Database {
 public:
  virtual ~Database() = default;
  // Opens a store on it; may be called while others are open.
  virtual absl::StatusOr<std::unique_ptr<store::Store>> Open() = 0;
};
using MakeDatabase = std::function<std::unique_ptr<Database>()>;

class StoreConformance : public testing::TestWithParam<MakeDatabase> {
 protected:
  StoreConformance();

  store::Store& store() { return *store_; }
  // Another store on the same database.
  std::unique_ptr<store::Store> OpenAnother();
  // Closes the store and opens it again.
  void Reopen();
  absl::Status Commit(std::vector<store::RunWrite> writes);
  // Commits runs whose creation has one event; the test ends when that fails.
  void Create(const std::vector<store::RunRow>& rows);

  std::unique_ptr<Database> database_;
  std::unique_ptr<store::Store> store_;
  int64_t epoch_ = 0;
};

// 2026-01-01 00:00:00 UTC + `seconds`.
absl::Time At(int64_t seconds);
// A UUIDv7-like run id that sorts by `n`.
base::RunId RunIdOf(int n);
// Run `n`, just started: workflow id "workflow-<n>", started At(n), every field filled.
store::RunRow RowOf(int n);
// The write that creates `row` with events 1..row.next_event_id - 1 in one transition.
store::RunWrite Creation(store::RunRow row);
// The write that appends `events` events to `row` and advances it.
store::RunWrite Append(store::RunRow& row, int events, absl::string_view bytes);
v1::ActivityAttemptState AttemptOf(base::EventId scheduled, int attempt);

// The rows' fields, one text each, to compare and to print.
std::string Describe(const store::RunRow& row);
std::vector<std::string> RunIdsOf(const std::vector<store::RunRow>& rows);

}  // namespace contract
