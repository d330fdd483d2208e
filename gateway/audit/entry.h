// Event and Entry: one line of the audit trail, and its hash. Pure values; thread-safe functions.
//
// The hash of an entry is SHA-256 over a canonical encoding of everything in it and of the hash of
// the entry before: whoever changes, takes out, moves or puts in one must write anew everything
// behind it. docs/operations/audit.md has the encoding.
//
// Example:
//   Entry entry{.event = Clean(std::move(event)), .sequence = 1, .time = now};
//   entry.prev_hash = std::string(kHashBytes, '\0');
//   entry.hash = HashOf(entry);
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "orchestrator/base/sha256.h"

namespace audit {

inline constexpr size_t kHashBytes = 32;

// How a call stands besides the names of gRPC's codes.
inline constexpr char kStarted[] = "STARTED";  // let in; nothing has been done yet
inline constexpr char kUnknown[] = "UNKNOWN";  // the server ended first
inline constexpr char kOk[] = "OK";

// What happened, before it has its place in the trail.
struct Event {
  std::string actor;
  std::string credential;
  std::string action;
  std::string subject;
  std::string outcome;
  std::string detail;
  std::string correlation_id;
  std::string address;
  std::string ns;
  int64_t started_by = 0;  // of an outcome: the sequence of the event with kStarted
};

struct Entry {
  Event event;
  int64_t sequence = 0;
  absl::Time time = absl::UnixEpoch();  // whole microseconds
  std::string prev_hash;                // kHashBytes bytes; zeros before the first
  std::string hash;
};

// The end of a trail.
struct Head {
  int64_t sequence = 0;
  std::string hash = std::string(kHashBytes, '\0');
  bool operator==(const Head&) const = default;
};

// Valid UTF-8, one line, no longer than is kept (detail 1,000 bytes, others 300).
Event Clean(Event event);

std::string HashOf(const Entry& entry);

// "17:6b86b2..."; nothing when the text is not of this form.
std::string HeadText(const Head& head);
std::optional<Head> ParseHead(absl::string_view text);

using base::HmacSha256;
using base::Sha256;

}  // namespace audit
