#include "gateway/auth/access_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gateway/auth/api_keys.h"
#include "gateway/auth/digest.h"
#include "gateway/auth/users.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/disk_thread.h"
#include "orchestrator/database/durable.h"

namespace auth {

struct AccessStore::Impl {
  Impl(std::unique_ptr<database::Connection> db_in, base::Clock& clock_in)
      : clock(clock_in),
        db(std::move(db_in)),
        key_table(*db),
        user_table(*db),
        thread(clock_in, "access") {}

  absl::Status Load();
  absl::StatusOr<NewKey> CreateKey(ApiKey key);
  absl::StatusOr<ApiKey> RevokeKey(const std::string& id, const std::string& by,
                                   const std::string& only_ns);
  absl::StatusOr<User> SetUser(User user);
  absl::StatusOr<User> DeleteUser(const std::string& email);
  void WriteUse(const std::string& id, absl::Time at);

  base::Clock& clock;
  const std::unique_ptr<database::Connection> db;
  ApiKeyTable key_table;  // used by the store's thread, as is user_table
  UserTable user_table;

  mutable absl::Mutex mu;
  absl::flat_hash_map<std::string, StoredKey> keys ABSL_GUARDED_BY(mu);  // by id
  std::map<std::string, User, std::less<>> users ABSL_GUARDED_BY(mu);    // by address

