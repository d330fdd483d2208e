// schedule: create, list, show, pause, resume, trigger, backfill, update, delete.
#include <iostream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/cli/command.h"
#include "gateway/cli/human.h"
#include "gateway/cli/options.h"
#include "gateway/cli/spec_file.h"
#include "gateway/cli/table.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace cli {

namespace {

namespace v1 = orchestrator::v1;
using Stub = v1::ScheduleService::Stub;

constexpr char kOverlaps[] = "skip, buffer-one, buffer-all, allow, cancel-other or terminate-other";

struct ScheduleArguments {
  std::string id;
  std::vector<std::string> crons;
  std::vector<std::string> every;
  std::vector<std::string> exclusions;
  std::string time_zone;
  std::string start;
  std::string end;
  std::string jitter;
  std::string overlap;
  std::string catch_up;
  std::string type;
  std::string input;
  std::string campaign;
  std::string prefix;
  std::string task_queue;
  std::string execution_timeout;
  std::string note;
  std::string request_id;
  bool paused = false;
};

absl::Status ReadOverlap(const std::string& text, v1::OverlapPolicy::Value* overlap) {
  if (text.empty() || v1::OverlapPolicy::Value_Parse(EnumText(text), overlap)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("--overlap ", text, " is none of ", kOverlaps));
}

// "1h" or "1h+15m".
absl::Status ReadInterval(const std::string& text, v1::ScheduleInterval* interval) {
  const size_t plus = text.find('+');
  RETURN_IF_ERROR(ReadDuration("--every", text.substr(0, plus), interval->mutable_every()));
  if (plus == text.npos) return absl::OkStatus();
  return ReadDuration("--every", text.substr(plus + 1), interval->mutable_offset());
}

// Each field is replaced by its option when that is given.
absl::Status ReadSpec(const ScheduleArguments& a, v1::ScheduleSpec* spec) {
  if (!a.crons.empty() || !a.every.empty()) {
    spec->clear_crons();
    spec->clear_intervals();
  }
  for (const std::string& cron : a.crons) spec->add_crons(cron);
  for (const std::string& every : a.every) {
    RETURN_IF_ERROR(ReadInterval(every, spec->add_intervals()));
  }
  if (!a.exclusions.empty()) spec->clear_exclusions();
  for (const std::string& cron : a.exclusions) spec->add_exclusions(cron);
  if (!a.time_zone.empty()) spec->set_time_zone(a.time_zone);
  if (!a.start.empty()) RETURN_IF_ERROR(ReadTime("--start", a.start, spec->mutable_start_time()));
  if (!a.end.empty()) RETURN_IF_ERROR(ReadTime("--end", a.end, spec->mutable_end_time()));
  if (a.jitter.empty()) return absl::OkStatus();
  return ReadDuration("--jitter", a.jitter, spec->mutable_jitter());
}

absl::Status ReadAction(const ScheduleArguments& a, v1::ScheduleAction* action) {
  if (!a.campaign.empty()) {
    ASSIGN_OR_RETURN(const SpecFile file,
                     ReadSpecFile(a.campaign, gateway::Completeness::kComplete));
    action->set_workflow_type("campaign");
    *action->mutable_input() = history::ToPayload(file.request.campaign());
  }
  if (!a.type.empty()) action->set_workflow_type(a.type);
  if (!a.input.empty()) {
    RETURN_IF_ERROR(ReadPayload("--input", a.input, action->mutable_input()));
  }
  if (!a.prefix.empty()) action->set_workflow_id_prefix(a.prefix);
  if (!a.task_queue.empty()) action->set_task_queue(a.task_queue);
  if (a.execution_timeout.empty()) return absl::OkStatus();
  return ReadDuration("--execution-timeout", a.execution_timeout,
                      action->mutable_execution_timeout());
}

absl::Status ReadSchedule(const ScheduleArguments& a, v1::Schedule* schedule) {
  RETURN_IF_ERROR(ReadSpec(a, schedule->mutable_spec()));
  RETURN_IF_ERROR(ReadAction(a, schedule->mutable_action()));
  v1::SchedulePolicies* policies = schedule->mutable_policies();
  v1::OverlapPolicy::Value overlap = policies->overlap();
  RETURN_IF_ERROR(ReadOverlap(a.overlap, &overlap));
  policies->set_overlap(overlap);
  if (a.catch_up.empty()) return absl::OkStatus();
  return ReadDuration("--catch-up", a.catch_up, policies->mutable_catch_up_window());
}

std::string TimesText(const v1::ScheduleSpec& spec) {
  std::vector<std::string> parts(spec.crons().begin(), spec.crons().end());
  for (const v1::ScheduleInterval& interval : spec.intervals()) {
    const absl::Duration offset = history::FromProto(interval.offset());
    parts.push_back(absl::StrCat(
        "every ", HumanDuration(history::FromProto(interval.every())),
        offset > absl::ZeroDuration() ? absl::StrCat(" + ", HumanDuration(offset)) : ""));
  }
  return absl::StrJoin(parts, "; ");
}

std::string StateText(const v1::ScheduleInfo& info) {
  if (info.status() != v1::RunStatus::RUNNING) {
    return info.status() == v1::RunStatus::COMPLETED ? "ended"
                                                     : v1::RunStatus::Value_Name(info.status());
  }
  return info.paused() ? "paused" : "active";
}

std::string RunsText(const v1::ScheduleInfo& info) {
  Table table({"TIME", "STARTED", "WHY", "WORKFLOW", "STATUS"});
  for (const v1::ScheduledRun& run : info.recent()) {
    std::string status = run.has_failure() ? absl::StrCat("refused: ", run.failure().message())
                         : run.status() == v1::RunStatus::UNSPECIFIED
                             ? "gone"
                             : v1::RunStatus::Value_Name(run.status());
    if (run.already_started()) absl::StrAppend(&status, " (started before)");
    table.Add({HumanTime(run.scheduled_time()), HumanTime(run.start_time()),
               v1::StartReason::Value_Name(run.reason()), run.workflow_id(), status});
  }
  return table.empty() ? "" : absl::StrCat("\n", table.Text());
}

std::string InfoText(const v1::ScheduleInfo& info) {
  const v1::ScheduleSpec& spec = info.schedule().spec();
  const v1::SchedulePolicies& policies = info.schedule().policies();
  const v1::ScheduleCounts& counts = info.counts();
  const v1::OverlapPolicy::Value overlap = policies.overlap() == v1::OverlapPolicy::UNSPECIFIED
                                               ? v1::OverlapPolicy::SKIP
                                               : policies.overlap();
  std::vector<std::string> next;
  for (const auto& time : info.next_times()) next.push_back(HumanTime(time));
  std::vector<std::string> backfills;
  for (const v1::ScheduleBackfill& b : info.backfills()) {
    backfills.push_back(absl::StrCat(HumanTime(b.start_time()), " to ", HumanTime(b.end_time())));
  }
  const auto shown = [](int64_t count) { return count == 0 ? "" : absl::StrCat(count); };
  const absl::Duration jitter = history::FromProto(spec.jitter());
  return Pairs({{"schedule", info.schedule_id()},
                {"state", StateText(info)},
                {"reason", info.status_reason()},
                {"note", info.note()},
                {"times", TimesText(spec)},
                {"except", absl::StrJoin(spec.exclusions(), "; ")},
                {"time zone", spec.time_zone()},
                {"from", HumanTime(spec.start_time())},
                {"until", HumanTime(spec.end_time())},
                {"jitter", jitter > absl::ZeroDuration() ? HumanDuration(jitter) : ""},
                {"starts", info.schedule().action().workflow_type()},
                {"overlap", v1::OverlapPolicy::Value_Name(overlap)},
                {"catch-up", policies.has_catch_up_window()
                                 ? HumanDuration(history::FromProto(policies.catch_up_window()))
                                 : "1d (default)"},
                {"next", absl::StrJoin(next, ", ")},
                {"started", absl::StrCat(counts.started())},
                {"missed", shown(counts.missed())},
                {"skipped", shown(counts.skipped())},
                {"refused", shown(counts.failed())},
                {"waiting", shown(info.waiting())},
                {"backfill", absl::StrJoin(backfills, ", ")},
                {"revision", absl::StrCat(info.revision())}});
}

void Answer(Session& session, const absl::StatusOr<v1::ScheduleInfo>& info) {
  if (!info.ok()) return session.Fail(info.status());
  session.Print(*info, absl::StrCat(InfoText(*info), RunsText(*info)));
}

void Create(Session& session, const ScheduleArguments& a) {
  v1::CreateScheduleRequest request;
  request.set_schedule_id(a.id);
  const absl::Status read = ReadSchedule(a, request.mutable_schedule());
  if (!read.ok()) return session.Fail(read);
  request.set_paused(a.paused);
  request.set_note(a.note);
  request.set_request_id(a.request_id);
  request.set_identity(Session::User());
  Answer(session, session.connection().Call(&Stub::CreateSchedule, request));
}

void Update(Session& session, const ScheduleArguments& a) {
  v1::GetScheduleRequest get;
  get.set_schedule_id(a.id);
  const auto info = session.connection().Call(&Stub::GetSchedule, get);
  if (!info.ok()) return session.Fail(info.status());
  v1::UpdateScheduleRequest request;
  request.set_schedule_id(a.id);
  *request.mutable_schedule() = info->schedule();
  const absl::Status read = ReadSchedule(a, request.mutable_schedule());
  if (!read.ok()) return session.Fail(read);
  request.set_revision(info->revision());
  request.set_identity(Session::User());
  Answer(session, session.connection().Call(&Stub::UpdateSchedule, request));
}

void List(Session& session, bool all) {
  v1::ListSchedulesRequest request;
  v1::ListSchedulesResponse response;
  do {
    const auto page = session.connection().Call(&Stub::ListSchedules, request);
    if (!page.ok()) return session.Fail(page.status());
    response.mutable_schedules()->MergeFrom(page->schedules());
    response.set_next_page_token(page->next_page_token());
    request.set_page_token(page->next_page_token());
  } while (all && !request.page_token().empty());
  Table table({"SCHEDULE", "STATE", "STARTS", "NEXT", "STARTED", "MISSED", "TIMES"});
  for (const v1::ScheduleInfo& info : response.schedules()) {
    table.Add({info.schedule_id(), StateText(info), info.schedule().action().workflow_type(),
               info.next_times().empty() ? "" : HumanTime(info.next_times(0)),
               absl::StrCat(info.counts().started()), absl::StrCat(info.counts().missed()),
               TimesText(info.schedule().spec())});
  }
  session.Print(response, table.Text());
  if (!session.json() && !response.next_page_token().empty()) {
    std::cout << "there are more: --all shows them\n";
  }
}

void Show(Session& session, const std::string& id, int next_times) {
  v1::GetScheduleRequest request;
  request.set_schedule_id(id);
  request.set_next_times(next_times);
  Answer(session, session.connection().Call(&Stub::GetSchedule, request));
}

void Pause(Session& session, bool paused, const std::string& id, const std::string& note) {
  v1::PauseScheduleRequest request;
  request.set_schedule_id(id);
  request.set_note(note);
  request.set_identity(Session::User());
  Answer(session,
         session.connection().Call(paused ? &Stub::PauseSchedule : &Stub::ResumeSchedule, request));
}

void Trigger(Session& session, const ScheduleArguments& a) {
  v1::TriggerScheduleRequest request;
  request.set_schedule_id(a.id);
  v1::OverlapPolicy::Value overlap = v1::OverlapPolicy::UNSPECIFIED;
  const absl::Status read = ReadOverlap(a.overlap, &overlap);
  if (!read.ok()) return session.Fail(read);
  request.set_overlap(overlap);
  request.set_request_id(a.request_id);
  request.set_identity(Session::User());
  const auto response = session.connection().Call(&Stub::TriggerSchedule, request);
  if (!response.ok()) return session.Fail(response.status());
  session.Print(*response, Pairs({{"workflow", response->workflow_id()}}));
}

void Backfill(Session& session, const ScheduleArguments& a) {
  v1::BackfillScheduleRequest request;
  request.set_schedule_id(a.id);
  request.set_request_id(a.request_id);
  request.set_identity(Session::User());
  v1::ScheduleBackfill* backfill = request.add_backfills();
  v1::OverlapPolicy::Value overlap = v1::OverlapPolicy::UNSPECIFIED;
  absl::Status read = ReadOverlap(a.overlap, &overlap);
  backfill->set_overlap(overlap);
  read.Update(ReadTime("--from", a.start, backfill->mutable_start_time()));
  read.Update(ReadTime("--to", a.end, backfill->mutable_end_time()));
  if (!read.ok()) return session.Fail(read);
  Answer(session, session.connection().Call(&Stub::BackfillSchedule, request));
}

void Delete(Session& session, const std::string& id) {
  v1::DeleteScheduleRequest request;
  request.set_schedule_id(id);
  request.set_identity(Session::User());
  const auto response = session.connection().Call(&Stub::DeleteSchedule, request);
  if (!response.ok()) return session.Fail(response.status());
  session.Print(*response, absl::StrCat(id, " is deleted; runs that it started go on\n"));
}

void AddId(CLI::App* command, std::string* id) {
  command->add_option("SCHEDULE_ID", *id, "The schedule's id")->required();
}

void AddDefinition(CLI::App* command, ScheduleArguments* a) {
  command->add_option("--cron", a->crons,
                      "Five cron fields or @daily, @hourly, ...; may be given several times");
  command->add_option("--every", a->every, "Interval such as 1h, or 1h+15m with an offset");
  command->add_option("--except", a->exclusions, "Cron whose minutes are left out");
  command->add_option("--time-zone", a->time_zone, "Of the crons, such as Europe/Berlin");
  command->add_option("--start", a->start, "No times before, such as 2026-12-01T00:00:00Z");
  command->add_option("--end", a->end, "No times after; then the schedule ends");
  command->add_option("--jitter", a->jitter, "Starts are late by up to this, such as 5m");
  command->add_option("--overlap", a->overlap,
                      absl::StrCat("When a run is still open: ", kOverlaps, " (default skip)"));
  command->add_option("--catch-up", a->catch_up,
                      "How late a missed start is made up for, such as 1h (default 24h)");
  auto* type = command->add_option("--type", a->type, "Workflow type to start");
  auto* input = command->add_option("--input", a->input, "Its input as JSON, or @file");
  command->add_option("--campaign", a->campaign, "Start this campaign (YAML or JSON file)")
      ->excludes(type)
      ->excludes(input);
  command->add_option("--prefix", a->prefix, "Of the workflow ids (default: the schedule's id)");
  command->add_option("--task-queue", a->task_queue, "Task queue of the runs");
  command->add_option("--execution-timeout", a->execution_timeout, "Of each run, such as 24h");
}

void AddChanges(CLI::App& schedule, Session& session) {
  for (const bool paused : {true, false}) {
    auto a = std::make_shared<ScheduleArguments>();
    CLI::App* command = AddCommand(
        schedule, paused ? "pause" : "resume",
        paused ? "Starts nothing until it is resumed" : "Starts again from the next time on",
        absl::StrCat("campaignctl schedule ", paused ? "pause" : "resume",
                     " weekly-news --note \"holidays\""),
        [&session, a, paused] { Pause(session, paused, a->id, a->note); });
    AddId(command, &a->id);
    command->add_option("--note", a->note, "Why; shown with the schedule");
  }
  auto t = std::make_shared<ScheduleArguments>();
  CLI::App* trigger = AddCommand(schedule, "trigger", "Starts a run now, also when paused",
                                 "campaignctl schedule trigger weekly-news",
                                 [&session, t] { Trigger(session, *t); });
  AddId(trigger, &t->id);
  trigger->add_option("--overlap", t->overlap, absl::StrCat(kOverlaps, " (default allow)"));
  trigger->add_option("--request-id", t->request_id, "Repeating it starts nothing more");

  auto b = std::make_shared<ScheduleArguments>();
  CLI::App* backfill = AddCommand(
      schedule, "backfill", "Starts runs for times that had none, such as those of a pause",
      "campaignctl schedule backfill weekly-news --from 2026-11-01 --to 2026-11-15",
      [&session, b] { Backfill(session, *b); });
  AddId(backfill, &b->id);
  backfill->add_option("--from", b->start, "First time")->required();
  backfill->add_option("--to", b->end, "Last time")->required();
  backfill->add_option("--overlap", b->overlap,
                       "buffer-all: one after the other (default); allow: all at once");
  backfill->add_option("--request-id", b->request_id, "Repeating it starts nothing more");
}

}  // namespace

