// Stored transitions as a damaged store might give them: expanded, then folded, as the engine does
// when it loads a run. Whatever they hold, there is a state, or a finding, and never a crash.
#include <google/protobuf/io/coded_stream.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/base/check.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/run_state.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/time.h"

namespace {

namespace v1 = ::orchestrator::v1;

// What the engine asks of a state when it has loaded a run.
void Look(core::RunState& state) {
  (void)state.saga_state();
  (void)state.blocked();
  (void)state.StepsLeftBehind();
  (void)state.PausedActivities();
  (void)state.deadline();
  (void)state.execution_deadline();
  (void)core::NextDue(state);
  (void)core::StoredWakeAt(state);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  google::protobuf::io::CodedInputStream in(data, static_cast<int>(size));
  std::vector<v1::HistoryEvent> events;
  uint32_t length = 0;
  std::string row;
  while (in.ReadVarint32(&length) && in.ReadString(&row, static_cast<int>(length & 0xffff))) {
    const absl::Status expanded = history::Expand(row, &events);
    if (expanded.ok()) continue;
    CHECK(expanded.code() == absl::StatusCode::kDataLoss) << expanded.ToString();
    break;
  }
  core::RunState state;
  for (const v1::HistoryEvent& event : events) {
    core::Apply(state, event, history::FromProto(event.event_time()));
  }
  if (!events.empty() && state.corruption.empty()) Look(state);
  return 0;
}
