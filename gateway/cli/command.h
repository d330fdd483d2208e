// What every command gets: the global options, the connection, and ways to answer. One object a
// run of the program; single-threaded. Heavy header (CLI11, grpc): *_command*.cc and app.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "gateway/cli/connection.h"
#include "gateway/cli/contexts.h"
#include "gateway/cli/errors.h"

namespace cli {

class Session {
 public:
  // What the command line and the environment say; empty: the context's, else the default.
  std::string address;
  std::string context;
  std::string ns;
  std::string token_file;
  bool tls = false;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  std::string output = "table";
  std::string color = "auto";
  std::string timeout_text;  // empty: the default
  std::string command;       // the program's own that runs: "list", "schedule"
  int exit_code = kOk;

  bool json() const { return output == "json"; }
  absl::Duration timeout() const;
  bool timeout_given() const { return !timeout_text.empty(); }
  // Opened on first use. Throws CLI::ParseError when the context or a file of it is wrong.
  Connection& connection();
  // Those of this user; throws like `connection`.
  Contexts& contexts();
  // The command line, completed from the context; throws like `connection`.
  ConnectionOptions Options();
  // The message as JSON (--output json), else `table`.
  void Print(const google::protobuf::Message& message, const std::string& table) const;
  // Prints the error and sets the exit code.
  void Fail(const absl::Status& status);
  // Who decides, cancels, ...: the user's name.
  static std::string User();

 private:
  std::unique_ptr<Contexts> contexts_;
  std::unique_ptr<Connection> connection_;
};

// Adds a command whose `run` is called when it is on the command line.
CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example, std::function<void()> run);

// The same for a command that shows something: with --watch it does so again and again.
CLI::App* AddViewCommand(CLI::App& parent, Session& session, const std::string& name,
                         const std::string& description, const std::string& example,
                         std::function<void()> show);

void AddCampaignCommands(CLI::App& app, Session& session);  // start, progress
void AddDecisionCommands(CLI::App& app, Session& session);  // approve, reject, update-content
void AddWatchCommand(CLI::App& app, Session& session);
void AddResultCommand(CLI::App& app, Session& session);
void AddWizardCommands(CLI::App& app, Session& session);
void AddWorkflowCommands(CLI::App& app, Session& session);  // list, show, cancel, terminate
void AddHistoryCommand(CLI::App& app, Session& session);
void AddHistoryExportCommand(CLI::App& history, Session& session);
void AddReplayCommand(CLI::App& app, Session& session);
void AddArchiveCommands(CLI::App& app, Session& session);  // list, export
void AddSearchCommands(CLI::App& app, Session& session);   // count, versions, delete
void AddSagaCommands(CLI::App& app, Session& session);
void AddScheduleCommands(CLI::App& app, Session& session);
void AddBatchCommands(CLI::App& app, Session& session);
void AddRunCommand(CLI::App& app, Session& session);       // start-workflow
void AddControlCommands(CLI::App& app, Session& session);  // pause, resume, retry-now
void AddResetCommand(CLI::App& app, Session& session);
void AddBreakerCommands(CLI::App& app, Session& session);
void AddAuditCommands(CLI::App& app, Session& session);  // list, export, verify
void AddKillSwitchCommands(CLI::App& app, Session& session);
void AddAccessCommands(CLI::App& app, Session& session);   // keys, users, whoami
void AddContextCommands(CLI::App& app, Session& session);  // context, login, logout
void AddCompletionCommand(CLI::App& app, Session& session);
void AddManualCommand(CLI::App& app, Session& session);

// All events of a run after `after_event_id`, page after page; an empty run id means the latest
// run.
absl::StatusOr<orchestrator::v1::GetWorkflowHistoryResponse> FetchHistory(
    Session& session, const std::string& workflow_id, const std::string& run_id,
    int64_t after_event_id);
// Follows a campaign until it ends and sets the exit code by its outcome.
void Watch(Session& session, const std::string& workflow_id);
// Prints a closed run's result or failure and sets the exit code by it.
void PrintResult(Session& session, const orchestrator::v1::GetWorkflowResultResponse& result);

}  // namespace cli
