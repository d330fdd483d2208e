#include "orchestrator/schedules/schedule_workflow.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "orchestrator/history/time.h"
#include "orchestrator/schedules/check.h"
#include "orchestrator/schedules/schedule_state.h"
#include "orchestrator/sdk/when.h"

namespace schedules {
namespace {

// Activities, markers and updates after which a new run goes on: about ten events each.
constexpr int kWorkMax = 300;

struct Run {
  explicit Run(ScheduleRun s) : schedule(std::move(s)) {}
  ScheduleRun schedule;
  bool changed = false;  // by an update
  int work = 0;
  std::optional<sdk::Future<v1::ScheduledRuns>> watch;
};
using RunPtr = std::shared_ptr<Run>;

sdk::Failure Invalid(const std::vector<Problem>& problems) {
  return sdk::Failure::Permanent(kInvalid, ToText(problems));
}

sdk::Outcome<v1::ScheduleInfo> Answer(const sdk::Context& ctx, const RunPtr& run) {
  run->changed = true;
  ++run->work;
  return run->schedule.Describe(ctx.Now(), 0);
}

sdk::Done CheckUpdate(const RunPtr& run, const v1::UpdateScheduleRequest& request) {
  const v1::ScheduleState& state = run->schedule.state();
  if (request.revision() != 0 && request.revision() != state.revision()) {
    return sdk::Failure::Permanent(
        kOtherRevision, absl::StrCat("the schedule has revision ", state.revision(), ", not ",
                                     request.revision(), "; look at it again"));
  }
  const std::vector<Problem> problems =
      CheckSchedule(Merge(run->schedule.input().schedule(), request.schedule()), "schedule");
  if (!problems.empty()) return Invalid(problems);
  return sdk::Unit{};
}

sdk::Done CheckBackfills(const RunPtr& run, const v1::BackfillScheduleRequest& request) {
  const v1::ScheduleInput& input = run->schedule.input();
  if (input.state().backfills_size() + request.backfills_size() > kBackfillsMax) {
    return sdk::Failure::Permanent(
        kTooMany, absl::StrCat("at most ", kBackfillsMax, " backfills may be under way, there are ",
                               input.state().backfills_size()));
  }
  std::vector<Problem> problems;
  for (int i = 0; i < request.backfills_size(); ++i) {
    for (Problem& p : CheckBackfill(input.schedule_id(), input.schedule().spec(),
                                    request.backfills(i), absl::StrCat("backfills[", i, "]"))) {
      problems.push_back(std::move(p));
    }
  }
  if (!problems.empty()) return Invalid(problems);
  return sdk::Unit{};
}

sdk::Done CheckTrigger(const RunPtr& run) {
  if (run->schedule.state().pending_size() < kPendingMax) return sdk::Unit{};
  return sdk::Failure::Permanent(kTooMany,
                                 absl::StrCat("at most ", kPendingMax, " starts may be waiting"));
}

void SetHandlers(sdk::Context ctx, RunPtr run) {
  ctx.SetQueryHandler<v1::DescribeScheduleQuery, v1::ScheduleInfo>(
      kDescribe, [run](const v1::DescribeScheduleQuery& query) -> sdk::Outcome<v1::ScheduleInfo> {
        return run->schedule.Describe(history::FromProto(query.now()), query.next_times());
      });
  for (const bool paused : {true, false}) {
    ctx.SetUpdateHandler<v1::PauseScheduleRequest, v1::ScheduleInfo>(
        paused ? kPause : kResume, nullptr,
        [ctx, run, paused](const v1::PauseScheduleRequest& request) {
          run->schedule.Pause(paused, request.note(), ctx.Now());
          return Answer(ctx, run);
        });
  }
  ctx.SetUpdateHandler<v1::TriggerScheduleRequest, v1::TriggerScheduleResponse>(
      kTrigger, [run](const v1::TriggerScheduleRequest&) { return CheckTrigger(run); },
      [ctx, run](
          const v1::TriggerScheduleRequest& request) -> sdk::Outcome<v1::TriggerScheduleResponse> {
        v1::TriggerScheduleResponse response;
        response.set_workflow_id(run->schedule.Trigger(request, ctx.Now()));
        run->changed = true;
        ++run->work;
        return response;
      });
  ctx.SetUpdateHandler<v1::BackfillScheduleRequest, v1::ScheduleInfo>(
      kBackfill,
      [run](const v1::BackfillScheduleRequest& request) { return CheckBackfills(run, request); },
      [ctx, run](const v1::BackfillScheduleRequest& request) {
        run->schedule.Backfill(request);
        return Answer(ctx, run);
      });
  ctx.SetUpdateHandler<v1::UpdateScheduleRequest, v1::ScheduleInfo>(
      kUpdate,
      [run](const v1::UpdateScheduleRequest& request) { return CheckUpdate(run, request); },
      [ctx, run](const v1::UpdateScheduleRequest& request) -> sdk::Outcome<v1::ScheduleInfo> {
        const v1::ScheduleInput& input = run->schedule.input();
        absl::StatusOr<Timetable> table = Timetable::Make(
            input.schedule_id(), Merge(input.schedule(), request.schedule()).spec());
        if (!table.ok()) {
          return sdk::Failure::Permanent(kInvalid, std::string(table.status().message()));
        }
        run->schedule.Update(request.schedule(), *std::move(table), ctx.Now());
        return Answer(ctx, run);
      });
  ctx.SetUpdateHandler<v1::DeleteScheduleRequest, v1::ScheduleInfo>(
      kDelete, nullptr, [ctx, run](const v1::DeleteScheduleRequest&) {
        run->schedule.state().set_deleted(true);
        return Answer(ctx, run);
      });
}

// Asks the timetable, once for all replays.
void TakeWhatIsDue(sdk::Context ctx, const RunPtr& run) {
  ScheduleRun& schedule = run->schedule;
  const absl::Time now = ctx.Now();
  if (schedule.MustAsk(now)) {
    ++run->work;
    schedule.Take(ctx.SideEffect<v1::DueTimes>([&schedule, now] { return schedule.AskDue(now); }));
  }
  if (schedule.MustAskBackfill()) {
    ++run->work;
    schedule.TakeBackfill(
        ctx.SideEffect<v1::DueTimes>([&schedule] { return schedule.AskBackfill(); }));
  }
}

// All starts at the front of the queue that wait for nothing, at once.
sdk::Workflow<sdk::Unit> StartFirst(sdk::Context ctx, RunPtr run) {
  ScheduleRun& schedule = run->schedule;
  auto* pending = schedule.state().mutable_pending();
  std::vector<v1::PendingStart> starts;
  std::vector<v1::StartWorkflowRequest> requests;
  std::vector<sdk::Future<v1::StartWorkflowResponse>> futures;
  while (!pending->empty() && futures.size() < kDueAtOnceMax) {
    const bool allowed = schedule.PolicyOf(pending->Get(0)) == v1::OverlapPolicy::ALLOW;
    if (!allowed && (!futures.empty() || !schedule.state().running().empty())) break;
    starts.push_back(pending->Get(0));
    requests.push_back(schedule.StartRequest(starts.back()));
    futures.push_back(ctx.Execute(kStart, requests.back()));
    pending->DeleteSubrange(0, 1);
    ++run->work;
    if (!allowed) break;
  }
  const std::vector<sdk::Outcome<v1::StartWorkflowResponse>> outcomes =
      co_await sdk::WhenAll(futures);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    schedule.Started(starts[i], requests[i], outcomes[i], ctx.Now());
  }
  co_return sdk::Unit{};
}

sdk::Workflow<sdk::Unit> StopRunning(sdk::Context ctx, RunPtr run, bool terminate) {
  v1::ScheduledRuns open;
  *open.mutable_runs() = run->schedule.state().running();
  open.set_terminate(terminate);
  open.set_reason(absl::StrCat("schedule \"", run->schedule.input().schedule_id(),
                               "\" starts another run (overlap policy)"));
  ++run->work;
  const sdk::Outcome<v1::ScheduledRuns> stopped = co_await ctx.Execute(kStop, open);
  if (!stopped.ok()) co_return stopped.failure();
  co_return sdk::Unit{};
}

// The first pending start while runs may be open: looks whether they are, then decides.
sdk::Workflow<sdk::Unit> Decide(sdk::Context ctx, RunPtr run) {
  ScheduleRun& schedule = run->schedule;
  v1::ScheduledRuns known;
  *known.mutable_runs() = schedule.state().running();
  ++run->work;
  const sdk::Outcome<v1::ScheduledRuns> open = co_await ctx.Execute(kLook, known);
  if (!open.ok()) co_return open.failure();
  *schedule.state().mutable_running() = open->runs();
  if (open->runs().empty()) co_return sdk::Unit{};  // StartFirst is next
  auto* pending = schedule.state().mutable_pending();
  while (!pending->empty()) {  // a pause may have emptied it meanwhile
    const v1::PendingStart start = pending->Get(0);
    const v1::OverlapPolicy::Value policy = schedule.PolicyOf(start);
    if (policy == v1::OverlapPolicy::ALLOW) break;
    pending->DeleteSubrange(0, 1);
    if (!schedule.Overlaps(start)) continue;
    const bool terminate = policy == v1::OverlapPolicy::TERMINATE_OTHER;
    const sdk::Done stopped = co_await StopRunning(ctx, run, terminate);
    co_return stopped;
  }
  co_return sdk::Unit{};
}

// Whether the first pending start can be made without a look at the open runs.
bool StartsNow(const ScheduleRun& schedule) {
  return schedule.state().running().empty() ||
         schedule.PolicyOf(schedule.state().pending(0)) == v1::OverlapPolicy::ALLOW;
}

// Forgets the runs that the watch saw closed.
void TakeWatch(const RunPtr& run) {
  const sdk::Outcome<v1::ScheduledRuns> closed =
      sdk::internal::Decode<v1::ScheduledRuns>(run->watch->raw());
  run->watch.reset();
  if (!closed.ok()) return;  // the look before the start makes it good
  std::set<std::string> ids;
  for (const v1::ScheduledRun& r : closed->runs()) ids.insert(r.workflow_id());
  auto* running = run->schedule.state().mutable_running();
  for (int i = running->size() - 1; i >= 0; --i) {
    if (ids.contains(running->Get(i).workflow_id())) running->DeleteSubrange(i, 1);
  }
}

// Starts in the buffer wait for the end of the open runs.
void FollowBuffer(sdk::Context ctx, const RunPtr& run) {
  v1::ScheduleState& state = run->schedule.state();
  if (state.buffer().empty()) {
    if (run->watch.has_value() && !run->watch->is_ready()) ctx.Cancel(*run->watch);
    run->watch.reset();
    return;
  }
  if (!run->watch.has_value() && !state.running().empty()) {
    v1::ScheduledRuns open;
    *open.mutable_runs() = state.running();
    run->watch = ctx.Execute(kWatch, open);
    ++run->work;
    return;
  }
  if (run->watch.has_value() && !run->watch->is_ready()) return;
  if (run->watch.has_value()) TakeWatch(run);
  state.mutable_pending()->Add();  // the buffer's first becomes the first of the queue
  for (int i = state.pending_size() - 1; i > 0; --i) {
    state.mutable_pending()->SwapElements(i, i - 1);
  }
  *state.mutable_pending(0) = state.buffer(0);
  state.mutable_buffer()->DeleteSubrange(0, 1);
}

sdk::Workflow<sdk::Unit> EndWatch(sdk::Context ctx, RunPtr run) {
  if (!run->watch.has_value()) co_return sdk::Unit{};
  const sdk::Future<v1::ScheduledRuns> watch = *run->watch;
  run->watch.reset();
  ctx.Cancel(watch);
  const sdk::Outcome<v1::ScheduledRuns> ended = co_await watch;
  co_return sdk::Unit{};
}

// Whether a new run is to go on: rather not between what is due and its start.
bool IsLong(const sdk::Context& ctx, const Run& run) {
  const v1::ScheduleState& state = run.schedule.state();
  if (state.deleted() || (!state.pending().empty() && run.work < 2 * kWorkMax)) return false;
  return run.work >= kWorkMax || ctx.info().continue_as_new_suggested;
}

sdk::Workflow<sdk::Unit> Wait(sdk::Context ctx, RunPtr run) {
  const absl::Time next = run->schedule.NextWake();
  const bool watching = run->watch.has_value();
  const sdk::Done woken = co_await ctx.WaitUntil(
      [run, watching] { return run->changed || (watching && run->watch->is_ready()); },
      next == absl::InfiniteFuture() ? absl::InfiniteDuration() : next - ctx.Now());
  if (!woken.ok() && woken.failure().is_canceled()) co_return woken.failure();
  co_return sdk::Unit{};
}

}  // namespace

