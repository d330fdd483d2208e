// reset: goes back to an earlier point of a run, in a new run; lists the points.
#include <iostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/cli/command.h"
#include "gateway/cli/event_text.h"
#include "gateway/cli/human.h"
#include "gateway/cli/table.h"
#include "orchestrator/history/time.h"

namespace cli {

namespace {

namespace v1 = orchestrator::v1;
using Event = v1::HistoryEvent;

struct Arguments {
  std::string id;
  std::string run_id;
  int64_t event_id = 0;
  std::string to;
  std::string reason;
  std::string request_id;
  std::string children = "abandon";
  bool drop_signals = false;
  bool force = false;
  bool list = false;
};

// A place that a run can be reset to: the end of a workflow task.
struct Point {
  int64_t event_id = 0;
  absl::Time time;
  std::string next;             // what came after it
  std::set<std::string> steps;  // that began after it
};

bool ClosesRun(const Event& event) {
  return event.has_workflow_execution_completed() || event.has_workflow_execution_failed() ||
         event.has_workflow_execution_canceled() || event.has_workflow_execution_timed_out() ||
         event.has_workflow_execution_continued_as_new() ||
         event.has_workflow_execution_terminated();
}

std::vector<Point> PointsOf(const v1::GetWorkflowHistoryResponse& history) {
  std::vector<Point> points;
  for (const Event& event : history.events()) {
    if (event.has_saga_step_registered()) {
      // It is ordered by the newest task, so it comes after all points but that one.
      for (size_t i = 0; i + 1 < points.size(); ++i) {
        points[i].steps.insert(event.saga_step_registered().step());
      }
    }
    if (!points.empty() && points.back().next.empty() && !event.has_workflow_task_scheduled() &&
        !event.has_workflow_task_started() && !event.has_workflow_task_completed()) {
      points.back().next = absl::StrCat(EventName(event), " ", EventDetail(event));
    }
    // A task that ended the run is not one to go back to.
    if (ClosesRun(event) && !event.has_workflow_execution_terminated() && !points.empty()) {
      points.pop_back();
    }
    if (event.has_workflow_task_completed()) {
      points.push_back(
          {.event_id = event.event_id(), .time = history::FromProto(event.event_time())});
    }
  }
  return points;
}

void List(Session& session, const v1::GetWorkflowHistoryResponse& history) {
  Table table({"EVENT", "TIME", "THEN", "STEPS TAKEN AFTER IT"});
  for (const Point& point : PointsOf(history)) {
    table.Add({std::to_string(point.event_id),
               absl::FormatTime("%Y-%m-%d %H:%M:%S", point.time, absl::LocalTimeZone()), point.next,
               absl::StrJoin(point.steps, ", ")});
  }
  std::cout << table.Text();
  (void)session;
}

v1::ResetChildPolicy::Value Policy(const std::string& children) {
  if (children == "terminate") return v1::ResetChildPolicy::TERMINATE;
  if (children == "cancel") return v1::ResetChildPolicy::REQUEST_CANCEL;
  return v1::ResetChildPolicy::ABANDON;
}

std::string Said(const v1::ResetWorkflowResponse& response) {
  std::string text = absl::StrCat(response.workflow_id(), " goes on after event ",
                                  response.reset_event_id(), " as run ", response.run_id(),
                                  "; signals sent again: ", response.signals_reapplied(), "\n");
  if (response.steps_left_behind_size() > 0) {
    absl::StrAppend(&text, "left behind, see to them by hand: ",
                    absl::StrJoin(response.steps_left_behind(), ", "), "\n");
  }
  if (response.steps_undone_size() > 0) {
    absl::StrAppend(&text, "undone since, though the new run takes them for done: ",
                    absl::StrJoin(response.steps_undone(), ", "), "\n");
  }
  return text;
}

void Reset(Session& session, const Arguments& a) {
  v1::ResetWorkflowRequest request;
  request.set_workflow_id(a.id);
  request.set_run_id(a.run_id);
  request.set_event_id(a.event_id);
  if (a.list || !a.to.empty()) {
    const auto history = FetchHistory(session, a.id, a.run_id, 0);
    if (!history.ok()) return session.Fail(history.status());
    if (a.list) return List(session, *history);
    const std::vector<Point> points = PointsOf(*history);
    if (points.empty()) {
      return session.Fail(
          absl::FailedPreconditionError("the run has no workflow task to go back to"));
    }
    request.set_run_id(history->run_id());
    request.set_event_id(a.to == "first-workflow-task" ? points.front().event_id
                                                       : points.back().event_id);
  }
  request.set_reason(a.reason);
  request.set_identity(Session::User());
  request.set_request_id(a.request_id);
  request.set_children(Policy(a.children));
  request.set_drop_signals(a.drop_signals);
  request.set_force(a.force);
  auto response = session.connection().Call(&v1::WorkflowService::Stub::ResetWorkflow, request);
  if (!response.ok()) return session.Fail(response.status());
  session.Print(*response, Said(*response));
}

}  // namespace

void AddResetCommand(CLI::App& app, Session& session) {
  auto a = std::make_shared<Arguments>();
  CLI::App* reset = AddCommand(
      app, "reset", "Goes back to an earlier point of a run, in a new run; an open run is ended",
      "campaignctl reset order-17 --list\n"
      "  campaignctl reset order-17 --event 14 --reason \"the price was wrong\"\n"
      "  campaignctl reset order-17 --to last-workflow-task",
      [&session, a] { Reset(session, *a); });
  reset->add_option("WORKFLOW_ID", a->id, "The run's workflow id")->required();
  reset->add_option("--run-id", a->run_id, "A certain run (default: the latest)");
  auto* where = reset->add_option_group("where", "Where to");
  where->add_flag("--list", a->list, "Only list the points that the run can be reset to");
  where->add_option("--event", a->event_id, "The last event to keep")->check(CLI::PositiveNumber);
  where->add_option("--to", a->to, "A point by its name")
      ->check(CLI::IsMember({"first-workflow-task", "last-workflow-task"}));
  where->require_option(1);
  reset->add_option("--reason", a->reason, "Why; kept in both histories");
  reset->add_option("--request-id", a->request_id, "Makes the request safe to repeat");
  reset->add_option("--children", a->children, "What becomes of children begun after the point")
      ->check(CLI::IsMember({"abandon", "terminate", "cancel"}));
  reset->add_flag("--drop-signals", a->drop_signals,
                  "Do not send the signals again that came after the point");
  reset->add_flag("--force", a->force,
                  "Also when saga steps are left behind, or were undone since");
}

}  // namespace cli
