// history: a run's events.
#include <iostream>

#include "gateway/cli/command.h"
#include "gateway/cli/event_text.h"
#include "gateway/cli/human.h"
#include "gateway/cli/table.h"
#include "orchestrator/history/time.h"

namespace cli {

namespace {

namespace v1 = orchestrator::v1;

constexpr int kPageSize = 1000;

struct Arguments {
  std::string id;
  std::string run_id;
  int64_t after = 0;
};

void ShowHistory(Session& session, const Arguments& a) {
  const auto all = FetchHistory(session, a.id, a.run_id, a.after);
  if (!all.ok()) return session.Fail(all.status());
  Table table({"ID", "TIME", "EVENT", "DETAIL"});
  for (const auto& event : all->events()) {
    table.Add({std::to_string(event.event_id()),
               absl::FormatTime("%Y-%m-%d %H:%M:%E3S", history::FromProto(event.event_time()),
                                absl::LocalTimeZone()),
               EventName(event), EventDetail(event)});
  }
  session.Print(*all, table.Text());
}

}  // namespace

absl::StatusOr<v1::GetWorkflowHistoryResponse> FetchHistory(Session& session,
                                                            const std::string& workflow_id,
                                                            const std::string& run_id,
                                                            int64_t after_event_id) {
  v1::GetWorkflowHistoryRequest request;
  request.set_workflow_id(workflow_id);
  request.set_run_id(run_id);
  request.set_after_event_id(after_event_id);
  request.set_page_size(kPageSize);
  v1::GetWorkflowHistoryResponse all;
  while (true) {
    auto page = session.connection().Call(&v1::WorkflowService::Stub::GetWorkflowHistory, request);
    if (!page.ok()) return page.status();
    all.mutable_events()->MergeFrom(page->events());
    all.set_run_id(page->run_id());
    all.set_status(page->status());
    if (page->next_after_event_id() <= request.after_event_id()) return all;
    request.set_after_event_id(page->next_after_event_id());
    request.set_run_id(page->run_id());  // the same run, also when a new one starts meanwhile
  }
}

void AddHistoryCommand(CLI::App& app, Session& session) {
  auto a = std::make_shared<Arguments>();
  CLI::App* history =
      AddCommand(app, "history", "Shows a run's events, or exports them",
                 "campaignctl history campaign-2c26b46b68ffc68f --output json\n"
                 "  campaignctl history export campaign-2c26b46b68ffc68f -o a.jsonl",
                 nullptr);
  history->require_subcommand(0, 1);
  history->callback([&session, a, history] {
    if (!history->get_subcommands().empty()) return;
    if (a->id.empty()) throw CLI::RequiredError("WORKFLOW_ID");
    ShowHistory(session, *a);
  });
  history->add_option("WORKFLOW_ID", a->id, "The run's workflow id");
  AddHistoryExportCommand(*history, session);
  history->add_option("--run-id", a->run_id, "A certain run (default: the latest)");
  history->add_option("--after", a->after, "Only events after this id");
}

}  // namespace cli
