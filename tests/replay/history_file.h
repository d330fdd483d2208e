// Histories as files: v1::History in protobuf's text form, one file a run, so that a change is
// readable in a diff. Not thread-safe (test support).
//
// Example:
//   v1::History history = replay::ReadHistory("tests/replay/golden/0.1/order_shipped.txtpb");
#pragma once

#include <google/protobuf/text_format.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "orchestrator/base/check.h"
#include "orchestrator/v1/history.pb.h"

namespace replay {

namespace v1 = ::orchestrator::v1;

inline v1::History ReadHistory(const std::string& path) {
  std::ifstream file(path);
  CHECK(file.good()) << "cannot read " << path;
  std::ostringstream text;
  text << file.rdbuf();
  v1::History history;
  CHECK(google::protobuf::TextFormat::ParseFromString(text.str(), &history)) << path;
  return history;
}

inline void WriteHistory(const v1::History& history, const std::string& path) {
  std::string text;
  CHECK(google::protobuf::TextFormat::PrintToString(history, &text));
  std::ofstream file(path);
  file << text;
  CHECK(file.flush().good()) << "cannot write " << path;
}

inline std::vector<v1::HistoryEvent> EventsOf(const v1::History& history) {
  return {history.events().begin(), history.events().end()};
}

}  // namespace replay
