// Answers of language models by the hash of what was asked, kept for a day in a SQLite file: the
// same brief is not paid for twice (requirement P3).
//
// Thread-safety: one thread at a time; every method blocks on the disk. A lost cache costs money,
// not correctness, so writes are not synced one by one.
//
// Example:
//   ASSIGN_OR_RETURN(auto cache, AnswerCache::Open(path, {.answers_max = 10'000}));
//   std::optional<CachedAnswer> known = cache->Get(CacheKey(request, "gpt-4o-mini"), now);
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/database/statement.h"

namespace openai {

struct CachedAnswer {
  std::string content_json;
  std::string model;
};

class AnswerCache {
 public:
  struct Options {
    int answers_max = 10'000;  // the oldest go first
  };
  // Makes the file when it does not exist. A file that cannot be used is an error that names it.
  static absl::StatusOr<std::unique_ptr<AnswerCache>> Open(const std::string& path,
                                                           Options options);

  // Nothing when it is not there, has expired, or the file cannot be read.
  std::optional<CachedAnswer> Get(const std::string& key, absl::Time now);
  // Keeps the answer until `expires`; what has expired goes.
  absl::Status Put(const std::string& key, const CachedAnswer& answer, absl::Time now,
                   absl::Time expires);

 private:
  explicit AnswerCache(Options options) : options_(options) {}

  const Options options_;
  std::unique_ptr<database::Connection> db_;
  database::Statement get_;
  database::Statement put_;
  database::Statement expire_;
  database::Statement trim_;
};

}  // namespace openai
