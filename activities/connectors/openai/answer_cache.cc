#include "activities/connectors/openai/answer_cache.h"

#include <sqlite3.h>

#include "activities/connectors/wire/text.h"

namespace openai {
namespace {

constexpr int kBusyWaitMs = 1'000;

constexpr char kSchema[] = R"sql(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    model TEXT NOT NULL,
    expires_ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS answers_by_time ON answers (expires_ms);
)sql";
constexpr char kGet[] = "SELECT content, model FROM answers WHERE key = ?1 AND expires_ms > ?2";
constexpr char kPut[] = "INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4)";
constexpr char kExpire[] = "DELETE FROM answers WHERE expires_ms <= ?1";
constexpr char kTrim[] = R"sql(
  DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY expires_ms DESC
                                    LIMIT -1 OFFSET ?1)
)sql";

void BindText(sqlite3_stmt* statement, int index, const std::string& text) {
  sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

std::string TextOf(sqlite3_stmt* statement, int column) {
  const void* bytes = sqlite3_column_blob(statement, column);
  const int size = sqlite3_column_bytes(statement, column);
  return bytes == nullptr ? "" : std::string(static_cast<const char*>(bytes), size);
}

}  // namespace

absl::Status AnswerCache::Error(const char* action) const {
  return absl::UnavailableError(wire::Cat("cache of model answers: ", action, ": ",
                                          db_ == nullptr ? "out of memory" : sqlite3_errmsg(db_)));
}

absl::StatusOr<std::unique_ptr<AnswerCache>> AnswerCache::Open(const std::string& path,
                                                               Options options) {
  std::unique_ptr<AnswerCache> cache(new AnswerCache(options));
  if (absl::Status prepared = cache->Prepare(path); !prepared.ok()) {
    return absl::UnavailableError(wire::Cat(path, ": ", std::string(prepared.message())));
  }
  return cache;
}

absl::Status AnswerCache::Prepare(const std::string& path) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &db_, flags, nullptr) != SQLITE_OK) return Error("open");
  sqlite3_busy_timeout(db_, kBusyWaitMs);
  if (sqlite3_exec(db_, kSchema, nullptr, nullptr, nullptr) != SQLITE_OK) return Error("schema");
  const auto prepare = [this](const char* sql, sqlite3_stmt** statement) {
    return sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, nullptr) ==
           SQLITE_OK;
  };
  if (!prepare(kGet, &get_) || !prepare(kPut, &put_) || !prepare(kExpire, &expire_) ||
      !prepare(kTrim, &trim_)) {
    return Error("prepare");
  }
  return absl::OkStatus();
}

AnswerCache::~AnswerCache() {
  for (sqlite3_stmt* statement : {get_, put_, expire_, trim_}) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

std::optional<CachedAnswer> AnswerCache::Get(const std::string& key, absl::Time now) {
  BindText(get_, 1, key);
  sqlite3_bind_int64(get_, 2, absl::ToUnixMillis(now));
  std::optional<CachedAnswer> answer;
  if (sqlite3_step(get_) == SQLITE_ROW) {
    answer = CachedAnswer{.content_json = TextOf(get_, 0), .model = TextOf(get_, 1)};
  }
  sqlite3_reset(get_);
  return answer;
}

absl::Status AnswerCache::Put(const std::string& key, const CachedAnswer& answer, absl::Time now,
                              absl::Time expires) {
  const auto run = [this](sqlite3_stmt* statement, const char* action) {
    const int code = sqlite3_step(statement);
    absl::Status status = code == SQLITE_DONE ? absl::OkStatus() : Error(action);
    sqlite3_reset(statement);
    return status;
  };
  BindText(put_, 1, key);
  BindText(put_, 2, answer.content_json);
  BindText(put_, 3, answer.model);
  sqlite3_bind_int64(put_, 4, absl::ToUnixMillis(expires));
  if (absl::Status put = run(put_, "put"); !put.ok()) return put;
  sqlite3_bind_int64(expire_, 1, absl::ToUnixMillis(now));
  if (absl::Status expired = run(expire_, "expire"); !expired.ok()) return expired;
  sqlite3_bind_int64(trim_, 1, options_.answers_max);
  return run(trim_, "trim");
}

}  // namespace openai
