// count, versions and delete; list is in workflow_commands.cc.
#include "absl/strings/str_cat.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/table.h"
#include "orchestrator/history/time.h"

namespace cli {
namespace {

namespace v1 = orchestrator::v1;
using Stub = v1::WorkflowService::Stub;

void Count(Session& session, const std::string& filter) {
  v1::CountWorkflowsRequest request;
  request.set_filter(filter);
  auto counts = session.connection().Call(&Stub::CountWorkflows, request);
  if (!counts.ok()) return session.Fail(counts.status());
  Table table({"TYPE", "STATUS", "RUNS"});
  for (const auto& group : counts->groups()) {
    table.Add({group.workflow_type(), v1::RunStatus::Value_Name(group.status()),
               std::to_string(group.count())});
  }
  session.Print(*counts, absl::StrCat(table.Text(), counts->count(), " runs\n"));
}

void Versions(Session& session, const std::string& type) {
  v1::ListVersionsRequest request;
  request.set_workflow_type(type);
  auto versions = session.connection().Call(&Stub::ListVersions, request);
  if (!versions.ok()) return session.Fail(versions.status());
  Table table({"KIND", "ID", "TYPE", "OPEN", "CLOSED", "OLDEST OPEN RUN", "STARTED"});
  const auto add = [&table](const char* kind, const v1::VersionUse& use) {
    table.Add({kind, use.id(), use.workflow_type(), std::to_string(use.open_runs()),
               std::to_string(use.closed_runs()), use.oldest_open_workflow_id(),
               use.has_oldest_open_start_time() ? HumanTime(use.oldest_open_start_time()) : ""});
  };
  for (const auto& use : versions->patches()) add("patch", use);
  for (const auto& use : versions->builds()) add("build", use);
  session.Print(*versions, table.Text());
}

struct DeleteArguments {
  std::string id;
  std::string run_id;
  std::string reason;
};

void Delete(Session& session, const DeleteArguments& a) {
  v1::DeleteWorkflowRequest request;
  request.set_workflow_id(a.id);
  request.set_run_id(a.run_id);
  request.set_reason(a.reason);
  request.set_identity(Session::User());
  auto response = session.connection().Call(&Stub::DeleteWorkflow, request);
  if (!response.ok()) return session.Fail(response.status());
  session.Print(*response, absl::StrCat("run ", response->run_id(), " of ", a.id,
                                        " is deleted with its history\n"));
}

}  // namespace

void AddSearchCommands(CLI::App& app, Session& session) {
  auto filter = std::make_shared<std::string>();
  CLI::App* count = AddCommand(app, "count", "Counts runs by type and status",
                               "campaignctl count --filter 'status = STUCK AND Region = \"eu\"'",
                               [&session, filter] { Count(session, *filter); });
  count->add_option("--filter", *filter, "Which runs; as for list (docs/operations/search.md)");

  auto type = std::make_shared<std::string>();
  CLI::App* versions = AddCommand(
      app, "versions", "Shows which patches and builds runs use, and how many",
      "campaignctl versions --type campaign", [&session, type] { Versions(session, *type); });
  versions->add_option("--type", *type, "Workflow type, such as campaign");

  auto d = std::make_shared<DeleteArguments>();
  CLI::App* remove =
      AddCommand(app, "delete", "Deletes a closed run with its history; there is no way back",
                 "campaignctl delete campaign-2c26b46b68ffc68f --reason \"contains personal data\"",
                 [&session, d] { Delete(session, *d); });
  remove->add_option("WORKFLOW_ID", d->id, "The run's workflow id")->required();
  remove->add_option("--run-id", d->run_id, "A certain run (default: the latest)");
  remove->add_option("--reason", d->reason, "Why; kept in the server's log");
}

}  // namespace cli
