// Our own copies of what campaigns show (Figma's URLs expire): files on disk under keys, served at
// {public_base_url}/assets/{key}. The disk work runs on a blocking::Worker.
//
// Thread-safety: the thread of the loop given to the constructor. A server on another loop makes an
// AssetStore of its own on the same directory.
//
// Example:
//   assets::AssetStore store(loop, worker, {.directory = "/var/lib/campaignd/assets",
//                                           .public_base_url = "http://127.0.0.1:8080"});
//   base::Outcome<assets::StoredAsset> banner =
//       co_await store.Put("wf-1/email_banner.png", bytes);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "activities/connectors/assets/asset_files.h"
#include "activities/connectors/blocking/worker.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace assets {

struct StoredAsset {
  std::string key;
  std::string url;
  std::string content_type;
  int64_t bytes = 0;
};

class AssetStore {
 public:
  struct Options {
    std::string directory;
    std::string public_base_url;
  };
  // `loop` and `worker` must outlive the store and every task that it gave.
  AssetStore(base::EventLoop& loop, blocking::Worker& worker, Options options);

  // Stores the bytes under `key`, durably; a repeat replaces them. Failures as AssetFiles::Write.
  base::Task<base::Outcome<StoredAsset>> Put(std::string key, std::string bytes);
  // Nothing when there is no such asset.
  base::Task<base::Outcome<std::optional<AssetContent>>> Read(std::string key);
  // True when it was deleted, false when it was already gone.
  base::Task<base::Outcome<bool>> Delete(std::string key);
  // The keys that begin with `prefix`, in order; at most kListedMax.
  base::Task<base::Outcome<std::vector<std::string>>> List(std::string prefix);

  // Where the public finds the asset.
  std::string UrlOf(std::string_view key) const;

 private:
  base::EventLoop& loop_;
  blocking::Worker& worker_;
  const std::string public_base_url_;
  const std::shared_ptr<AssetFiles> files_;  // touched on the worker only
};

}  // namespace assets
