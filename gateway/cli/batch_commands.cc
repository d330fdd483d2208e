// batch: start, show, list and stop; one verb for every run that a filter finds.
#include <iostream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/options.h"
#include "gateway/cli/table.h"
#include "gateway/json/json_writer.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/time.h"

namespace cli {

namespace {

namespace v1 = orchestrator::v1;
using Stub = v1::BatchService::Stub;

constexpr absl::Duration kLookEvery = absl::Seconds(1);
constexpr char kVerbs[] = "cancel, terminate, signal, pause, resume, retry-now, reset or delete";

struct BatchArguments {
  std::string verb;
  std::string filter;
  std::string reason;
  std::string id;
  std::string request_id;
  std::string signal;
  std::string input;
  std::string reset_to;
  int rate = 0;
  bool dry_run = false;
  bool watch = false;
};

std::string Percent(const v1::BatchProgress& progress) {
  if (progress.total() == 0) return "";
  const int64_t dealt = progress.done() + progress.already() + progress.failed();
  return absl::StrCat(std::min<int64_t>(100, 100 * dealt / progress.total()), "%");
}

std::string ProgressLine(const v1::BatchInfo& info) {
  const v1::BatchProgress& p = info.progress();
  return absl::StrCat(info.batch_id(), "  ", v1::RunStatus::Value_Name(info.status()), "  ",
                      Percent(p), "  done ", p.done(), ", nothing to do ", p.already(), ", failed ",
                      p.failed(), " of ", p.total());
}

std::string InfoText(const v1::BatchInfo& info) {
  const v1::BatchProgress& p = info.progress();
  std::string text = Pairs({{"batch", info.batch_id()},
                            {"verb", v1::BatchVerb::Value_Name(info.batch().verb())},
                            {"filter", info.batch().filter()},
                            {"status", info.dry_run() ? "dry run: nothing was changed"
                                                      : v1::RunStatus::Value_Name(info.status())},
                            {"status reason", info.status_reason()},
                            {"reason", info.batch().reason()},
                            {"by", info.identity()},
                            {"started", HumanTime(info.start_time())},
                            {"closed", HumanTime(info.close_time())},
                            {"runs", absl::StrCat(p.total())},
                            {"done", info.dry_run() ? "" : absl::StrCat(p.done())},
                            {"nothing to do", p.already() == 0 ? "" : absl::StrCat(p.already())},
                            {"failed", p.failed() == 0 ? "" : absl::StrCat(p.failed())}});
  Table samples({"WORKFLOW", "TYPE", "STATUS", "STARTED"});
  for (const v1::BatchSample& s : info.samples()) {
    samples.Add({s.workflow_id(), s.workflow_type(), v1::RunStatus::Value_Name(s.status()),
                 HumanTime(s.start_time())});
  }
  if (!samples.empty()) absl::StrAppend(&text, "\n", samples.Text());
  Table failures({"FAILED", "RUN", "CODE", "MESSAGE"});
  for (const v1::BatchFailure& f : p.first_failures()) {
    failures.Add({f.workflow_id(), f.run_id(), f.code(), f.message()});
  }
  if (!failures.empty()) absl::StrAppend(&text, "\n", failures.Text());
  return text;
}

// Looks every second until the batch has ended.
void WatchBatch(Session& session, const std::string& id) {
  v1::GetBatchRequest request;
  request.set_batch_id(id);
  const bool in_place = !session.json() && StdoutIsTerminal();
  std::string last;
  while (true) {
    const auto info = session.connection().Call(&Stub::GetBatch, request);
    if (!info.ok()) return session.Fail(info.status());
    const bool ended = info->status() != v1::RunStatus::RUNNING &&
                       info->status() != v1::RunStatus::PAUSED &&
                       info->status() != v1::RunStatus::STUCK;
    const std::string line = session.json() ? gateway::ToJson(*info) : ProgressLine(*info);
    if (in_place) {
      std::cout << "\r\x1b[K" << OneLine(line, TerminalWidth()) << std::flush;
    } else if (line != last) {
      std::cout << line << std::endl;
    }
    last = line;
    if (ended) {
      if (in_place) std::cout << "\n";
      if (!session.json()) std::cout << "\n" << InfoText(*info);
      const bool well =
          info->status() == v1::RunStatus::COMPLETED && info->progress().failed() == 0;
      session.exit_code = well ? kOk : kEndedBadly;
      return;
    }
    absl::Notification never;
    never.WaitForNotificationWithTimeout(kLookEvery);
  }
}

absl::Status ReadBatch(const BatchArguments& a, v1::Batch* batch) {
  v1::BatchVerb::Value verb;
  if (!v1::BatchVerb::Value_Parse(EnumText(a.verb), &verb)) {
    return absl::InvalidArgumentError(absl::StrCat(a.verb, " is none of ", kVerbs));
  }
  batch->set_verb(verb);
  batch->set_filter(a.filter);
  batch->set_reason(a.reason);
  batch->set_signal_name(a.signal);
  batch->set_runs_per_second(a.rate);
  if (!a.input.empty()) {
    RETURN_IF_ERROR(ReadPayload("--input", a.input, batch->mutable_signal_input()));
  }
  int64_t event_id = 0;
  if (a.reset_to == "last") {
    batch->set_reset_point(v1::BatchResetPoint::LAST_TASK);
  } else if (absl::SimpleAtoi(a.reset_to, &event_id)) {
    batch->set_reset_point(v1::BatchResetPoint::EVENT);
    batch->set_reset_event_id(event_id);
  } else if (a.reset_to != "first" && !a.reset_to.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--reset-to ", a.reset_to, " is none of first, last or an event id"));
  }
  return absl::OkStatus();
}

void Start(Session& session, const BatchArguments& a) {
  v1::StartBatchRequest request;
  const absl::Status read = ReadBatch(a, request.mutable_batch());
  if (!read.ok()) return session.Fail(read);
  request.set_batch_id(a.id);
  request.set_request_id(a.request_id);
  request.set_dry_run(a.dry_run);
  request.set_identity(Session::User());
  const auto info = session.connection().Call(&Stub::StartBatch, request);
  if (!info.ok()) return session.Fail(info.status());
  if (a.watch && !a.dry_run) return WatchBatch(session, info->batch_id());
  session.Print(*info, InfoText(*info));
  if (!session.json() && !a.dry_run) {
    std::cout << "\nnext      campaignctl batch show " << info->batch_id() << " --watch\n";
  }
}

void Show(Session& session, const BatchArguments& a) {
  if (a.watch) return WatchBatch(session, a.id);
  v1::GetBatchRequest request;
  request.set_batch_id(a.id);
  const auto info = session.connection().Call(&Stub::GetBatch, request);
  if (!info.ok()) return session.Fail(info.status());
  session.Print(*info, InfoText(*info));
}

void List(Session& session) {
  const auto response = session.connection().Call(&Stub::ListBatches, v1::ListBatchesRequest());
  if (!response.ok()) return session.Fail(response.status());
  Table table({"BATCH", "STATUS", "VERB", "RUNS", "DONE", "FAILED", "STARTED", "FILTER"});
  for (const v1::BatchInfo& info : response->batches()) {
    const v1::BatchProgress& p = info.progress();
    table.Add({info.batch_id(), v1::RunStatus::Value_Name(info.status()),
               v1::BatchVerb::Value_Name(info.batch().verb()), absl::StrCat(p.total()),
               absl::StrCat(p.done() + p.already()), absl::StrCat(p.failed()),
               HumanTime(info.start_time()), info.batch().filter()});
  }
  session.Print(*response, table.Text());
}

void Stop(Session& session, const BatchArguments& a) {
  v1::StopBatchRequest request;
  request.set_batch_id(a.id);
  request.set_reason(a.reason);
  request.set_identity(Session::User());
  const auto info = session.connection().Call(&Stub::StopBatch, request);
  if (!info.ok()) return session.Fail(info.status());
  if (a.watch) return WatchBatch(session, a.id);
  session.Print(*info, absl::StrCat(a.id, " is asked to stop; what it did stays done\n"));
}

}  // namespace

void AddBatchCommands(CLI::App& app, Session& session) {
  CLI::App* batch = AddCommand(app, "batch", "Does one thing with every run that a filter finds",
                               "campaignctl batch list", nullptr);
  auto a = std::make_shared<BatchArguments>();
  CLI::App* start = AddCommand(
      *batch, "start", "Starts a batch; --dry-run shows first what it would touch",
      "campaignctl batch start cancel --filter 'status = STUCK AND workflow_type = campaign' "
      "--reason \"vendor gone\" --dry-run\n"
      "  campaignctl batch start signal --filter 'Region = eu' --signal release --input '{}' "
      "--rate 20 --watch",
      [&session, a] { Start(session, *a); });
  start->add_option("VERB", a->verb, kVerbs)->required();
  start->add_option("--filter", a->filter, "Which runs, as in campaignctl list --filter")
      ->required();
  start->add_option("--reason", a->reason, "Why; kept in the runs' histories");
  start->add_option("--rate", a->rate, "Runs a second (default 50, at most 1000)");
  start->add_option("--signal", a->signal, "Name of the signal");
  start->add_option("--input", a->input, "Input of the signal as JSON, or @file");
  start->add_option("--reset-to", a->reset_to, "first, last (workflow task) or an event id");
  start->add_option("--batch-id", a->id, "Id of the batch (default: made up)");
  start->add_option("--request-id", a->request_id, "Repeating it starts nothing more");
  start->add_flag("--dry-run", a->dry_run, "Counts and shows some of the runs, changes nothing");
  start->add_flag("--watch", a->watch, "Follows it to its end; the exit code is its outcome");

  auto s = std::make_shared<BatchArguments>();
  CLI::App* show =
      AddCommand(*batch, "show", "Shows a batch and its progress",
                 "campaignctl batch show 3f1c --watch", [&session, s] { Show(session, *s); });
  show->add_option("BATCH_ID", s->id, "The batch's id")->required();
  show->add_flag("--watch", s->watch, "Follows it to its end");

  AddViewCommand(*batch, session, "list", "Lists the newest batches", "campaignctl batch list",
                 [&session] { List(session); });

  auto e = std::make_shared<BatchArguments>();
  CLI::App* stop = AddCommand(*batch, "stop", "Stops a batch; what it did stays done",
                              "campaignctl batch stop 3f1c --reason \"wrong filter\"",
                              [&session, e] { Stop(session, *e); });
  stop->add_option("BATCH_ID", e->id, "The batch's id")->required();
  stop->add_option("--reason", e->reason, "Why; kept in its history");
  stop->add_flag("--watch", e->watch, "Follows it to its end");
}

}  // namespace cli
