// history export: a run's events as a file that can be kept and replayed.
#include <iostream>

#include "absl/strings/str_cat.h"
#include "gateway/cli/command.h"
#include "gateway/cli/text_file.h"
#include "orchestrator/history/history_file.h"

namespace cli {

namespace {

struct Arguments {
  std::string id;
  std::string run_id;
  std::string file;
};

void Export(Session& session, const Arguments& a) {
  const auto history = FetchHistory(session, a.id, a.run_id, 0);
  if (!history.ok()) return session.Fail(history.status());
  const history::HistoryFile file = history::MakeHistoryFile(
      {history->events().begin(), history->events().end()}, history->status());
  const absl::StatusOr<std::string> text = history::WriteHistoryFile(file);
  if (!text.ok()) return session.Fail(text.status());
  if (a.file.empty() || a.file == "-") {
    std::cout << *text;
    return;
  }
  if (absl::Status status = WriteFile(a.file, *text); !status.ok()) return session.Fail(status);
  session.Print(file.header, absl::StrCat("exported ", file.events.size(), " events of ", a.id,
                                          " (run ", file.header.run_id(), ", ",
                                          file.header.workflow_type(), ") to ", a.file, "\n"));
}

}  // namespace

void AddHistoryExportCommand(CLI::App& history, Session& session) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command =
      AddCommand(history, "export", "Writes a run's events as JSON lines, to keep and to replay",
                 "campaignctl history export campaign-2c26b46b68ffc68f -o spring.jsonl\n"
                 "  campaignctl replay spring.jsonl",
                 [&session, a] { Export(session, *a); });
  command->add_option("WORKFLOW_ID", a->id, "The run's workflow id")->required();
  command->add_option("-o,--file", a->file, "Where to write it (default: standard output)");
  command->add_option("--run-id", a->run_id, "A certain run (default: the latest)");
}

}  // namespace cli
