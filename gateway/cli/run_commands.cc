// start-workflow: starts a run of any type, also together with its first signal or update.
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/cli/command.h"
#include "gateway/cli/options.h"
#include "gateway/cli/table.h"
#include "gateway/cli/text_file.h"
#include "gateway/json/json_reader.h"
#include "gateway/json/json_writer.h"
#include "orchestrator/history/time.h"

namespace cli {

namespace {

namespace v1 = orchestrator::v1;
using Stub = v1::WorkflowService::Stub;

struct RunArguments {
  std::string type;
  std::string id;
  std::string input;
  std::string request_id;
  std::string task_queue;
  std::string reuse;
  std::string conflict;
  std::string delay;
  std::string cron;
  std::string execution_timeout;
  std::string run_timeout;
  std::string reserve;
  std::string correlation_id;
  std::string search_attributes;
  std::string memo;
  std::string signal;
  std::string signal_input;
  std::string update;
  std::string update_input;
};

// "@file" stands for what the file holds.
absl::StatusOr<std::string> TextOf(const std::string& text) {
  if (text.empty() || text[0] != '@') return text;
  return ReadFile(text.substr(1));
}

// JSON into a part of the request; an empty text leaves it unset.
absl::Status Read(const std::string& option, const std::string& text,
                  google::protobuf::Message* message) {
  absl::StatusOr<std::string> json = TextOf(text);
  if (!json.ok()) return json.status();
  if (json->empty()) return absl::OkStatus();
  gateway::FieldViolations violations;
  absl::Status status = gateway::ReadJson(*json, message, &violations, option);
  return status.ok() ? violations.ToStatus() : status;
}

absl::Status ReadInput(const std::string& option, const std::string& text, v1::Payload* payload) {
  return text.empty() ? absl::OkStatus() : ReadPayload(option, text, payload);
}

absl::Status ReadDuration(const std::string& option, const std::string& text,
                          google::protobuf::Duration* (v1::StartWorkflowRequest::*field)(),
                          v1::StartWorkflowRequest* request) {
  if (text.empty()) return absl::OkStatus();
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, " ", text, " is no duration such as 30s, 5m or 24h"));
  }
  *(request->*field)() = history::ToProto(duration);
  return absl::OkStatus();
}

std::string EnumName(const std::string& text) {
  return absl::AsciiStrToUpper(absl::StrReplaceAll(text, {{"-", "_"}}));
}

absl::StatusOr<v1::StartWorkflowRequest> StartOf(const RunArguments& a) {
  using Request = v1::StartWorkflowRequest;
  Request start;
  start.set_workflow_type(a.type);
  start.set_workflow_id(a.id);
  start.set_request_id(a.request_id);
  start.set_task_queue(a.task_queue);
  start.set_cron_schedule(a.cron);
  start.set_correlation_id(a.correlation_id);
  start.set_identity(Session::User());
  v1::WorkflowIdReusePolicy::Value reuse = v1::WorkflowIdReusePolicy::UNSPECIFIED;
  if (!a.reuse.empty() && !v1::WorkflowIdReusePolicy::Value_Parse(EnumName(a.reuse), &reuse)) {
    return absl::InvalidArgumentError(absl::StrCat("--reuse ", a.reuse, " is no reuse policy"));
  }
  start.set_workflow_id_reuse_policy(reuse);
  v1::WorkflowIdConflictPolicy::Value conflict = v1::WorkflowIdConflictPolicy::UNSPECIFIED;
  if (!a.conflict.empty() &&
      !v1::WorkflowIdConflictPolicy::Value_Parse(EnumName(a.conflict), &conflict)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--conflict ", a.conflict, " is no conflict policy"));
  }
  start.set_workflow_id_conflict_policy(conflict);
  for (const absl::Status& status :
       {ReadInput("--input", a.input, start.mutable_input()),
        ReadDuration("--delay", a.delay, &Request::mutable_start_delay, &start),
        ReadDuration("--execution-timeout", a.execution_timeout,
                     &Request::mutable_execution_timeout, &start),
        ReadDuration("--run-timeout", a.run_timeout, &Request::mutable_run_timeout, &start),
        ReadDuration("--compensation-reserve", a.reserve, &Request::mutable_compensation_reserve,
                     &start),
        Read("--search-attributes", a.search_attributes, start.mutable_search_attributes()),
        Read("--memo", a.memo, start.mutable_memo())}) {
    if (!status.ok()) return status;
  }
  return start;
}

void Start(Session& session, const v1::StartWorkflowRequest& start) {
  auto response = session.connection().Call(&Stub::StartWorkflow, start);
  if (!response.ok()) return session.Fail(response.status());
  session.Print(*response,
                Pairs({{"workflow", response->workflow_id()},
                       {"run", response->run_id()},
                       {"status", v1::RunStatus::Value_Name(response->status())},
                       {"note", response->already_started() ? "it was there before" : ""}}));
}

