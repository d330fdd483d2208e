// Histories as text, to be kept in files, looked at and replayed: JSON lines, a header and then an
// event a line, in protobuf's JSON mapping with snake_case names. The same history gives the same
// text to the byte. docs/internals/history-format.md, "Exported form".
//
// Pure functions; thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(std::string text,
//                    WriteHistoryFile(MakeHistoryFile(events, v1::RunStatus::COMPLETED)));
//   ASSIGN_OR_RETURN(HistoryFile file, ReadHistoryFile(text));
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "orchestrator/v1/history.pb.h"
#include "orchestrator/v1/history_file.pb.h"

namespace history {

namespace v1 = ::orchestrator::v1;

inline constexpr char kHistoryFileFormat[] = "campaignd.history";
inline constexpr int kHistoryFileVersion = 1;

struct HistoryFile {
  v1::HistoryFileHeader header;
  std::vector<v1::HistoryEvent> events;
};

// OK when `events` are a served history: ids from 1 without a gap, the first one and no other is
// WorkflowExecutionStarted, and nothing of the stored form. INVALID_ARGUMENT says which event is
// not as it should be.
absl::Status CheckServed(const std::vector<v1::HistoryEvent>& events);

// A file of a run's served events; its header follows from the first one.
HistoryFile MakeHistoryFile(std::vector<v1::HistoryEvent> events, v1::RunStatus::Value status);

// INVALID_ARGUMENT when a value has no JSON form (a duration of more than 10,000 years).
absl::StatusOr<std::string> WriteHistoryFile(const HistoryFile& file);

// INVALID_ARGUMENT, with the line: not such a file, cut short, an event that this version does not
// know, or events that are no served history. FAILED_PRECONDITION: a newer format.
absl::StatusOr<HistoryFile> ReadHistoryFile(absl::string_view text);

}  // namespace history
