// SqliteStore: the conformance suite on it, and what only holds for files.
#include "orchestrator/store/sqlite/sqlite_store.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "orchestrator/base/check.h"
#include "orchestrator/store/sqlite/migrations.h"
#include "tests/contract/store/store_conformance.h"
#include "tests/support/temporary_folder.h"

namespace contract {
namespace {

using store::sqlite::SqliteStore;
using testing::HasSubstr;

class SqliteDatabase : public Database {
 public:
  absl::StatusOr<std::unique_ptr<store::Store>> Open() override {
    return SqliteStore::Open({.path = folder_.File("runs.db")});
  }

 private:
  test::TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         testing::Values([] { return std::make_unique<SqliteDatabase>(); }));

// Changes a closed file behind the store's back.
void Execute(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  CHECK(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  const int code = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  CHECK(code == SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

std::string ReadFile(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

TEST(SqliteStore, RefusesANewerSchemaAndLeavesItAlone) {
  test::TemporaryFolder folder;
  const std::string path = folder.File("runs.db");
  ASSERT_TRUE(SqliteStore::Open({.path = path}).ok());
  Execute(path, "PRAGMA user_version = 99");
  const std::string before = ReadFile(path);
  const absl::Status status = SqliteStore::Open({.path = path}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_THAT(std::string(status.message()), HasSubstr("schema version 99"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("newer release"));
  EXPECT_TRUE(ReadFile(path) == before);
}

TEST(SqliteStore, RefusesAFileThatIsNoDatabase) {
  test::TemporaryFolder folder;
  const std::string path = folder.File("notes.txt");
  const std::string text(5000, 'n');
  std::ofstream(path) << text;
  const absl::Status status = SqliteStore::Open({.path = path}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_THAT(std::string(status.message()), HasSubstr("not an SQLite database"));
  EXPECT_EQ(ReadFile(path), text);
}

TEST(SqliteStore, RefusesAnotherApplicationsDatabase) {
  test::TemporaryFolder folder;
  const std::string path = folder.File("other.db");
  Execute(path, "CREATE TABLE songs (title TEXT)");
  const absl::Status status = SqliteStore::Open({.path = path}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("another application"));
}

TEST(SqliteStore, SaysWhichFolderIsMissing) {
  const absl::Status status = SqliteStore::Open({.path = "/nonexistent/runs.db"}).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nonexistent/runs.db"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("folder must exist"));
}

TEST(SqliteStore, RefusesMemoryPaths) {
  EXPECT_TRUE(absl::IsInvalidArgument(SqliteStore::Open({.path = ":memory:"}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SqliteStore::Open({.path = ""}).status()));
}

TEST(SqliteStore, CommitIsUnavailableWhileAnotherProcessHoldsTheLock) {
  test::TemporaryFolder folder;
  const std::string path = folder.File("runs.db");
  auto store = SqliteStore::Open({.path = path, .busy_timeout = absl::ZeroDuration()}).value();
  const int64_t epoch = store->AcquirePartition(0, "node-1").value();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const store::WriteBatch batch{.epoch = epoch, .writes = {Creation(RowOf(1))}};
  const absl::Status status = store->Commit(batch);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("locked"));
  ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_TRUE(store->Commit(batch).ok());
}

// Writes of this process beyond `bytes` of a file fail while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit = {.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    CHECK(setrlimit(RLIMIT_FSIZE, &before_) == 0);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*handler_)(int);
};

TEST(SqliteStore, FailedWriteIsUnavailableAndTheStoreGoesOnAfterIt) {
  test::TemporaryFolder folder;
  auto store = SqliteStore::Open({.path = folder.File("runs.db")}).value();
  const int64_t epoch = store->AcquirePartition(0, "node-1").value();
  store::RunRow first = RowOf(1);
  ASSERT_TRUE(store->Commit({.epoch = epoch, .writes = {Creation(first)}}).ok());
  store::RunRow changed = first;
  const store::WriteBatch batch{.epoch = epoch,
                                .writes = {Append(changed, 1, "small"), Creation(RowOf(2)),
                                           Append(changed, 1, std::string(2'000'000, 'x'))}};
  absl::Status status;
  {
    FileSizeLimit limit(1'000'000);
    status = store->Commit(batch);
  }
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("kernel log"));
  EXPECT_EQ(store->LoadRun(first.run_id)->transitions.size(), 1u);
  EXPECT_TRUE(absl::IsNotFound(store->LoadRun(RunIdOf(2)).status()));
  EXPECT_TRUE(store->Commit(batch).ok());
  EXPECT_EQ(store->LoadRun(first.run_id)->transitions.size(), 3u);
}

TEST(SqliteConnection, FullDiskSaysToFreeSpace) {
  test::TemporaryFolder folder;
  using database::Connection;
  const auto full = Connection::Open({.path = folder.File("runs.db")}).value();
  ASSERT_TRUE(full->Exec("PRAGMA max_page_count = 2; CREATE TABLE a (b)").ok());
  const absl::Status status = full->Exec("CREATE TABLE c (d)");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("free space"));
}

TEST(SqliteStore, GapInAHistoryIsDataLoss) {
  test::TemporaryFolder folder;
  const std::string path = folder.File("runs.db");
  for (const char* damage :
       {"DELETE FROM history WHERE key & 0xffffff = 2",
        "DELETE FROM history WHERE key & 0xffffff = 4", "UPDATE attempts SET data = x'ff'"}) {
    std::filesystem::remove(path);
    store::RunRow row = RowOf(1);
    {
      auto store = SqliteStore::Open({.path = path}).value();
      const int64_t epoch = store->AcquirePartition(0, "node-1").value();
      std::vector<store::RunWrite> writes = {Creation(row)};
      writes.push_back(Append(row, 2, "2-3"));
      writes.push_back(Append(row, 1, "4"));
      writes.back().attempts_put = {AttemptOf(4, 1)};
      ASSERT_TRUE(store->Commit({.epoch = epoch, .writes = writes}).ok());
      ASSERT_TRUE(store->LoadRun(row.run_id).ok());
    }
    Execute(path, damage);
    const auto store = SqliteStore::Open({.path = path}).value();
    const absl::Status status = store->LoadRun(row.run_id).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << damage << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.run_id.value()));
  }
}

TEST(SqliteStore, LogStaysBoundedWhileReadersOverlap) {
  test::TemporaryFolder folder;
  const std::string path = folder.File("runs.db");
  auto store = SqliteStore::Open({.path = path, .checkpoint_bytes = 1 << 20}).value();
  const int64_t epoch = store->AcquirePartition(0, "node-1").value();
  store::RunRow row = RowOf(1);
  ASSERT_TRUE(store->Commit({.epoch = epoch, .writes = {Creation(row)}}).ok());
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done)
        EXPECT_TRUE(store->List({}, store::RunOrder::kStartTimeDescending, 10, "").ok());
    });
  }
  uintmax_t largest = 0;
  for (int i = 0; i < 300; ++i) {
    const store::WriteBatch batch{.epoch = epoch,
                                  .writes = {Append(row, 1, std::string(100'000, 'x'))}};
    EXPECT_TRUE(store->Commit(batch).ok());
    largest = std::max(largest, std::filesystem::file_size(path + "-wal"));
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_LT(largest, 6u << 20) << "30 MB were written, the log may grow to four times 1 MB";
}

TEST(SqliteMigrations, GoDownAndUpAgain) {
  test::TemporaryFolder folder;
  const std::string path = folder.File("runs.db");
  using namespace store::sqlite;
  const auto db = database::Connection::Open({.path = path}).value();
  ASSERT_TRUE(MigrateTo(*db, kSchemaVersion).ok());
  ASSERT_TRUE(MigrateTo(*db, 0).ok());
  EXPECT_EQ(db->QueryInt("SELECT count(*) FROM sqlite_schema").value(), 0);
  ASSERT_TRUE(MigrateTo(*db, kSchemaVersion).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(MigrateTo(*db, kSchemaVersion + 1)));
  EXPECT_TRUE(SqliteStore::Open({.path = path}).ok());
}

}  // namespace
}  // namespace contract
