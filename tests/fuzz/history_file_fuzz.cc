// Exported histories: what can be read is written the same again, and replays or is refused.
#include <cstddef>
#include <cstdint>

#include "activities/campaign/campaign_workflow.h"
#include "orchestrator/base/check.h"
#include "orchestrator/history/history_file.h"
#include "orchestrator/sdk/replay.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<history::HistoryFile> file = history::ReadHistoryFile(text);
  if (!file.ok()) return 0;
  const absl::StatusOr<std::string> written = history::WriteHistoryFile(*file);
  if (!written.ok()) return 0;
  const absl::StatusOr<history::HistoryFile> again = history::ReadHistoryFile(*written);
  CHECK(again.ok()) << again.status().ToString();
  CHECK(history::WriteHistoryFile(*again).value() == *written);
  sdk::Registry registry;
  campaign::RegisterWorkflow(registry,
                             {.approval_timeout = absl::Hours(24), .undo_window = absl::Hours(1)});
  (void)sdk::ReplayHistory(registry, file->events, campaign::kWorkflowType);
  return 0;
}
