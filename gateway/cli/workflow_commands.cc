// list, show, cancel and terminate.
#include <iostream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/options.h"
#include "gateway/cli/saga_text.h"
#include "gateway/cli/table.h"
#include "orchestrator/history/time.h"

namespace cli {

namespace {

namespace v1 = orchestrator::v1;
using Stub = v1::WorkflowService::Stub;

struct ListArguments {
  std::string status;
  std::string type;
  std::string filter;
  std::string order_by;
  int page_size = 0;
  bool all = false;
};

std::string Age(const v1::WorkflowInfo& info) {
  const absl::Time end =
      info.has_close_time() ? history::FromProto(info.close_time()) : absl::Now();
  return HumanDuration(end - history::FromProto(info.start_time()));
}

void List(Session& session, const ListArguments& a) {
  v1::ListWorkflowsRequest request;
  if (!a.status.empty()) {
    v1::RunStatus::Value status = v1::RunStatus::UNSPECIFIED;
    v1::RunStatus::Value_Parse(a.status, &status);  // the option takes nothing else
    request.set_status(status);
  }
  request.set_workflow_type(a.type);
  request.set_filter(a.filter);
  request.set_order_by(a.order_by);
  request.set_page_size(a.page_size);
  v1::ListWorkflowsResponse all;
  do {
    auto page = session.connection().Call(&Stub::ListWorkflows, request);
    if (!page.ok()) return session.Fail(page.status());
    all.mutable_workflows()->MergeFrom(page->workflows());
    all.set_next_page_token(page->next_page_token());
    request.set_page_token(page->next_page_token());
  } while (a.all && !request.page_token().empty());
  Table table({"WORKFLOW", "TYPE", "STATUS", "STARTED", "TIME", "SAGA", "REASON"});
  for (const auto& info : all.workflows()) {
    table.Add({info.workflow_id(), info.workflow_type(), v1::RunStatus::Value_Name(info.status()),
               HumanTime(info.start_time()), Age(info),
               SagaStateText(info.saga_state(), info.status()), ErrorCell(info.status_reason())});
  }
  session.Print(all, table.Text());
  if (!session.json() && !all.next_page_token().empty()) {
    std::cout << "there are more: --all shows them\n";
  }
}

std::string AttributeText(const v1::SearchAttribute& attribute) {
  switch (attribute.value_case()) {
    case v1::SearchAttribute::kKeyword:
      return attribute.keyword();
    case v1::SearchAttribute::kInt:
      return absl::StrCat(attribute.int_());
    case v1::SearchAttribute::kDouble:
      return absl::StrCat(attribute.double_());
    case v1::SearchAttribute::kBool:
      return attribute.bool_() ? "true" : "false";
    case v1::SearchAttribute::kDatetime:
      return HumanTime(attribute.datetime());
    case v1::SearchAttribute::kKeywordList:
      return absl::StrCat("[", absl::StrJoin(attribute.keyword_list().values(), ", "), "]");
    case v1::SearchAttribute::VALUE_NOT_SET:
      return "";
  }
  return "";
}

std::string AttributesText(const v1::SearchAttributes& attributes) {
  std::map<std::string, std::string> sorted;
  for (const auto& [name, attribute] : attributes.fields()) sorted[name] = AttributeText(attribute);
  return absl::StrJoin(sorted, ", ", absl::PairFormatter("="));
}

void Show(Session& session, const std::string& id, const std::string& run_id) {
  v1::GetWorkflowRequest request;
  request.set_workflow_id(id);
  request.set_run_id(run_id);
  auto info = session.connection().Call(&Stub::GetWorkflow, request);
  if (!info.ok()) return session.Fail(info.status());
  std::string text =
      Pairs({{"workflow", info->workflow_id()},
             {"run", info->run_id()},
             {"type", info->workflow_type()},
             {"status", v1::RunStatus::Value_Name(info->status())},
             {"reason", info->status_reason()},
             {"saga", SagaStateText(info->saga_state(), info->status())},
             {"started", HumanTime(info->start_time())},
             {"begins", HumanTime(info->next_start_time())},
             {"cron", info->cron_schedule()},
             {"closed", HumanTime(info->close_time())},
             {"time", Age(*info)},
             {"events",
              absl::StrCat(info->history_length(),
                           info->continue_as_new_suggested() ? "; it should continue as new" : "")},
             {"parent", info->parent().workflow_id()},
             {"task queue", info->task_queue()},
             {"build", info->build_id()},
             {"patches", absl::StrJoin(info->patches(), ", ")},
             {"attributes", AttributesText(info->search_attributes())},
             {"request id", info->request_id()},
             {"correlation id", info->correlation_id()},
             {"trace id", info->trace_id()}});
  Table pending({"PENDING ACTIVITY", "ID", "STATE", "ATTEMPT", "NEXT", "LAST FAILURE"});
  for (const auto& activity : info->pending_activities()) {
    const std::string most =
        activity.maximum_attempts() > 0 ? absl::StrCat(" of ", activity.maximum_attempts()) : "";
    pending.Add({activity.activity_type(), activity.activity_id(), activity.state(),
                 absl::StrCat(activity.attempt(), most), HumanTime(activity.next_attempt_time()),
                 activity.has_last_failure()
                     ? ErrorCell(absl::StrCat(activity.last_failure().type(), ": ",
                                              activity.last_failure().message()))
                     : ""});
  }
  if (!pending.empty()) absl::StrAppend(&text, "\n", pending.Text());
  Table children({"PENDING CHILD", "TYPE", "STATE", "WHEN THE PARENT CLOSES", "RUN"});
  for (const auto& child : info->pending_children()) {
    children.Add({child.workflow_id(), child.workflow_type(),
                  child.run_id().empty() ? "STARTING" : "STARTED",
                  v1::ParentClosePolicy::Value_Name(child.parent_close_policy()), child.run_id()});
  }
  if (!children.empty()) absl::StrAppend(&text, "\n", children.Text());
  session.Print(*info, text);
}

struct EndArguments {
  std::string id;
  std::string reason;
};

void Cancel(Session& session, const EndArguments& a) {
  v1::CancelWorkflowRequest request;
  request.set_workflow_id(a.id);
  request.set_reason(a.reason);
  request.set_identity(Session::User());
  auto response = session.connection().Call(&Stub::CancelWorkflow, request);
  if (!response.ok()) return session.Fail(response.status());
  session.Print(*response, absl::StrCat(a.id, " is asked to end; it undoes first what it did\n"));
}

void Terminate(Session& session, const EndArguments& a) {
  v1::TerminateWorkflowRequest request;
  request.set_workflow_id(a.id);
  request.set_reason(a.reason);
  request.set_identity(Session::User());
  auto response = session.connection().Call(&Stub::TerminateWorkflow, request);
  if (!response.ok()) return session.Fail(response.status());
  const auto& left = response->steps_left_behind();
  session.Print(*response,
                absl::StrCat(a.id, " is terminated\n",
                             left.empty() ? ""
                                          : absl::StrCat("left behind, not undone: ",
                                                         absl::StrJoin(left, ", "), "\n")));
}

void AddEnd(CLI::App& app, Session& session, const std::string& name,
            const std::string& description, void (*run)(Session&, const EndArguments&)) {
  auto a = std::make_shared<EndArguments>();
  CLI::App* command = AddCommand(
      app, name, description,
      absl::StrCat("campaignctl ", name, " campaign-2c26b46b68ffc68f --reason \"budget cut\""),
      [&session, a, run] { run(session, *a); });
  command->add_option("WORKFLOW_ID", a->id, "The run's workflow id")->required();
  command->add_option("--reason", a->reason, "Why; kept in the history");
}

}  // namespace

void AddWorkflowCommands(CLI::App& app, Session& session) {
  auto l = std::make_shared<ListArguments>();
  CLI::App* list = AddViewCommand(app, session, "list", "Lists runs, newest first",
                                  "campaignctl list --status RUNNING --type campaign\n"
                                  "campaignctl list --filter 'status = STUCK AND Region = \"eu\"'",
                                  [&session, l] { List(session, *l); });
  list->add_option("--status", l->status, "Only runs that are so")
      ->check(CLI::IsMember(RunStatusNames(), CLI::ignore_case));
  list->add_option("--type", l->type, "Workflow type, such as campaign");
  list->add_option("--filter", l->filter,
                   "Which runs, such as: start_time > \"2026-11-01T00:00:00Z\" AND NOT "
                   "patches:\"fast\" (docs/operations/search.md)");
  list->add_option("--order-by", l->order_by,
                   "start_time or close_time, with \" desc\" behind it (default start_time desc)");
  list->add_option("--page-size", l->page_size, "How many at a time (default 50)");
  list->add_flag("--all", l->all, "All pages");

  auto id = std::make_shared<std::string>();
  auto run_id = std::make_shared<std::string>();
  CLI::App* show = AddViewCommand(app, session, "show", "Shows a run and its pending activities",
                                  "campaignctl show campaign-2c26b46b68ffc68f",
                                  [&session, id, run_id] { Show(session, *id, *run_id); });
  show->add_option("WORKFLOW_ID", *id, "The run's workflow id")->required();
  show->add_option("--run-id", *run_id, "A certain run (default: the latest)");

  AddEnd(app, session, "cancel", "Asks a run to end; it undoes what it did, then ends", Cancel);
  AddEnd(app, session, "terminate", "Ends a run at once and undoes nothing", Terminate);
}

}  // namespace cli
