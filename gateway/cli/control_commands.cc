// pause, resume and retry-now.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/cli/command.h"

namespace cli {

namespace {

namespace v1 = orchestrator::v1;
using Stub = v1::WorkflowService::Stub;

struct ControlArguments {
  std::string id;
  std::string run_id;
  std::string reason;
  std::string request_id;
  std::vector<std::string> activity_ids;
};

template <typename Request>
Request RequestOf(const ControlArguments& a) {
  Request request;
  request.set_workflow_id(a.id);
  request.set_run_id(a.run_id);
  request.set_identity(Session::User());
  return request;
}

void Pause(Session& session, const ControlArguments& a) {
  auto request = RequestOf<v1::PauseWorkflowRequest>(a);
  request.set_reason(a.reason);
  request.set_request_id(a.request_id);
  auto response = session.connection().Call(&Stub::PauseWorkflow, request);
  if (!response.ok()) return session.Fail(response.status());
  session.Print(*response, absl::StrCat(a.id, response->already_paused() ? " was paused before\n"
                                                                         : " is paused\n"));
}

void Resume(Session& session, const ControlArguments& a) {
  auto request = RequestOf<v1::ResumeWorkflowRequest>(a);
  request.set_reason(a.reason);
  request.set_request_id(a.request_id);
  auto response = session.connection().Call(&Stub::ResumeWorkflow, request);
  if (!response.ok()) return session.Fail(response.status());
  session.Print(*response,
                absl::StrCat(a.id, response->was_running() ? " was not paused\n" : " goes on\n"));
}

void RetryNow(Session& session, const ControlArguments& a) {
  auto request = RequestOf<v1::RetryWorkflowNowRequest>(a);
  request.mutable_activity_ids()->Add(a.activity_ids.begin(), a.activity_ids.end());
  auto response = session.connection().Call(&Stub::RetryWorkflowNow, request);
  if (!response.ok()) return session.Fail(response.status());
  const auto& ids = response->activity_ids();
  session.Print(*response,
                absl::StrCat(a.id, " is ", v1::RunStatus::Value_Name(response->status()), "; ",
                             ids.empty() ? "no activity was waiting for its next attempt"
                                         : "tried now: activity " + absl::StrJoin(ids, ", "),
                             "\n"));
}

CLI::App* AddControl(CLI::App& app, Session& session, std::shared_ptr<ControlArguments> a,
                     const std::string& name, const std::string& description,
                     const std::string& example, void (*run)(Session&, const ControlArguments&)) {
  CLI::App* command =
      AddCommand(app, name, description, absl::StrCat("campaignctl ", name, " ", example),
                 [&session, a, run] { run(session, *a); });
  command->add_option("WORKFLOW_ID", a->id, "The run's workflow id")->required();
  command->add_option("--run-id", a->run_id, "A certain run (default: the latest)");
  return command;
}

}  // namespace

void AddControlCommands(CLI::App& app, Session& session) {
  auto p = std::make_shared<ControlArguments>();
  CLI::App* pause = AddControl(
      app, session, p, "pause", "Holds a run: its code does not run and no activity is sent out",
      "campaign-2c26b46b68ffc68f --reason \"vendor has an incident\"", Pause);
  pause->add_option("--reason", p->reason, "Why; shown with the status and kept in the history");
  pause->add_option("--request-id", p->request_id, "Makes the request safe to repeat");

  auto r = std::make_shared<ControlArguments>();
  CLI::App* resume =
      AddControl(app, session, r, "resume", "Lets a paused run go on where it was",
                 "campaign-2c26b46b68ffc68f --reason \"the incident is over\"", Resume);
  resume->add_option("--reason", r->reason, "Why; kept in the history");
  resume->add_option("--request-id", r->request_id, "Makes the request safe to repeat");

  auto n = std::make_shared<ControlArguments>();
  CLI::App* retry =
      AddControl(app, session, n, "retry-now",
                 "Tries at once what waits for its next attempt, and the code of a stuck run",
                 "campaign-2c26b46b68ffc68f --activity 3", RetryNow);
  retry->add_option("--activity", n->activity_ids,
                    "An activity's id, as `show --output json` has it; may be given again "
                    "(default: all that wait)");
}

}  // namespace cli
