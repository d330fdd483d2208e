// AuditLog: the audit trail of one data directory (audit.db, audit.head): takes events, chains and
// commits them in groups on a thread of its own, and reads, exports and verifies the trail on
// another, so that neither waits for the other.
//
// Append answers when its event is durable. What is appended between two commits is one commit:
// thousands of events a second cost tens of commits. AppendLater does not answer and is part of
// the next commit, within Options::later_max: a crash may lose it.
//
// Thread-safety: thread-safe. Callbacks run each exactly once, on threads of the log, or on the
// caller's before the call returns when it is refused (closing, too many wait); they must not
// block. Codes: UNAVAILABLE (disk, closing), RESOURCE_EXHAUSTED (too many wait).
//
// Example:
//   ASSIGN_OR_RETURN(auto log, AuditLog::Open({.directory = data_dir}, clock, &metrics));
//   log->Append({.actor = "ann", .action = "ApproveCampaign", .outcome = audit::kStarted},
//               [](absl::StatusOr<int64_t> sequence) { ... });
//   log->Close();
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/audit/audit_database.h"
#include "gateway/audit/entry.h"
#include "gateway/audit/verify.h"
#include "orchestrator/base/clock.h"

namespace base {
class Metrics;
}

namespace audit {

inline constexpr char kFileName[] = "audit.db";
inline constexpr char kHeadFileName[] = "audit.head";

// A setting as the trail compares it with that of the start before.
struct SettingValue {
  std::string value;  // a secret's is never recorded, nor kept but for 16 bits of a salted hash
  bool secret = false;
  std::string source;  // "campaignd.yaml:12", "default"; may be empty
  bool is_default = false;
};

class AuditLog {
 public:
  struct Options {
    std::string directory;
    std::string key;      // signs the head; empty: it is not signed
    std::string version;  // of the program, for the event of its start
    size_t waiting_max = 100'000;
    absl::Duration later_max = absl::Milliseconds(50);
    absl::Duration head_log_interval = absl::Hours(1);
    // For tests: what is done in place of a commit.
    std::function<absl::Status()> fail_commit;
  };
  using Appended = absl::AnyInvocable<void(absl::StatusOr<int64_t> sequence)>;
  template <typename T>
  using Done = absl::AnyInvocable<void(absl::StatusOr<T>)>;

  // Records the start, what was left open by the end of the server before, and what is wrong with
  // the trail if it does not fit its head. `metrics` may be null; it and `clock` outlive the log.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(Options options, base::Clock& clock,
                                                        base::Metrics* metrics);
  ~AuditLog();  // calls Close

  // One event of a program that is not the server, which must not run: durable when it returns,
  // with its sequence.
  static absl::StatusOr<int64_t> AppendOffline(Options options, base::Clock& clock, Event event);

  void Append(Event event, Appended done);
  void AppendLater(Event event);
  // Of refusals only some are recorded one by one (refusals.h).
  void AppendRefusal(Event event);
  // Records what is not as it was at the start before.
  absl::Status RecordSettings(const std::map<std::string, SettingValue>& settings);

  // The end of what is durable.
  Head head() const;
  bool head_signed() const;
  // Up to `query.limit` entries. What was appended before is in it, with what is not durable yet.
  void Read(AuditDatabase::Query query, Done<std::vector<Entry>> done);
  // Checks everything that is durable now, against the head in memory, the head file and
  // `expected`.
  void Verify(std::optional<Head> expected, Done<Verdict> done);

  // Commits what was appended and records the end; what comes later is refused. Idempotent.
  void Close();

 private:
  struct Impl;
  explicit AuditLog(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

// The same for files at rest: `head_path` may be missing in full (empty: not looked at).
absl::StatusOr<Verdict> VerifyFile(const std::string& path, const std::string& head_path,
                                   const std::string& key, std::optional<Head> expected);

}  // namespace audit
