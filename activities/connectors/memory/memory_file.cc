#include "activities/connectors/memory/memory_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "activities/connectors/memory/brand_voices.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/durable.h"

namespace memory {
namespace {

constexpr int kSchemaVersion = 1;
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

Item ItemOf(const database::Statement& row) {
  return {.name_space = row.Text(0),
          .key = row.Text(1),
          .kind = row.Text(2),
          .content = row.Text(3),
          .metadata_json = row.Text(4)};
}

base::Failure StorageFailed(const absl::Status& status) {
  return base::Failure::Retryable("StorageFailed",
                                  wire::Cat("memory: ", std::string(status.message())));
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
  ASSIGN_OR_RETURN(file->db_, database::OpenDurable(path, ""));
  RETURN_IF_ERROR(database::InTransaction(*file->db_, [&file] { return file->MakeSchema(); }));
  return file;
}

absl::Status MemoryFile::MakeSchema() {
  ASSIGN_OR_RETURN(const int64_t version, db_->QueryInt("PRAGMA user_version"));
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(wire::Cat(db_->path(), ": the memory has version ",
                                                   version, ", this program knows ", kSchemaVersion,
                                                   "; start the newer program"));
  }
  if (version == 0) RETURN_IF_ERROR(db_->Exec(kSchema));
  RETURN_IF_ERROR(Prepare());
  return version == 0 ? Seed() : absl::OkStatus();
}

absl::Status MemoryFile::Prepare() {
  ASSIGN_OR_RETURN(search_, database::Statement::Prepare(*db_, kSearch));
  ASSIGN_OR_RETURN(newest_, database::Statement::Prepare(*db_, kNewest));
  ASSIGN_OR_RETURN(put_, database::Statement::Prepare(*db_, kPut));
  ASSIGN_OR_RETURN(get_, database::Statement::Prepare(*db_, kGet));
  ASSIGN_OR_RETURN(delete_, database::Statement::Prepare(*db_, kDelete));
  return absl::OkStatus();
}

absl::Status MemoryFile::Seed() {
  for (const Item& voice : DefaultBrandVoices()) {
    const base::Done done = Put(voice, 0);
    if (!done.ok()) return absl::UnavailableError(done.failure().message);
  }
  return absl::OkStatus();
}

base::Outcome<std::vector<Recalled>> MemoryFile::Recall(const std::string& query,
                                                        const std::string& name_space,
                                                        const std::string& kind, int limit) {
  const std::string match = MatchAny(query);
  database::Statement& find = match.empty() ? newest_ : search_;
  const database::Statement::Scope reset(find);
  if (!match.empty()) find.BindText(1, match);
  find.BindText(2, name_space);
  find.BindText(3, kind);
  find.BindInt(4, std::clamp(limit, 1, kRecallLimitMax));
  std::vector<Recalled> found;
  while (true) {
    const absl::StatusOr<bool> row = find.Next();
    if (!row.ok()) return StorageFailed(row.status());
    if (!*row) return found;
    found.push_back({.item = ItemOf(find), .score = find.Double(5)});
  }
}

base::Done MemoryFile::Put(const Item& item, int64_t now_ms) {
  if (std::string problem = ItemProblem(item); !problem.empty()) {
    return base::Failure::Permanent("InvalidMemoryItem", std::move(problem));
  }
  put_.BindText(1, item.name_space);
  put_.BindText(2, item.key);
  put_.BindText(3, item.kind);
  put_.BindText(4, item.content);
  put_.BindText(5, item.metadata_json);
  put_.BindInt(6, now_ms);
  if (absl::Status status = put_.Run(); !status.ok()) return StorageFailed(status);
  return base::Unit{};
}

base::Outcome<std::optional<Item>> MemoryFile::Get(const std::string& name_space,
                                                   const std::string& key) {
  const database::Statement::Scope reset(get_);
  get_.BindText(1, name_space);
  get_.BindText(2, key);
  const absl::StatusOr<bool> found = get_.Next();
  if (!found.ok()) return StorageFailed(found.status());
  return *found ? std::optional<Item>(ItemOf(get_)) : std::nullopt;
}

base::Outcome<bool> MemoryFile::Delete(const std::string& name_space, const std::string& key) {
  delete_.BindText(1, name_space);
  delete_.BindText(2, key);
  if (absl::Status status = delete_.Run(); !status.ok()) return StorageFailed(status);
  return db_->Changes() > 0;
}

}  // namespace memory