std::string WorkflowIdOf(const std::string& schedule_id) {
  return absl::StrCat(kIdPrefix, schedule_id);
}

sdk::Workflow<v1::ScheduleInfo> RunSchedule(sdk::Context ctx, v1::ScheduleInput input) {
  const std::vector<Problem> problems = CheckSchedule(input.schedule(), "schedule");
  if (!problems.empty()) co_return Invalid(problems);
  absl::StatusOr<Timetable> table = Timetable::Make(input.schedule_id(), input.schedule().spec());
  if (!table.ok()) {
    co_return sdk::Failure::Permanent(kInvalid, std::string(table.status().message()));
  }
  auto run = std::make_shared<Run>(ScheduleRun(std::move(input), *std::move(table), ctx.Now()));
  SetHandlers(ctx, run);
  while (true) {
    run->changed = false;
    sdk::Done done = sdk::Unit{};
    if (IsLong(ctx, *run)) {
      done = co_await EndWatch(ctx, run);
      co_return ctx.ContinueAsNew(run->schedule.input());
    }
    if (!run->schedule.state().deleted()) {
      TakeWhatIsDue(ctx, run);
      FollowBuffer(ctx, run);
    }
    if (run->schedule.Ended()) break;
    if (run->schedule.state().pending().empty()) {
      done = co_await Wait(ctx, run);
    } else if (StartsNow(run->schedule)) {
      done = co_await StartFirst(ctx, run);
    } else {
      done = co_await Decide(ctx, run);
    }
    if (ctx.cancel_requested()) co_return sdk::Failure::Canceled("the schedule was canceled");
  }
  const sdk::Done ended = co_await EndWatch(ctx, run);
  co_return run->schedule.Describe(ctx.Now(), 0);
}

}  // namespace schedules
