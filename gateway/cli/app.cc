#include "gateway/cli/app.h"

#include <cstdlib>
#include <iostream>

#include "absl/time/time.h"
#include "gateway/cli/command.h"
#include "gateway/json/json_writer.h"

namespace cli {

namespace {

constexpr absl::Duration kTimeoutDefault = absl::Seconds(30);

std::string CheckDuration(const std::string& text) {
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration) && duration > absl::ZeroDuration()) return "";
  return "must be a duration such as 30s or 5m";
}

}  // namespace

absl::Duration Session::timeout() const {
  absl::Duration duration = kTimeoutDefault;
  if (timeout_given()) absl::ParseDuration(timeout_text, &duration);
  return duration;
}

Connection& Session::connection() {
  if (connection_ == nullptr) connection_ = std::make_unique<Connection>(address, timeout());
  return *connection_;
}

void Session::Print(const google::protobuf::Message& message, const std::string& table) const {
  if (json()) {
    std::cout << gateway::ToJson(message, {.pretty = true}) << "\n";
  } else {
    std::cout << table;
  }
}

void Session::Fail(const absl::Status& status) {
  std::cout.flush();
  std::cerr << ErrorText(status, address);
  exit_code = ExitCodeOf(status);
}

std::string Session::User() {
  const char* user = std::getenv("USER");
  return user == nullptr || *user == '\0' ? "cli" : user;
}

CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example, std::function<void()> run) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer("Example:\n  " + example + "\n");
  if (run) {
    command->callback(std::move(run));
  } else {
    command->require_subcommand(1);
  }
  return command;
}

int Main(int argc, char** argv) {
  setenv("GRPC_VERBOSITY", "NONE", 0);  // its log lines are no use to users
  Session session;
  CLI::App app("Runs and follows campaigns on a campaignd.", "campaignctl");
  app.fallthrough();  // global options may stand behind the command
  app.require_subcommand(1);
  app.add_option("--address", session.address, "Address of campaignd's gRPC")
      ->envname("CAMPAIGNCTL_ADDRESS")
      ->capture_default_str();
  app.add_option("--output", session.output, "How to print: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.add_option("--timeout", session.timeout_text,
                 "Longest wait for an answer, such as 30s or 5m (default 30s; watch and "
                 "result --wait: no limit)")
      ->check(CheckDuration);
  app.footer(std::string(kExitCodesHelp) +
             "\nExample:\n  campaignctl start -f spring.yaml --watch\n");
  AddCampaignCommands(app, session);
  AddWizardCommands(app, session);
  AddWorkflowCommands(app, session);
  AddWatchCommand(app, session);
  AddResultCommand(app, session);
  AddDecisionCommands(app, session);
  AddHistoryCommand(app, session);
  AddReplayCommand(app, session);
  AddSearchCommands(app, session);
  AddSagaCommands(app, session);
  AddScheduleCommands(app, session);
  AddBatchCommands(app, session);
  AddRunCommand(app, session);
  AddControlCommands(app, session);
  AddResetCommand(app, session);
  AddBreakerCommands(app, session);
  AddKillSwitchCommands(app, session);
  AddCompletionCommand(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> unknown = app.remaining();
    if (app.get_subcommands().empty() && !unknown.empty()) {
      std::cerr << "error: there is no command or option " << unknown[0];
    } else {
      std::cerr << "error: " << error.what();
    }
    std::cerr << "\nnext: `campaignctl --help` and `campaignctl "
              << "COMMAND --help` show the commands and their options\n";
    return kUsage;
  }
  std::cout.flush();
  return session.exit_code;
}

}  // namespace cli
