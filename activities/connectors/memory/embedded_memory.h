// Memory in a SQLite file of this process: full-text search with bm25 ranking, no service needed.
// The file's work runs on a blocking::Worker.
//
// Thread-safety: the thread of the loop given to Open.
//
// Example:
//   absl::StatusOr<std::unique_ptr<memory::MemoryStore>> store =
//       memory::OpenEmbeddedMemory(loop, worker, "/var/lib/campaignd/memory.db");
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "activities/connectors/blocking/worker.h"
#include "activities/connectors/memory/memory_store.h"
#include "orchestrator/base/event_loop.h"

namespace memory {

class MemoryFile;

class EmbeddedMemory : public MemoryStore {
 public:
  // `loop` and `worker` must outlive the store and its tasks.
  EmbeddedMemory(base::EventLoop& loop, blocking::Worker& worker, std::unique_ptr<MemoryFile> file);

  base::Task<base::Outcome<std::vector<Recalled>>> Recall(std::string query, std::string name_space,
                                                          std::string kind, int limit,
                                                          outbound::CallContext context) override;
  base::Task<base::Done> Put(Item item, outbound::CallContext context) override;
  base::Task<base::Outcome<std::optional<Item>>> Get(std::string name_space, std::string key,
                                                     outbound::CallContext context) override;
  base::Task<base::Outcome<bool>> Delete(std::string name_space, std::string key,
                                         outbound::CallContext context) override;

 private:
  base::EventLoop& loop_;
  blocking::Worker& worker_;
  const std::shared_ptr<MemoryFile> file_;  // touched on the worker only
};

// Opens or makes the file (blocks; for start-up). Codes as MemoryFile::Open.
absl::StatusOr<std::unique_ptr<MemoryStore>> OpenEmbeddedMemory(base::EventLoop& loop,
                                                                blocking::Worker& worker,
                                                                const std::string& path);

}  // namespace memory
