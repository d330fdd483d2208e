// AccessStore: API keys and users, in their own SQLite file, and all of them in memory, so that a
// call is checked without the disk. One thread writes; what is answered is durable.
//
// A key is "ck_", 8 digits, "_" and 256 random bits. Kept is its SHA-256: a fast hash is right
// here, since nobody can try 2^256 secrets, however fast; slow hashes are for passwords.
//
// Thread-safety: thread-safe. Callbacks run once each, on the store's thread; after Close, with
// UNAVAILABLE, on the caller's. Codes besides those named: UNAVAILABLE (disk), DATA_LOSS.
//
// Example:
//   ASSIGN_OR_RETURN(auto store, AccessStore::Open("/var/lib/campaignd/access.db", clock));
//   store->CreateKey({.name = "ci", .role = Role::kEditor},
//                    [](absl::StatusOr<NewKey> key) { ... });
//   std::optional<ApiKey> key = store->FindKey("ck_ab12cd34_...");
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/auth/caller.h"
#include "orchestrator/base/clock.h"

namespace auth {

struct ApiKey {
  std::string id;  // "ck_ab12cd34", the beginning of the key
  std::string name;
  Role role = Role::kViewer;
  std::string ns = kDefaultNamespace;
  std::string created_by;
  absl::Time created;
  absl::Time expires = absl::InfiniteFuture();
  absl::Time last_used = absl::InfinitePast();  // to the minute
  absl::Time revoked = absl::InfiniteFuture();
  std::string revoked_by;

  bool ended(absl::Time now) const { return now >= expires || now >= revoked; }
};

struct NewKey {
  ApiKey key;
  std::string secret;  // all of it, as it is shown this once
};

struct User {
  std::string email;  // in lower case
  Role role = Role::kViewer;
  std::string ns = kDefaultNamespace;
  absl::Time updated;
  std::string updated_by;
};

class AccessStore {
 public:
  static constexpr size_t kKeysMax = 10'000;
  static constexpr size_t kUsersMax = 100'000;
  static constexpr absl::Duration kLastUsedStep = absl::Minutes(1);

  template <typename T>
  using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

  // `clock` outlives the store.
  static absl::StatusOr<std::unique_ptr<AccessStore>> Open(const std::string& path,
                                                           base::Clock& clock);
  ~AccessStore();  // calls Close

  // Fills id and created. FAILED_PRECONDITION: the first key of all is not an admin's of every
  // namespace. RESOURCE_EXHAUSTED: there are kKeysMax keys.
  void CreateKey(ApiKey key, Callback<NewKey> done);
  // NOT_FOUND; also when `only_ns` is not empty and the key is another namespace's.
  void RevokeKey(std::string id, std::string by, std::string only_ns, Callback<ApiKey> done);
  // Newest first.
  std::vector<ApiKey> Keys() const;
  // The key that `secret` is, ended or not; nothing for what is no key of ours. Notes the use of
  // one that has not ended.
  std::optional<ApiKey> FindKey(absl::string_view secret);
  // Whether a key was ever made.
  bool has_keys() const;

  // RESOURCE_EXHAUSTED: there are kUsersMax users.
  void SetUser(User user, Callback<User> done);
  void DeleteUser(std::string email, Callback<User> done);  // NOT_FOUND
  std::vector<User> Users() const;                          // by address
  std::optional<User> FindUser(absl::string_view email) const;

  // Finishes what was asked before, then refuses. Idempotent.
  void Close();

 private:
  struct Impl;
  explicit AccessStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace auth
