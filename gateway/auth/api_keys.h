// The text of an API key, and the table of keys: what AccessStore writes and reads.
//
// Thread-safety: the functions are pure; ApiKeyTable belongs to the store's thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/auth/access_store.h"
#include "orchestrator/database/connection.h"

namespace auth {

// A new key: its id, and all of it.
struct KeyText {
  std::string id;
  std::string secret;
};
KeyText NewKeyText();
// The id in a key's text; empty: this is no text of a key.
std::string KeyIdOf(absl::string_view secret);
// Whether it is meant to be an API key, right or wrong.
bool LooksLikeKey(absl::string_view text);

struct StoredKey {
  ApiKey key;
  std::string hash;
};

class ApiKeyTable {
 public:
  static const char kSchema[];
  explicit ApiKeyTable(database::Connection& db) : db_(db) {}
  absl::StatusOr<std::vector<StoredKey>> Load();
  absl::Status Insert(const StoredKey& key);
  absl::Status Revoke(const ApiKey& key);
  absl::Status Used(const std::string& id, absl::Time at);

 private:
  database::Connection& db_;
};

}  // namespace auth