  database::DiskThread thread;
};

absl::Status AccessStore::Impl::Load() {
  ASSIGN_OR_RETURN(std::vector<StoredKey> stored_keys, key_table.Load());
  ASSIGN_OR_RETURN(std::vector<User> stored_users, user_table.Load());
  absl::MutexLock lock(&mu);
  for (StoredKey& key : stored_keys) {
    const std::string id = key.key.id;
    keys.emplace(id, std::move(key));
  }
  for (User& user : stored_users) {
    const std::string email = user.email;
    users.emplace(email, std::move(user));
  }
  return absl::OkStatus();
}

absl::StatusOr<NewKey> AccessStore::Impl::CreateKey(ApiKey key) {
  KeyText text;
  {
    absl::MutexLock lock(&mu);
    if (keys.empty() && (key.role != Role::kAdmin || key.ns != "*")) {
      return absl::FailedPreconditionError(
          "the first key must be an admin's of every namespace (\"*\"): from then on every call "
          "needs a credential, and nobody could make another");
    }
    if (keys.size() >= kKeysMax) {
      return absl::ResourceExhaustedError(
          absl::StrCat("there are ", keys.size(), " keys, the most there may be"));
    }
    do {
      text = NewKeyText();
    } while (keys.contains(text.id));
  }
  key.id = text.id;
  key.created = clock.Now();
  StoredKey stored{key, Sha256(text.secret)};
  RETURN_IF_ERROR(key_table.Insert(stored));
  absl::MutexLock lock(&mu);
  keys.emplace(key.id, std::move(stored));
  return NewKey{std::move(key), std::move(text.secret)};
}

absl::StatusOr<ApiKey> AccessStore::Impl::RevokeKey(const std::string& id, const std::string& by,
                                                    const std::string& only_ns) {
  ApiKey key;
  {
    absl::MutexLock lock(&mu);
    const auto found = keys.find(id);
    if (found == keys.end() || (!only_ns.empty() && found->second.key.ns != only_ns)) {
      return absl::NotFoundError(absl::StrCat("there is no key ", id));
    }
    key = found->second.key;
  }
  if (key.revoked != absl::InfiniteFuture()) return key;
  key.revoked = clock.Now();
  key.revoked_by = by;
  RETURN_IF_ERROR(key_table.Revoke(key));
  absl::MutexLock lock(&mu);
  ApiKey& held = keys[id].key;
  held.revoked = key.revoked;
  held.revoked_by = key.revoked_by;
  return held;
}

absl::StatusOr<User> AccessStore::Impl::SetUser(User user) {
  {
    absl::MutexLock lock(&mu);
    if (users.size() >= kUsersMax && !users.contains(user.email)) {
      return absl::ResourceExhaustedError(
          absl::StrCat("there are ", users.size(), " users, the most there may be"));
    }
  }
  user.updated = clock.Now();
  RETURN_IF_ERROR(user_table.Set(user));
  absl::MutexLock lock(&mu);
  users.insert_or_assign(user.email, user);
  return user;
}

absl::StatusOr<User> AccessStore::Impl::DeleteUser(const std::string& email) {
  User user;
  {
    absl::MutexLock lock(&mu);
    const auto found = users.find(email);
    if (found == users.end()) {
      return absl::NotFoundError(absl::StrCat("there is no entry of the user ", email));
    }
    user = found->second;
  }
  RETURN_IF_ERROR(user_table.Delete(email));
  absl::MutexLock lock(&mu);
  users.erase(email);
  return user;
}

void AccessStore::Impl::WriteUse(const std::string& id, absl::Time at) {
  const absl::Status status = key_table.Used(id, at);
  if (!status.ok()) {
    base::Log(base::LogLevel::kWarning, "when an API key was last used could not be written", {},
              {{"key", id}, {"error", std::string(status.message())}});
  }
}

AccessStore::AccessStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<AccessStore>> AccessStore::Open(const std::string& path,
                                                               base::Clock& clock) {
  ASSIGN_OR_RETURN(
      auto db, database::OpenDurable(path, absl::StrCat(ApiKeyTable::kSchema, UserTable::kSchema)));
  auto impl = std::make_unique<Impl>(std::move(db), clock);
  RETURN_IF_ERROR(impl->Load());
  impl->thread.Start();
  return std::unique_ptr<AccessStore>(new AccessStore(std::move(impl)));
}

AccessStore::~AccessStore() { Close(); }

void AccessStore::Close() { impl_->thread.Close(); }

void AccessStore::CreateKey(ApiKey key, Callback<NewKey> done) {
  impl_->thread.Run(std::move(done), [impl = impl_.get(), key = std::move(key)]() mutable {
    return impl->CreateKey(std::move(key));
  });
}

void AccessStore::RevokeKey(std::string id, std::string by, std::string only_ns,
                            Callback<ApiKey> done) {
  impl_->thread.Run(std::move(done),
                    [impl = impl_.get(), id = std::move(id), by = std::move(by),
                     only_ns = std::move(only_ns)] { return impl->RevokeKey(id, by, only_ns); });
}

std::vector<ApiKey> AccessStore::Keys() const {
  std::vector<ApiKey> keys;
  {
    absl::MutexLock lock(&impl_->mu);
    for (const auto& [id, stored] : impl_->keys) keys.push_back(stored.key);
  }
  std::sort(keys.begin(), keys.end(), [](const ApiKey& a, const ApiKey& b) {
    return std::pair(a.created, a.id) > std::pair(b.created, b.id);
  });
  return keys;
}

std::optional<ApiKey> AccessStore::FindKey(absl::string_view secret) {
  const std::string id = KeyIdOf(secret);
  if (id.empty()) return std::nullopt;
  const std::string hash = Sha256(secret);
  const absl::Time now = impl_->clock.Now();
  ApiKey key;
  {
    absl::MutexLock lock(&impl_->mu);
    const auto found = impl_->keys.find(id);
    if (found == impl_->keys.end() || !SameBytes(found->second.hash, hash)) return std::nullopt;
    ApiKey& held = found->second.key;
    if (held.ended(now) || now - held.last_used < kLastUsedStep) return held;
    held.last_used = now;
    key = held;
  }
  impl_->thread.Post([impl = impl_.get(), id, now] { impl->WriteUse(id, now); });
  return key;
}

bool AccessStore::has_keys() const {
  absl::MutexLock lock(&impl_->mu);
  return !impl_->keys.empty();
}

void AccessStore::SetUser(User user, Callback<User> done) {
  impl_->thread.Run(std::move(done), [impl = impl_.get(), user = std::move(user)]() mutable {
    return impl->SetUser(std::move(user));
  });
}

void AccessStore::DeleteUser(std::string email, Callback<User> done) {
  impl_->thread.Run(std::move(done), [impl = impl_.get(), email = std::move(email)] {
    return impl->DeleteUser(email);
  });
}

std::vector<User> AccessStore::Users() const {
  std::vector<User> users;
  absl::MutexLock lock(&impl_->mu);
  for (const auto& [email, user] : impl_->users) users.push_back(user);
  return users;
}

std::optional<User> AccessStore::FindUser(absl::string_view email) const {
  absl::MutexLock lock(&impl_->mu);
  const auto found = impl_->users.find(email);
  if (found == impl_->users.end()) return std::nullopt;
  return found->second;
}

}  // namespace auth
