#include "activities/connectors/openai/answer_cache.h"

#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/durable.h"

namespace openai {
namespace {

constexpr char kSchema[] = R"sql(
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

}  // namespace

absl::StatusOr<std::unique_ptr<AnswerCache>> AnswerCache::Open(const std::string& path,
                                                               Options options) {
  std::unique_ptr<AnswerCache> cache(new AnswerCache(options));
  ASSIGN_OR_RETURN(cache->db_, database::OpenDurable(path, kSchema));
  ASSIGN_OR_RETURN(cache->get_, database::Statement::Prepare(*cache->db_, kGet));
  ASSIGN_OR_RETURN(cache->put_, database::Statement::Prepare(*cache->db_, kPut));
  ASSIGN_OR_RETURN(cache->expire_, database::Statement::Prepare(*cache->db_, kExpire));
  ASSIGN_OR_RETURN(cache->trim_, database::Statement::Prepare(*cache->db_, kTrim));
  return cache;
}

std::optional<CachedAnswer> AnswerCache::Get(const std::string& key, absl::Time now) {
  const database::Statement::Scope reset(get_);
  get_.BindText(1, key);
  get_.BindInt(2, absl::ToUnixMillis(now));
  const absl::StatusOr<bool> found = get_.Next();
  if (!found.ok() || !*found) return std::nullopt;
  return CachedAnswer{.content_json = get_.Text(0), .model = get_.Text(1)};
}

absl::Status AnswerCache::Put(const std::string& key, const CachedAnswer& answer, absl::Time now,
                              absl::Time expires) {
  put_.BindText(1, key);
  put_.BindText(2, answer.content_json);
  put_.BindText(3, answer.model);
  put_.BindInt(4, absl::ToUnixMillis(expires));
  expire_.BindInt(1, absl::ToUnixMillis(now));
  trim_.BindInt(1, options_.answers_max);
  return database::InTransaction(*db_, [this] {
    RETURN_IF_ERROR(put_.Run());
    RETURN_IF_ERROR(expire_.Run());
    return trim_.Run();
  });
}

}  // namespace openai
