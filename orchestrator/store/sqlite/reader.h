// The read side: one read-only connection with its kept statements.
//
// Thread-safety: externally synchronised; SqliteStore keeps a pool of them.
//
// Example:
//   ASSIGN_OR_RETURN(auto reader, Reader::Open(connection_options));
//   ASSIGN_OR_RETURN(StoredRun run, reader->LoadRun(run_id));
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/database/statement.h"
#include "orchestrator/store/store.h"

namespace store::sqlite {

class Reader {
 public:
  // The file must exist and have our schema.
  static absl::StatusOr<std::unique_ptr<Reader>> Open(const database::ConnectionOptions& options);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // As in Store.
  absl::StatusOr<StoredRun> LoadRun(const base::RunId& run_id);
  absl::StatusOr<std::optional<RunRow>> FindRun(const base::Namespace& ns,
                                                const base::WorkflowId& workflow_id);
  absl::StatusOr<std::optional<RunRow>> FindRunById(const base::RunId& run_id);
  absl::StatusOr<RunPage> List(const RunFilter& filter, RunOrder order, int page_size,
                               const std::string& page_token);
  absl::StatusOr<std::vector<StatusCount>> Count(const RunFilter& filter);
  absl::StatusOr<std::vector<VersionCount>> CountVersions(const base::Namespace& ns,
                                                          const std::string& workflow_type);
  absl::StatusOr<std::vector<std::string>> ReadBlobs(const std::vector<std::string>& hashes);
  absl::StatusOr<std::vector<DueRun>> DueRuns(int slot_first, int slot_last, const DueRun& after,
                                              absl::Time until, int limit);
  absl::StatusOr<std::vector<std::string>> ReadTransitions(const base::RunId& run_id,
                                                           base::EventId after_event_id, int limit);
  absl::StatusOr<std::vector<StatusCount>> CountRuns();

 private:
  explicit Reader(std::unique_ptr<database::Connection> db) : db_(std::move(db)) {}
  absl::Status PrepareAll();
  // A row with its row id; NOT_FOUND.
  absl::StatusOr<int64_t> FindRowId(const base::RunId& run_id, RunRow* row);
  absl::StatusOr<StoredRun> LoadInSnapshot(const base::RunId& run_id);
  absl::Status LoadTransitions(int64_t row_id, StoredRun& run);
  absl::Status LoadAttempts(int64_t row_id, StoredRun& run);
  absl::StatusOr<database::Statement*> ListStatement(const RunFilter& filter);
  absl::StatusOr<RunPage> ListPlain(const RunFilter& filter, int page_size,
                                    const std::string& page_token);
  absl::StatusOr<std::vector<std::string>> TransitionsInSnapshot(const base::RunId& run_id,
                                                                 base::EventId after_event_id,
                                                                 int limit);
  absl::Status FindOldest(const base::Namespace& ns, VersionCount& version);
  // Runs `read` in one snapshot.
  template <typename T, typename Fn>
  absl::StatusOr<T> InSnapshot(Fn read);

  const std::unique_ptr<database::Connection> db_;  // before the statements: they go first
  database::Statement begin_, end_, find_, find_newest_, history_, attempts_, transitions_, due_,
      counts_, blob_;
  database::Statement
      list_[8];  // by which of the filter's three fields are set; prepared when first used
};

}  // namespace store::sqlite
