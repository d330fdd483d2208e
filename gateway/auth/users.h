// The table of users: what AccessStore writes and reads. And e-mail addresses.
//
// Thread-safety: the functions are pure; UserTable belongs to the store's thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/auth/access_store.h"
#include "orchestrator/database/connection.h"

namespace auth {

// Whether `text` is an address as we take them: one @, something on both sides, no blanks.
bool IsEmail(absl::string_view text);
// "ann@example.com" -> "example.com"; empty: this is no address.
std::string DomainOf(absl::string_view email);

class UserTable {
 public:
  static const char kSchema[];
  explicit UserTable(database::Connection& db) : db_(db) {}
  absl::StatusOr<std::vector<User>> Load();
  absl::Status Set(const User& user);
  absl::Status Delete(const std::string& email);

 private:
  database::Connection& db_;
};

}  // namespace auth
