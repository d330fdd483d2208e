#include "activities/connectors/memory/memory_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "activities/connectors/memory/brand_voices.h"
#include "activities/connectors/wire/text.h"

namespace memory {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kBusyWaitMs = 5'000;
constexpr size_t kQueryWordsMax = 32;

constexpr char kSchema[] = R"sql(
  CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    metadata TEXT NOT NULL,
    updated_ms INTEGER NOT NULL,
    UNIQUE (namespace, key));
  CREATE INDEX items_by_time ON items (namespace, updated_ms);
  CREATE VIRTUAL TABLE item_words USING fts5(
    key, content, content = 'items', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2');
  CREATE TRIGGER items_inserted AFTER INSERT ON items BEGIN
    INSERT INTO item_words (rowid, key, content) VALUES (new.id, new.key, new.content);
  END;
  CREATE TRIGGER items_deleted AFTER DELETE ON items BEGIN
    INSERT INTO item_words (item_words, rowid, key, content)
      VALUES ('delete', old.id, old.key, old.content);
  END;
  CREATE TRIGGER items_updated AFTER UPDATE ON items BEGIN
    INSERT INTO item_words (item_words, rowid, key, content)
      VALUES ('delete', old.id, old.key, old.content);
    INSERT INTO item_words (rowid, key, content) VALUES (new.id, new.key, new.content);
  END;
  PRAGMA user_version = 1;
)sql";

// bm25() is better the smaller it is; a word in the key counts twice.
constexpr char kSearch[] = R"sql(
  SELECT i.namespace, i.key, i.kind, i.content, i.metadata, -bm25(item_words, 2.0, 1.0)
    FROM item_words JOIN items i ON i.id = item_words.rowid
   WHERE item_words MATCH ?1 AND i.namespace = ?2 AND (?3 = '' OR i.kind = ?3)
   ORDER BY bm25(item_words, 2.0, 1.0), i.id LIMIT ?4
)sql";
constexpr char kNewest[] = R"sql(
  SELECT namespace, key, kind, content, metadata, 0.0 FROM items
   WHERE namespace = ?2 AND (?3 = '' OR kind = ?3)
   ORDER BY updated_ms DESC, id DESC LIMIT ?4
)sql";
constexpr char kPut[] = R"sql(
  INSERT INTO items (namespace, key, kind, content, metadata, updated_ms)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  ON CONFLICT (namespace, key) DO UPDATE SET
    kind = excluded.kind, content = excluded.content, metadata = excluded.metadata,
    updated_ms = excluded.updated_ms
)sql";
constexpr char kGet[] = R"sql(
  SELECT namespace, key, kind, content, metadata FROM items WHERE namespace = ?1 AND key = ?2
)sql";
constexpr char kDelete[] = "DELETE FROM items WHERE namespace = ?1 AND key = ?2";

// Resets a prepared statement at the end of its use.
class Use {
 public:
  explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  void Bind(int index, const std::string& text) {
    sqlite3_bind_text64(statement_, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  void Bind(int index, int64_t number) { sqlite3_bind_int64(statement_, index, number); }
  int Step() { return sqlite3_step(statement_); }
  std::string Text(int column) const {
    const void* bytes = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return bytes == nullptr ? "" : std::string(static_cast<const char*>(bytes), size);
  }
  Item ReadItem() const {
    return {.name_space = Text(0),
            .key = Text(1),
            .kind = Text(2),
            .content = Text(3),
            .metadata_json = Text(4)};
  }

 private:
  sqlite3_stmt* const statement_;
};

absl::Status Execute(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return absl::OkStatus();
  return absl::UnavailableError(wire::Cat("memory: ", sqlite3_errmsg(db)));
}

int UserVersion(sqlite3* db) {
  sqlite3_stmt* statement = nullptr;
  int version = -1;
  if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    version = sqlite3_column_int(statement, 0);
  }
  sqlite3_finalize(statement);
  return version;
}

}  // namespace

std::string MatchAny(const std::string& text) {
  // Words has only letters, digits and non-ASCII bytes: nothing that could end the quotes.
  return absl::StrJoin(
      wire::Words(text, kQueryWordsMax), " OR ",
      [](std::string* out, const std::string& word) { *out += wire::Cat("\"", word, "\""); });
}

