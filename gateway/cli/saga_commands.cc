// saga show|retry|skip|resolve.
#include <iostream>

#include "absl/strings/str_cat.h"
#include "gateway/cli/command.h"
#include "gateway/cli/saga_text.h"

namespace cli {

namespace {

namespace v1 = orchestrator::v1;
using Stub = v1::WorkflowService::Stub;

// How its run is doing; UNSPECIFIED when that cannot be had.
v1::RunStatus::Value StatusOf(Session& session, const v1::SagaInfo& saga) {
  v1::GetWorkflowRequest request;
  request.set_workflow_id(saga.workflow_id());
  request.set_run_id(saga.run_id());
  const auto info = session.connection().Call(&Stub::GetWorkflow, request);
  return info.ok() ? info->status() : v1::RunStatus::UNSPECIFIED;
}

void Show(Session& session, const std::string& id) {
  v1::GetSagaRequest request;
  request.set_workflow_id(id);
  auto saga = session.connection().Call(&Stub::GetSaga, request);
  if (!saga.ok()) return session.Fail(saga.status());
  session.Print(*saga, SagaText(*saga, StatusOf(session, *saga)));
}

struct VerbArguments {
  std::string id;
  std::string step;
  std::string reason;
};
using VerbMethod = grpc::Status (Stub::*)(grpc::ClientContext*, const v1::CompensationVerbRequest&,
                                          v1::CompensationVerbResponse*);

void AddVerb(CLI::App& saga, Session& session, const std::string& name,
             const std::string& description, const std::string& reason_example,
             bool reason_required, VerbMethod method) {
  auto a = std::make_shared<VerbArguments>();
  CLI::App* verb = AddCommand(
      saga, name, description,
      absl::StrCat("campaignctl saga ", name,
                   " campaign-2c26b46b68ffc68f distribute_campaign_activity --reason \"",
                   reason_example, "\""),
      [&session, a, method] {
        v1::CompensationVerbRequest request;
        request.set_workflow_id(a->id);
        request.set_step(a->step);
        request.set_reason(a->reason);
        request.set_identity(Session::User());
        auto response = session.connection().Call(method, request);
        if (!response.ok()) return session.Fail(response.status());
        session.Print(
            *response,
            absl::StrCat(response->step(), ": ",
                         v1::CompensationState::Value_Name(response->compensation()), "\n"));
      });
  verb->add_option("WORKFLOW_ID", a->id, "The run's workflow id")->required();
  verb->add_option("STEP", a->step, "The step's name, as `saga show` has it")->required();
  auto* reason = verb->add_option("--reason", a->reason, "Why; kept in the history");
  if (reason_required) reason->required();
}

}  // namespace

void AddSagaCommands(CLI::App& app, Session& session) {
  CLI::App* saga = AddCommand(app, "saga", "Steps of a run's saga and their compensations",
                              "campaignctl saga campaign-2c26b46b68ffc68f", nullptr);
  // `saga ID` is short for `saga show ID`.
  auto id = std::make_shared<std::string>();
  saga->require_subcommand(0, 1);
  saga->add_option("WORKFLOW_ID", *id, "The run's workflow id: the same as `saga show`");
  saga->callback([&session, saga, id] {
    if (!saga->get_subcommands().empty()) return;
    if (id->empty()) throw CLI::RequiredError("WORKFLOW_ID");
    Show(session, *id);
  });
  CLI::App* show = AddViewCommand(
      *saga, session, "show", "Shows the steps, what became of them and their undo",
      "campaignctl saga show campaign-2c26b46b68ffc68f", [&session, id] { Show(session, *id); });
  show->add_option("WORKFLOW_ID", *id, "The run's workflow id")->required();
  AddVerb(*saga, session, "retry", "Tries a blocked compensation again", "token was renewed", false,
          &Stub::RetryCompensation);
  AddVerb(*saga, session, "skip", "Gives a blocked compensation up", "the posts may stay", true,
          &Stub::SkipCompensation);
  AddVerb(*saga, session, "resolve", "Records that a person undid a blocked step by hand",
          "posts deleted by hand", true, &Stub::ResolveCompensation);
}

}  // namespace cli
