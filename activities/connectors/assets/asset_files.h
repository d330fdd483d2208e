// The asset store's files: one file a key below one directory, written so that a crash leaves
// either the old file or the new one (temporary file, fsync, rename, fsync of the directory).
//
// Thread-safety: one instance belongs to one thread at a time (AssetStore gives it its worker); any
// number of instances, also of other processes, may read the same directory. Every method blocks on
// the disk.
//
// Example:
//   assets::AssetFiles files("/var/lib/campaignd/assets");
//   base::Outcome<std::string> type = files.Write("wf-1/email_banner.png", bytes);
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/base/outcome.h"

namespace assets {

inline constexpr size_t kKeyBytesMax = 512;
inline constexpr size_t kAssetBytesMax = 32 * 1024 * 1024;
inline constexpr size_t kListedMax = 10'000;

// What is wrong with a key, or "". A key is "part/part/name": letters, digits,
// ".", "_" and "-" in parts that do not begin with ".", at most kKeyBytesMax bytes.
std::string KeyProblem(std::string_view key);

struct AssetContent {
  std::string bytes;
  std::string content_type;
};

class AssetFiles {
 public:
  explicit AssetFiles(std::string directory);

  // Writes the file, or replaces it, and returns its content type. Durable when it returns.
  // Failures: "InvalidAsset" (key, size or type; permanent),
  // "StorageFailed" (retryable), "StorageFull" (no room, or read-only: not attempted).
  base::Outcome<std::string> Write(std::string key, std::string_view bytes);
  // Nothing when there is no such file.
  base::Outcome<std::optional<AssetContent>> Read(std::string key) const;
  // Removes the file and the directories that it leaves empty; false when it was already gone.
  base::Outcome<bool> Remove(std::string key);
  // The keys that begin with `prefix`, in order; at most kListedMax.
  base::Outcome<std::vector<std::string>> List(std::string prefix) const;

 private:
  std::string PathOf(std::string_view key) const;

  const std::string directory_;
  int temp_count_ = 0;
};

}  // namespace assets
