// The keys of AesGcmCodec. As text: a key a line, "<id> <32 bytes in base64 or hexadecimal>"; empty
// lines and lines that begin with # are left out. The first key encrypts, all decrypt. Make one
// with
//   echo "2026-11 $(openssl rand -base64 32)" >> keys.txt
//
// Key bytes never appear in errors or logs, and are wiped from memory with the ring.
//
// Example:
//   ASSIGN_OR_RETURN(auto keys, codec::KeySource::FromFile("keys.txt", clock));
//   std::shared_ptr<const codec::KeyRing> ring = keys->ring();
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "orchestrator/base/clock.h"

namespace codec {

// Constant after Parse; thread-safe.
class KeyRing {
 public:
  struct Key {
    std::string id;
    std::string bytes;  // 32
  };
  // INVALID_ARGUMENT names the line, and nothing of the key.
  static absl::StatusOr<std::shared_ptr<const KeyRing>> Parse(std::string_view text);
  explicit KeyRing(std::vector<Key> keys) : keys_(std::move(keys)) {}
  ~KeyRing();
  KeyRing(const KeyRing&) = delete;
  KeyRing& operator=(const KeyRing&) = delete;

  const Key& first() const { return keys_.front(); }
  const Key* Find(std::string_view id) const;  // null: not known
  std::string Ids() const;                     // "2026-11, 2026-05"

 private:
  std::vector<Key> keys_;
};

// Where the ring comes from; a file is read again when it has changed. Thread-safe.
class KeySource {
 public:
  // The file is looked at again at most once a second, when a key is used. A file that cannot be
  // read then leaves the ring as it is, and an error in the log.
  static absl::StatusOr<std::shared_ptr<KeySource>> FromFile(std::string path, base::Clock& clock);
  static absl::StatusOr<std::shared_ptr<KeySource>> FromText(std::string_view text,
                                                             base::Clock& clock);

  std::shared_ptr<const KeyRing> ring();
  // Reads the file now, changed or not (SIGHUP).
  absl::Status Reload();

 private:
  struct Version {
    int64_t seconds = 0;
    int64_t nanos = 0;
    int64_t size = -1;
    uint64_t inode = 0;
    friend bool operator==(const Version&, const Version&) = default;
  };
  KeySource(std::string path, base::Clock& clock) : path_(std::move(path)), clock_(clock) {}
  static Version VersionOf(const std::string& path);
  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;  // empty: from a text
  base::Clock& clock_;
  absl::Mutex mutex_;
  std::shared_ptr<const KeyRing> ring_ ABSL_GUARDED_BY(mutex_);
  Version version_ ABSL_GUARDED_BY(mutex_);
  absl::Duration looked_at_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace codec
