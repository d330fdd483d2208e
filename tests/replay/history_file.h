// Histories as files in exported form (orchestrator/history/history_file.h), one file a run.
// Not thread-safe (test support).
//
// Example:
//   history::HistoryFile file = replay::ReadFile("tests/replay/golden/0.1/order_shipped.jsonl");
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "orchestrator/base/check.h"
#include "orchestrator/history/history_file.h"

namespace replay {

namespace v1 = ::orchestrator::v1;

inline history::HistoryFile ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file.good()) << "cannot read " << path;
  std::ostringstream text;
  text << file.rdbuf();
  absl::StatusOr<history::HistoryFile> read = history::ReadHistoryFile(text.str());
  CHECK(read.ok()) << path << ": " << read.status().ToString();
  return *std::move(read);
}

inline void WriteFile(const std::vector<v1::HistoryEvent>& events, v1::RunStatus::Value status,
                      const std::string& path) {
  const absl::StatusOr<std::string> text =
      history::WriteHistoryFile(history::MakeHistoryFile(events, status));
  CHECK(text.ok()) << path << ": " << text.status().ToString();
  std::ofstream file(path, std::ios::binary);
  file << *text;
  CHECK(file.flush().good()) << "cannot write " << path;
}

}  // namespace replay
