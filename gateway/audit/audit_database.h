// AuditDatabase: the SQLite file of the audit trail. Plain blocking calls. The file itself refuses
// to change or delete an event, and to take one that is not the next.
//
// Thread-safety: thread-compatible. One connection writes; others may read at the same time.
//
// Example:
//   ASSIGN_OR_RETURN(auto database, AuditDatabase::Open(data_dir + "/audit.db"));
//   RETURN_IF_ERROR(database->Append(entries));
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/audit/entry.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/database/list_filter.h"
#include "orchestrator/database/statement.h"

namespace audit {

class AuditDatabase {
 public:
  // Creates what is missing.
  static absl::StatusOr<std::unique_ptr<AuditDatabase>> Open(const std::string& path);
  // FAILED_PRECONDITION when the file is no audit trail; NOT_FOUND when there is none.
  static absl::StatusOr<std::unique_ptr<AuditDatabase>> OpenForReading(const std::string& path);

  absl::StatusOr<Head> ReadHead();
  // The entries, which follow the head of the file, in one transaction. With `settings`, they
  // become the ones that the next start compares with.
  absl::Status Append(const std::vector<Entry>& entries,
                      const std::map<std::string, std::string>* settings = nullptr);

  struct Query {
    database::Condition where;
    int64_t after = 0;    // sequences, both exclusive
    int64_t before = -1;  // -1: no limit
    bool descending = false;
    int limit = 1000;
  };
  absl::StatusOr<std::vector<Entry>> Read(const Query& query);
  // Calls that were let in and have no outcome: the oldest `limit`.
  absl::StatusOr<std::vector<Entry>> OpenCalls(int limit);
  absl::StatusOr<std::map<std::string, std::string>> ReadSettings();

 private:
  explicit AuditDatabase(std::unique_ptr<database::Connection> db) : db_(std::move(db)) {}
  absl::Status AppendOne(const Entry& entry);

  const std::unique_ptr<database::Connection> db_;
  database::Statement insert_;
  database::Statement open_call_;
  database::Statement close_call_;
};

}  // namespace audit
