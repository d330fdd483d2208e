// The last calls that clients made, newest last; never holds tokens, bodies or auth headers.
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   log.Add({.time_ms = now, .vendor = "slack", .operation = "auth.test", .status = 200});
//   Json calls = log.List("slack", 10);
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "tests/sandbox/json.h"

namespace sandbox {

struct CallEntry {
  uint64_t number = 0;
  int64_t time_ms = 0;
  std::string vendor, operation, method, path;
  int status = 0;     // 0 = no answer was sent
  std::string fault;  // kinds that struck, "" = none
  std::string workflow_id, idempotency_key, traceparent;
};

class CallLog {
 public:
  static constexpr size_t kEntriesMax = 100'000;

  void Add(CallEntry entry);
  void Clear() { entries_.clear(); }
  uint64_t total() const { return total_; }

  // The newest `limit` entries (oldest of them first) that fit; empty texts fit all.
  Json List(const std::string& vendor, const std::string& operation, const std::string& workflow_id,
            size_t limit) const;

 private:
  std::deque<CallEntry> entries_;
  uint64_t total_ = 0;
};

}  // namespace sandbox