void AddScheduleCommands(CLI::App& app, Session& session) {
  CLI::App* schedule = AddCommand(app, "schedule", "Starts workflows again and again",
                                  "campaignctl schedule list", nullptr);
  auto c = std::make_shared<ScheduleArguments>();
  CLI::App* create = AddCommand(
      *schedule, "create", "Creates a schedule",
      "campaignctl schedule create weekly-news --cron \"30 9 * * MON\" --time-zone Europe/Berlin "
      "--campaign news.yaml\n"
      "  campaignctl schedule create report --every 1h+15m --type report --input "
      "'{\"region\":\"eu\"}' --overlap buffer-one",
      [&session, c] { Create(session, *c); });
  AddId(create, &c->id);
  AddDefinition(create, c.get());
  create->add_flag("--paused", c->paused, "Starts nothing until it is resumed");
  create->add_option("--note", c->note, "Shown with the schedule");
  create->add_option("--request-id", c->request_id, "Repeating it creates nothing more");

  auto u = std::make_shared<ScheduleArguments>();
  CLI::App* update = AddCommand(*schedule, "update", "Replaces what the options give, from now on",
                                "campaignctl schedule update weekly-news --cron \"0 10 * * MON\"",
                                [&session, u] { Update(session, *u); });
  AddId(update, &u->id);
  AddDefinition(update, u.get());

  auto all = std::make_shared<bool>(false);
  CLI::App* list =
      AddViewCommand(*schedule, session, "list", "Lists schedules, newest first",
                     "campaignctl schedule list", [&session, all] { List(session, *all); });
  list->add_flag("--all", *all, "All pages");

  auto id = std::make_shared<std::string>();
  auto next = std::make_shared<int>(0);
  CLI::App* show =
      AddViewCommand(*schedule, session, "show", "Shows a schedule, its next times and last starts",
                     "campaignctl schedule show weekly-news --next 20",
                     [&session, id, next] { Show(session, *id, *next); });
  AddId(show, id.get());
  show->add_option("--next", *next, "How many of the next times (default 5)");

  AddChanges(*schedule, session);
  auto gone = std::make_shared<std::string>();
  AddId(AddCommand(*schedule, "delete", "Deletes a schedule; runs that it started go on",
                   "campaignctl schedule delete weekly-news",
                   [&session, gone] { Delete(session, *gone); }),
        gone.get());
}

}  // namespace cli
