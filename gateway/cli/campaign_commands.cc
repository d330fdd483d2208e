// start and progress.
#include <iostream>

#include "gateway/cli/command.h"
#include "gateway/cli/progress_text.h"
#include "gateway/cli/spec_file.h"
#include "gateway/cli/table.h"

namespace cli {

namespace {

namespace cv1 = campaign::v1;

struct StartArguments {
  std::string file;
  std::string request_id;
  bool watch = false;
  bool dry_run = false;
};

void Start(Session& session, const StartArguments& a) {
  absl::StatusOr<SpecFile> file = ReadSpecFile(a.file, gateway::Completeness::kComplete);
  if (!file.ok()) return session.Fail(file.status());
  if (!a.request_id.empty()) file->request.set_request_id(a.request_id);
  if (a.dry_run) file->request.mutable_campaign()->set_dry_run(true);
  auto started =
      session.connection().Call(&cv1::CampaignService::Stub::CreateCampaign, file->request);
  if (!started.ok()) return session.Fail(InFileTerms(*file, started.status()));
  session.Print(
      *started,
      Pairs({{"workflow", started->workflow_id()},
             {"run", started->run_id()},
             {"status", started->status()},
             {"note", started->already_started() ? "this request_id had started it before" : ""}}));
  std::cout.flush();
  if (a.watch) return Watch(session, started->workflow_id());
  if (!session.json()) {
    std::cout << "next      campaignctl watch " << started->workflow_id() << "\n";
  }
}

void Progress(Session& session, const std::string& id) {
  cv1::GetProgressRequest request;
  request.set_workflow_id(id);
  auto progress = session.connection().Call(&cv1::CampaignService::Stub::GetProgress, request);
  if (!progress.ok()) return session.Fail(progress.status());
  session.Print(*progress, ProgressBlock(*progress, absl::Now(), false, TerminalWidth()));
}

}  // namespace

void AddCampaignCommands(CLI::App& app, Session& session) {
  auto a = std::make_shared<StartArguments>();
  CLI::App* start = AddCommand(app, "start", "Starts a campaign from a YAML or JSON file",
                               "campaignctl start -f spring.yaml --request-id spring-1 --watch",
                               [&session, a] { Start(session, *a); });
  start->add_option("-f,--file", a->file, "The campaign's file; - for standard input")->required();
  start->add_option("--request-id", a->request_id,
                    "Repeating a start with the same id returns the same campaign");
  start->add_flag("--watch", a->watch, "Follow it until it ends");
  start->add_flag("--dry-run", a->dry_run, "List what would be sent, and send nothing");

  auto id = std::make_shared<std::string>();
  CLI::App* progress = AddViewCommand(app, session, "progress", "Shows how far a campaign is",
                                      "campaignctl progress campaign-2c26b46b68ffc68f",
                                      [&session, id] { Progress(session, *id); });
  progress->add_option("WORKFLOW_ID", *id, "The campaign's workflow id")->required();
}

}  // namespace cli
