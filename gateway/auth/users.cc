#include "gateway/auth/users.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/auth/roles.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/statement.h"

namespace auth {

namespace {

using database::Statement;

constexpr size_t kEmailLengthMax = 254;  // RFC 5321 section 4.5.3.1.3

}  // namespace

bool IsEmail(absl::string_view text) {
  const size_t at = text.find('@');
  return at != text.npos && at > 0 && at + 1 < text.size() && text.find('@', at + 1) == text.npos &&
         text.size() <= kEmailLengthMax && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isgraph(static_cast<unsigned char>(c));
         });
}

std::string DomainOf(absl::string_view email) {
  if (!IsEmail(email)) return "";
  return absl::AsciiStrToLower(email.substr(email.find('@') + 1));
}

const char UserTable::kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS users (
  email TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  namespace TEXT NOT NULL,
  updated_us INTEGER NOT NULL,
  updated_by TEXT NOT NULL
) WITHOUT ROWID;
)sql";

absl::StatusOr<std::vector<User>> UserTable::Load() {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(db_, "SELECT email, role, namespace, updated_us, updated_by FROM users"));
  std::vector<User> users;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Next());
    if (!found) return users;
    User user;
    user.email = select.Text(0);
    // What is no role lets nobody in.
    user.role = ParseRole(select.Bytes(1)).value_or(Role::kNone);
    user.ns = select.Text(2);
    user.updated = absl::FromUnixMicros(select.Int(3));
    user.updated_by = select.Text(4);
    users.push_back(std::move(user));
  }
}

absl::Status UserTable::Set(const User& user) {
  ASSIGN_OR_RETURN(
      Statement set,
      Statement::Prepare(db_, "INSERT OR REPLACE INTO users VALUES (?1, ?2, ?3, ?4, ?5)"));
  set.BindText(1, user.email);
  set.BindText(2, RoleName(user.role));
  set.BindText(3, user.ns);
  set.BindInt(4, absl::ToUnixMicros(user.updated));
  set.BindText(5, user.updated_by);
  return set.Run();
}

absl::Status UserTable::Delete(const std::string& email) {
  ASSIGN_OR_RETURN(Statement remove, Statement::Prepare(db_, "DELETE FROM users WHERE email = ?1"));
  remove.BindText(1, email);
  return remove.Run();
}

}  // namespace auth