absl::StatusOr<std::unique_ptr<MemoryFile>> MemoryFile::Open(const std::string& path) {
  std::unique_ptr<MemoryFile> file(new MemoryFile());
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &file->db_, flags, nullptr) != SQLITE_OK) {
    return absl::UnavailableError(
        wire::Cat("memory: cannot open ", path, ": ",
                  file->db_ == nullptr ? "out of memory" : sqlite3_errmsg(file->db_)));
  }
  sqlite3_busy_timeout(file->db_, kBusyWaitMs);
  absl::Status status = file->Prepare();
  if (!status.ok()) return absl::Status(status.code(), wire::Cat(path, ": ", status.ToString()));
  return file;
}

absl::Status MemoryFile::Prepare() {
  absl::Status status =
      Execute(db_, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
  if (!status.ok()) return status;
  const int version = UserVersion(db_);
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(wire::Cat("memory: the file has version ", version,
                                                   ", this program knows ", kSchemaVersion,
                                                   "; start the newer program"));
  }
  if (version == 0) {
    status = Execute(db_, kSchema);
    if (!status.ok()) return status;
  }
  const std::pair<const char*, sqlite3_stmt**> statements[] = {
      {kSearch, &search_}, {kNewest, &newest_}, {kPut, &put_}, {kGet, &get_}, {kDelete, &delete_}};
  for (const auto& [sql, statement] : statements) {
    if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, nullptr) !=
        SQLITE_OK) {
      return absl::UnavailableError(wire::Cat("memory: ", sqlite3_errmsg(db_)));
    }
  }
  if (version == 0) {
    status = Seed();
    if (!status.ok()) return status;
  }
  return Execute(db_, "COMMIT");
}

absl::Status MemoryFile::Seed() {
  for (const Item& voice : DefaultBrandVoices()) {
    const base::Done done = Put(voice, 0);
    if (!done.ok()) return absl::UnavailableError(done.failure().message);
  }
  return absl::OkStatus();
}

MemoryFile::~MemoryFile() {
  for (sqlite3_stmt* statement : {search_, newest_, put_, get_, delete_}) {
    sqlite3_finalize(statement);
  }
  sqlite3_close(db_);
}

base::Failure MemoryFile::DatabaseFailure() const {
  return base::Failure::Retryable("StorageFailed", wire::Cat("memory: ", sqlite3_errmsg(db_)));
}

base::Outcome<std::vector<Recalled>> MemoryFile::Recall(const std::string& query,
                                                        const std::string& name_space,
                                                        const std::string& kind, int limit) {
  const std::string match = MatchAny(query);
  Use use(match.empty() ? newest_ : search_);
  if (!match.empty()) use.Bind(1, match);
  use.Bind(2, name_space);
  use.Bind(3, kind);
  use.Bind(4, std::clamp(limit, 1, kRecallLimitMax));
  std::vector<Recalled> found;
  int step = use.Step();
  for (; step == SQLITE_ROW; step = use.Step()) {
    found.push_back({.item = use.ReadItem(),
                     .score = sqlite3_column_double(match.empty() ? newest_ : search_, 5)});
  }
  if (step != SQLITE_DONE) return DatabaseFailure();
  return found;
}

base::Done MemoryFile::Put(const Item& item, int64_t now_ms) {
  if (std::string problem = ItemProblem(item); !problem.empty()) {
    return base::Failure::Permanent("InvalidMemoryItem", std::move(problem));
  }
  Use use(put_);
  use.Bind(1, item.name_space);
  use.Bind(2, item.key);
  use.Bind(3, item.kind);
  use.Bind(4, item.content);
  use.Bind(5, item.metadata_json);
  use.Bind(6, now_ms);
  if (use.Step() != SQLITE_DONE) return DatabaseFailure();
  return base::Unit{};
}

base::Outcome<std::optional<Item>> MemoryFile::Get(const std::string& name_space,
                                                   const std::string& key) {
  Use use(get_);
  use.Bind(1, name_space);
  use.Bind(2, key);
  const int step = use.Step();
  if (step == SQLITE_ROW) return std::optional<Item>(use.ReadItem());
  if (step != SQLITE_DONE) return DatabaseFailure();
  return std::optional<Item>();
}

base::Outcome<bool> MemoryFile::Delete(const std::string& name_space, const std::string& key) {
  Use use(delete_);
  use.Bind(1, name_space);
  use.Bind(2, key);
  if (use.Step() != SQLITE_DONE) return DatabaseFailure();
  return sqlite3_changes(db_) > 0;
}

}  // namespace memory
