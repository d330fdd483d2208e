#include "activities/connectors/memory/embedded_memory.h"

#include <utility>

#include "absl/time/time.h"
#include "activities/connectors/memory/memory_file.h"

namespace memory {

EmbeddedMemory::EmbeddedMemory(base::EventLoop& loop, blocking::Worker& worker,
                               std::unique_ptr<MemoryFile> file)
    : loop_(loop), worker_(worker), file_(std::move(file)) {}

base::Task<base::Outcome<std::vector<Recalled>>> EmbeddedMemory::Recall(
    std::string query, std::string name_space, std::string kind, int limit,
    outbound::CallContext context) {
  return worker_.Run<std::vector<Recalled>>(
      loop_,
      [file = file_, query = std::move(query), name_space = std::move(name_space),
       kind = std::move(kind), limit] { return file->Recall(query, name_space, kind, limit); });
}

base::Task<base::Done> EmbeddedMemory::Put(Item item, outbound::CallContext context) {
  const int64_t now_ms = absl::ToUnixMillis(loop_.clock().Now());
  return worker_.Run<base::Unit>(
      loop_, [file = file_, item = std::move(item), now_ms] { return file->Put(item, now_ms); });
}

base::Task<base::Outcome<std::optional<Item>>> EmbeddedMemory::Get(std::string name_space,
                                                                   std::string key,
                                                                   outbound::CallContext context) {
  return worker_.Run<std::optional<Item>>(
      loop_, [file = file_, name_space = std::move(name_space), key = std::move(key)] {
        return file->Get(name_space, key);
      });
}

base::Task<base::Outcome<bool>> EmbeddedMemory::Delete(std::string name_space, std::string key,
                                                       outbound::CallContext context) {
  return worker_.Run<bool>(loop_, [file = file_, name_space = std::move(name_space),
                                   key = std::move(key)] { return file->Delete(name_space, key); });
}

absl::StatusOr<std::unique_ptr<MemoryStore>> OpenEmbeddedMemory(base::EventLoop& loop,
                                                                blocking::Worker& worker,
                                                                const std::string& path) {
  absl::StatusOr<std::unique_ptr<MemoryFile>> file = MemoryFile::Open(path);
  if (!file.ok()) return file.status();
  return std::make_unique<EmbeddedMemory>(loop, worker, *std::move(file));
}

}  // namespace memory
