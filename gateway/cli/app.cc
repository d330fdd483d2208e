#include "gateway/cli/app.h"

#include <cstdlib>
#include <iostream>

#include "absl/time/time.h"
#include "gateway/cli/command.h"
#include "gateway/cli/table.h"
#include "gateway/cli/usage_error.h"
#include "gateway/json/json_writer.h"

namespace cli {

namespace {

std::string CheckDuration(const std::string& text) {
  absl::Duration duration;
  if (absl::ParseDuration(text, &duration) && duration > absl::ZeroDuration()) return "";
  return "must be a duration such as 30s or 5m";
}

}  // namespace

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
  app.set_version_flag("--version", "campaignctl " CAMPAIGND_VERSION);
  app.add_option("--address", session.address,
                 "Address of campaignd's gRPC (default: the context's, else 127.0.0.1:7233)")
      ->envname("CAMPAIGNCTL_ADDRESS");
  app.add_option("--context", session.context,
                 "The server to talk to, one of `context list` (default: the one in use)")
      ->envname("CAMPAIGNCTL_CONTEXT");
  app.add_option("--namespace", session.ns,
                 "The namespace to work in (default: the context's, else the credential's)");
  app.add_option("--token-file", session.token_file,
                 "File with an API key or a JWT, - for standard input (default: what "
                 "CAMPAIGNCTL_TOKEN holds, else the context's)");
  app.add_flag("--tls", session.tls, "Talk TLS; so do --tls-ca and --tls-cert");
  app.add_option("--tls-ca", session.tls_ca,
                 "PEM file of those who sign servers' certificates (default: the system's)");
  app.add_option("--tls-cert", session.tls_certificate,
                 "PEM file of our own certificate, for servers that want one");
  app.add_option("--tls-key", session.tls_key, "PEM file of its key");
  app.add_option("--output", session.output, "How to print: table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.add_option("--color", session.color, "Colours: auto (on a terminal), always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
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
  AddArchiveCommands(app, session);
  AddSearchCommands(app, session);
  AddSagaCommands(app, session);
  AddScheduleCommands(app, session);
  AddBatchCommands(app, session);
  AddRunCommand(app, session);
  AddControlCommands(app, session);
  AddResetCommand(app, session);
  AddBreakerCommands(app, session);
  AddKillSwitchCommands(app, session);
  AddAuditCommands(app, session);
  AddAccessCommands(app, session);
  AddContextCommands(app, session);
  AddCompletionCommand(app, session);
  AddManualCommand(app, session);
  app.parse_complete_callback([&session, &app] {
    SetColors(session.color);
    session.command = app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name();
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::cerr << "error: " << UsageProblem(app, error)
              << "\nnext: `campaignctl --help` and `campaignctl "
              << "COMMAND --help` show the commands and their options\n";
    return kUsage;
  }
  std::cout.flush();
  return session.exit_code;
}

}  // namespace cli