void SignalWithStart(Session& session, const RunArguments& a, v1::StartWorkflowRequest start) {
  v1::SignalWithStartWorkflowRequest request;
  *request.mutable_start() = std::move(start);
  request.set_signal_name(a.signal);
  absl::Status read = ReadInput("--signal-input", a.signal_input, request.mutable_signal_input());
  if (!read.ok()) return session.Fail(read);
  auto response = session.connection().Call(&Stub::SignalWithStartWorkflow, request);
  if (!response.ok()) return session.Fail(response.status());
  session.Print(*response,
                Pairs({{"workflow", response->workflow_id()},
                       {"run", response->run_id()},
                       {"note", response->started() ? "started, with the signal"
                                                    : "it was open; it got the signal"}}));
}

void UpdateWithStart(Session& session, const RunArguments& a, v1::StartWorkflowRequest start) {
  v1::UpdateWithStartWorkflowRequest request;
  *request.mutable_start() = std::move(start);
  request.set_update_name(a.update);
  absl::Status read = ReadInput("--update-input", a.update_input, request.mutable_update_input());
  if (!read.ok()) return session.Fail(read);
  auto response = session.connection().Call(&Stub::UpdateWithStartWorkflow, request);
  if (!response.ok()) return session.Fail(response.status());
  const v1::UpdateWorkflowResponse& update = response->update();
  const v1::Failure& failure = update.has_rejected() ? update.rejected() : update.failure();
  const std::string answer =
      update.has_result()
          ? gateway::ToJson(update.result(), {})
          : absl::StrCat(update.has_rejected() ? "rejected: " : "failed: ", failure.type(), ": ",
                         failure.message());
  session.Print(*response, Pairs({{"workflow", a.id},
                                  {"run", update.run_id()},
                                  {"note", response->started() ? "started" : "it was open"},
                                  {"answer", answer}}));
  if (!update.has_result()) session.exit_code = kEndedBadly;
}

void Run(Session& session, const RunArguments& a) {
  if (!a.signal.empty() && !a.update.empty()) {
    return session.Fail(absl::InvalidArgumentError("--signal and --update exclude each other"));
  }
  absl::StatusOr<v1::StartWorkflowRequest> start = StartOf(a);
  if (!start.ok()) return session.Fail(start.status());
  if (!a.signal.empty()) return SignalWithStart(session, a, *std::move(start));
  if (!a.update.empty()) return UpdateWithStart(session, a, *std::move(start));
  Start(session, *start);
}

}  // namespace

void AddRunCommand(CLI::App& app, Session& session) {
  auto a = std::make_shared<RunArguments>();
  CLI::App* run = AddCommand(
      app, "start-workflow", "Starts a run of any workflow type",
      "campaignctl start-workflow report report-daily --cron \"CRON_TZ=Europe/Berlin 0 6 * * *\"",
      [&session, a] { Run(session, *a); });
  run->add_option("TYPE", a->type, "Workflow type")->required();
  run->add_option("WORKFLOW_ID", a->id, "Its id; one open run at a time")->required();
  run->add_option("--input", a->input, "JSON, or @FILE");
  run->add_option("--request-id", a->request_id, "Makes the request safe to repeat");
  run->add_option("--task-queue", a->task_queue, "Task queue (default \"default\")");
  run->add_option("--reuse", a->reuse,
                  "When the id's newest run is closed: allow-duplicate (default), "
                  "allow-duplicate-failed-only, reject-duplicate");
  run->add_option("--conflict", a->conflict,
                  "When the id has an open run: fail (default), use-existing, terminate-existing");
  run->add_option("--delay", a->delay, "Begin this much later, such as 90s or 24h");
  run->add_option("--cron", a->cron, "Run at these times: five cron fields");
  run->add_option("--execution-timeout", a->execution_timeout, "Of the whole chain of runs");
  run->add_option("--run-timeout", a->run_timeout, "Of one run");
  run->add_option("--compensation-reserve", a->reserve,
                  "Ask it to end this much before its time is over");
  run->add_option("--correlation-id", a->correlation_id, "Shown in lists, logs and traces");
  run->add_option("--search-attributes", a->search_attributes,
                  "JSON, such as {\"fields\":{\"Region\":{\"keyword\":\"eu\"}}}");
  run->add_option("--memo", a->memo, "JSON, such as {\"fields\":{\"note\":{\"value\":\"x\"}}}");
  run->add_option("--signal", a->signal,
                  "Send this signal: to the open run, else to the one that is started");
  run->add_option("--signal-input", a->signal_input, "JSON, or @FILE");
  run->add_option("--update", a->update, "The same with an update; prints its answer");
  run->add_option("--update-input", a->update_input, "JSON, or @FILE");
}

}  // namespace cli
