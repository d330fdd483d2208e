// SqliteStore: the conformance suite on it, and what only holds for files.
#include "orchestrator/store/sqlite/sqlite_store.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "orchestrator/base/check.h"
#include "orchestrator/store/sqlite/migrations.h"
#include "tests/contract/store/store_conformance.h"

namespace contract {
namespace {

using store::sqlite::SqliteStore;
using testing::HasSubstr;

// A folder that goes with its contents at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = testing::TempDir() + "/sqlite_store_XXXXXX";
    CHECK(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class SqliteDatabase : public Database {
 public:
  absl::StatusOr<std::unique_ptr<store::Store>> Open() override {
    return SqliteStore::Open({.path = folder_.File("runs.db")});
  }

 private:
  TemporaryFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance, testing::Values([] {
                           return std::make_unique<SqliteDatabase>();
                         }));

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
  TemporaryFolder folder;
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
  TemporaryFolder folder;
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
  TemporaryFolder folder;
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
  TemporaryFolder folder;
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

// A full disk, by the page limit: the batch must vanish whole and the store must go on after.
TEST(SqliteStore, FullDiskIsUnavailableAndWritesNothing) {
  TemporaryFolder folder;
  using store::sqlite::Connection;
  const auto full = Connection::Open({.path = folder.File("runs.db")}).value();
  ASSERT_TRUE(full->Exec("PRAGMA max_page_count = 2; CREATE TABLE a (b)").ok());
  const absl::Status status = full->Exec("CREATE TABLE c (d)");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("free space"));
}

TEST(SqliteStore, GapInAHistoryIsDataLoss) {
  TemporaryFolder folder;
  const std::string path = folder.File("runs.db");
  for (const char* damage : {"DELETE FROM history WHERE key & 0xffffff = 2",
                             "DELETE FROM history WHERE key & 0xffffff = 4",
                             "UPDATE attempts SET data = x'ff'"}) {
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
    const absl::Status status = SqliteStore::Open({.path = path}).value()->LoadRun(row.run_id).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << damage << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(row.run_id.value()));
  }
}

TEST(SqliteMigrations, GoDownAndUpAgain) {
  TemporaryFolder folder;
  const std::string path = folder.File("runs.db");
  using namespace store::sqlite;
  const auto db = Connection::Open({.path = path}).value();
  ASSERT_TRUE(MigrateTo(*db, kSchemaVersion).ok());
  ASSERT_TRUE(MigrateTo(*db, 0).ok());
  EXPECT_EQ(db->QueryInt("SELECT count(*) FROM sqlite_schema").value(), 0);
  ASSERT_TRUE(MigrateTo(*db, kSchemaVersion).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(MigrateTo(*db, kSchemaVersion + 1)));
  EXPECT_TRUE(SqliteStore::Open({.path = path}).ok());
}

}  // namespace
}  // namespace contract
