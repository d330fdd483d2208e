#include "gateway/auth/api_keys.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/auth/digest.h"
#include "gateway/auth/roles.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/statement.h"

namespace auth {

namespace {

using database::Statement;

constexpr absl::string_view kPrefix = "ck_";
constexpr size_t kIdBytes = 4;
constexpr size_t kIdLength = 3 + 2 * kIdBytes;
constexpr size_t kSecretBytes = 32;
constexpr size_t kKeyLengthMax = 100;

// Times as microseconds; 0 is "not", since nothing happened in 1970.
int64_t Micros(absl::Time time) {
  const bool none = time == absl::InfiniteFuture() || time == absl::InfinitePast();
  return none ? 0 : absl::ToUnixMicros(time);
}
absl::Time TimeOr(int64_t micros, absl::Time otherwise) {
  return micros == 0 ? otherwise : absl::FromUnixMicros(micros);
}

}  // namespace

const char ApiKeyTable::kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS api_keys (
  id TEXT PRIMARY KEY,
  hash BLOB NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  namespace TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_us INTEGER NOT NULL,
  last_used_us INTEGER NOT NULL,
  revoked_us INTEGER NOT NULL,
  revoked_by TEXT NOT NULL
) WITHOUT ROWID;
)sql";

KeyText NewKeyText() {
  KeyText text;
  text.id = absl::StrCat(kPrefix, RandomDigits(kIdBytes));
  text.secret = absl::StrCat(text.id, "_", RandomText(kSecretBytes));
  return text;
}

bool LooksLikeKey(absl::string_view text) { return absl::StartsWith(text, kPrefix); }

std::string KeyIdOf(absl::string_view secret) {
  if (!LooksLikeKey(secret) || secret.size() <= kIdLength + 1 || secret.size() > kKeyLengthMax ||
      secret[kIdLength] != '_') {
    return "";
  }
  return std::string(secret.substr(0, kIdLength));
}

absl::StatusOr<std::vector<StoredKey>> ApiKeyTable::Load() {
  ASSIGN_OR_RETURN(Statement select,
                   Statement::Prepare(db_,
                                      "SELECT id, hash, name, role, namespace, created_us, "
                                      "created_by, expires_us, last_used_us, revoked_us, "
                                      "revoked_by FROM api_keys"));
  std::vector<StoredKey> keys;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Next());
    if (!found) return keys;
    StoredKey stored;
    ApiKey& key = stored.key;
    key.id = select.Text(0);
    stored.hash = select.Text(1);
    key.name = select.Text(2);
    const std::optional<Role> role = ParseRole(select.Bytes(3));
    if (!role.has_value()) {
      return absl::DataLossError(absl::StrCat("the stored key ", key.id, " has no role"));
    }
    key.role = *role;
    key.ns = select.Text(4);
    key.created = absl::FromUnixMicros(select.Int(5));
    key.created_by = select.Text(6);
    key.expires = TimeOr(select.Int(7), absl::InfiniteFuture());
    key.last_used = TimeOr(select.Int(8), absl::InfinitePast());
    key.revoked = TimeOr(select.Int(9), absl::InfiniteFuture());
    key.revoked_by = select.Text(10);
    keys.push_back(std::move(stored));
  }
}

absl::Status ApiKeyTable::Insert(const StoredKey& stored) {
  ASSIGN_OR_RETURN(
      Statement insert,
      Statement::Prepare(
          db_, "INSERT INTO api_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"));
  const ApiKey& key = stored.key;
  insert.BindText(1, key.id);
  insert.BindBlob(2, stored.hash);
  insert.BindText(3, key.name);
  insert.BindText(4, RoleName(key.role));
  insert.BindText(5, key.ns);
  insert.BindInt(6, Micros(key.created));
  insert.BindText(7, key.created_by);
  insert.BindInt(8, Micros(key.expires));
  insert.BindInt(9, Micros(key.last_used));
  insert.BindInt(10, Micros(key.revoked));
  insert.BindText(11, key.revoked_by);
  return insert.Run();
}

absl::Status ApiKeyTable::Revoke(const ApiKey& key) {
  ASSIGN_OR_RETURN(Statement update,
                   Statement::Prepare(
                       db_, "UPDATE api_keys SET revoked_us = ?2, revoked_by = ?3 WHERE id = ?1"));
  update.BindText(1, key.id);
  update.BindInt(2, Micros(key.revoked));
  update.BindText(3, key.revoked_by);
  return update.Run();
}

absl::Status ApiKeyTable::Used(const std::string& id, absl::Time at) {
  ASSIGN_OR_RETURN(Statement update,
                   Statement::Prepare(db_, "UPDATE api_keys SET last_used_us = ?2 WHERE id = ?1"));
  update.BindText(1, id);
  update.BindInt(2, Micros(at));
  return update.Run();
}

}  // namespace auth
