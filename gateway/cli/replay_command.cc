// replay: exported histories on the workflow code of this very program. Needs no server.
#include <iostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "activities/campaign/campaign_workflow.h"
#include "gateway/cli/command.h"
#include "gateway/cli/text_file.h"
#include "gateway/json/json_writer.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/history_file.h"
#include "orchestrator/sdk/replay.h"

namespace cli {

namespace {

struct Arguments {
  std::vector<std::string> files;
  std::string type;
};

struct Replayed {
  history::HistoryFile file;
  absl::Status status;
};

absl::StatusOr<history::HistoryFile> Read(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  return history::ReadHistoryFile(text);
}

Replayed Replay(const sdk::Registry& registry, const std::string& path, const std::string& type) {
  absl::StatusOr<history::HistoryFile> file = Read(path);
  if (!file.ok()) return {.file = {}, .status = file.status()};
  absl::Status status = sdk::ReplayHistory(registry, file->events, type);
  return {.file = *std::move(file), .status = std::move(status)};
}

ExitCode CodeOf(const absl::Status& status) {
  return status.code() == absl::StatusCode::kInternal ? kMismatch : ExitCodeOf(status);
}

std::string JsonLine(const std::string& path, const Replayed& replayed) {
  return absl::StrCat("{\"file\": ", gateway::JsonQuote(path),
                      ", \"workflow_id\": ", gateway::JsonQuote(replayed.file.header.workflow_id()),
                      ", \"events\": ", replayed.file.events.size(),
                      ", \"ok\": ", replayed.status.ok() ? "true" : "false",
                      ", \"error\": ", gateway::JsonQuote(std::string(replayed.status.message())),
                      "}\n");
}

// A mismatch weighs more than a file that cannot be replayed at all.
void ReplayAll(Session& session, const Arguments& a) {
  sdk::Registry registry;
  // How long its timers are has no part in the check.
  campaign::RegisterWorkflow(registry,
                             {.approval_timeout = absl::Hours(24), .undo_window = absl::Hours(1)});
  for (const std::string& path : a.files) {
    const Replayed replayed = Replay(registry, path, a.type);
    const ExitCode code = CodeOf(replayed.status);
    if (code == kMismatch || session.exit_code == kOk) session.exit_code = code;
    if (session.json()) {
      std::cout << JsonLine(path, replayed);
    } else if (replayed.status.ok()) {
      std::cout << "OK  " << path << ": " << replayed.file.events.size() << " events of "
                << replayed.file.header.workflow_type() << " " << replayed.file.header.workflow_id()
                << std::endl;
    } else {
      std::cerr << (code == kMismatch ? "MISMATCH  " : "error: ") << path << ": "
                << replayed.status.message() << std::endl;
    }
  }
}

}  // namespace

void AddReplayCommand(CLI::App& app, Session& session) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command = AddCommand(
      app, "replay", "Replays exported histories on this program's workflow code; needs no server",
      "campaignctl history export campaign-2c26b46b68ffc68f -o spring.jsonl\n"
      "  campaignctl replay spring.jsonl",
      [&session, a] { ReplayAll(session, *a); });
  command->add_option("FILE", a->files, "Files that `history export` wrote")->required();
  command->add_option("--type", a->type,
                      "Use the code of this workflow type (default: the file's)");
}

}  // namespace cli
