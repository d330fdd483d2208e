// The memory's SQLite file: items in one table, their words in an FTS5 index that triggers keep in
// step. Made with a few brand voices.
//
// Thread-safety: one thread at a time; every method blocks on the disk. Several processes may open
// the same file (WAL). A write is durable when it returns.
//
// Example:
//   absl::StatusOr<std::unique_ptr<memory::MemoryFile>> file = memory::MemoryFile::Open(path);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "activities/connectors/memory/memory_store.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/database/statement.h"

namespace memory {

class MemoryFile {
 public:
  // Opens the file, makes it when it does not exist. ":memory:" keeps everything in memory.
  // FAILED_PRECONDITION when a newer version wrote it, else the codes of Connection::Error.
  static absl::StatusOr<std::unique_ptr<MemoryFile>> Open(const std::string& path);

  // As in MemoryStore, blocking. A database error is the retryable failure "StorageFailed".
  base::Outcome<std::vector<Recalled>> Recall(const std::string& query,
                                              const std::string& name_space,
                                              const std::string& kind, int limit);
  base::Done Put(const Item& item, int64_t now_ms);
  base::Outcome<std::optional<Item>> Get(const std::string& name_space, const std::string& key);
  base::Outcome<bool> Delete(const std::string& name_space, const std::string& key);

 private:
  MemoryFile() = default;
  absl::Status MakeSchema();
  absl::Status Prepare();
  absl::Status Seed();

  std::unique_ptr<database::Connection> db_;
  database::Statement search_;
  database::Statement newest_;
  database::Statement put_;
  database::Statement get_;
  database::Statement delete_;
};

// The FTS5 expression that finds any of the words of `text`, or "" when it has none.
// `shoes AND "x` -> `"shoes" OR "and" OR "x"`
std::string MatchAny(const std::string& text);

}  // namespace memory
