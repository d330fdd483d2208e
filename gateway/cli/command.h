// What every command gets: the global options, the connection, and ways to answer. One object a
// run of the program; single-threaded. Heavy header (CLI11, grpc): *_command*.cc and app.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "gateway/cli/connection.h"
#include "gateway/cli/errors.h"

namespace cli {

class Session {
 public:
  std::string address = "127.0.0.1:7233";
  std::string output = "table";
  std::string timeout_text;  // empty: the default
  int exit_code = kOk;

  bool json() const { return output == "json"; }
  absl::Duration timeout() const;
  bool timeout_given() const { return !timeout_text.empty(); }
  // Connected on first use.
  Connection& connection();
  // The message as JSON (--output json), else `table`.
  void Print(const google::protobuf::Message& message, const std::string& table) const;
  // Prints the error and sets the exit code.
  void Fail(const absl::Status& status);
  // Who decides, cancels, ...: the user's name.
  static std::string User();

 private:
  std::unique_ptr<Connection> connection_;
};

// Adds a command whose `run` is called when it is on the command line.
CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example, std::function<void()> run);

void AddCampaignCommands(CLI::App& app, Session& session);  // start, progress
void AddDecisionCommands(CLI::App& app, Session& session);  // approve, reject, update-content
void AddWatchCommand(CLI::App& app, Session& session);
void AddResultCommand(CLI::App& app, Session& session);
void AddWizardCommands(CLI::App& app, Session& session);
void AddWorkflowCommands(CLI::App& app, Session& session);  // list, show, cancel, terminate
void AddHistoryCommand(CLI::App& app, Session& session);
void AddHistoryExportCommand(CLI::App& history, Session& session);
void AddReplayCommand(CLI::App& app, Session& session);
void AddSearchCommands(CLI::App& app, Session& session);  // count, versions, delete
void AddSagaCommands(CLI::App& app, Session& session);
void AddScheduleCommands(CLI::App& app, Session& session);
void AddBatchCommands(CLI::App& app, Session& session);
void AddRunCommand(CLI::App& app, Session& session);       // start-workflow
void AddControlCommands(CLI::App& app, Session& session);  // pause, resume, retry-now
void AddResetCommand(CLI::App& app, Session& session);
void AddBreakerCommands(CLI::App& app, Session& session);
void AddKillSwitchCommands(CLI::App& app, Session& session);
void AddCompletionCommand(CLI::App& app, Session& session);

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
