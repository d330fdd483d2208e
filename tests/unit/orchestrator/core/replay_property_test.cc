// Property: whatever happens to a run, what is stored gives the live state back (DESIGN.md
// invariant 1). Seeded random walks over all that the core decides; ModelRun compares after every
// transition. A failing seed is in the test's name.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

class RandomWalk : public ::testing::TestWithParam<int> {
 protected:
  RandomWalk() : random_(GetParam()) {}
  int Pick(int n) { return static_cast<int>(random_.Next() % n); }
  std::string NextId() { return absl::StrCat(++last_id_); }

  ActivitySpec RandomActivity(const std::string& id) {
    return {.id = id,
            .type = absl::StrCat("type-", Pick(3)),
            .schedule_to_start = absl::Seconds(Pick(2) * 40),
            .start_to_close = absl::Seconds(10 + Pick(50)),
            .schedule_to_close = absl::Seconds(Pick(2) * (20 + Pick(100))),
            .heartbeat = absl::Seconds(Pick(2) * 15),
            .attempts_max = Pick(4),
            .initial = absl::Seconds(1 + Pick(20))};
  }
  // An activity in the wished state, or 0.
  EventId Any(bool in_flight) {
    std::vector<EventId> ids;
    for (const auto& [id, activity] : run_.state.activities) {
      if (activity.in_flight == in_flight) ids.push_back(id);
    }
    return ids.empty() ? 0 : ids[Pick(static_cast<int>(ids.size()))];
  }
  std::vector<v1::Command> RandomCommands() {
    std::vector<v1::Command> commands;
    if (Pick(2) == 0) {
      const std::string id = NextId();
      commands.push_back(ScheduleCommand(RandomActivity(id)));
      if (Pick(2) == 0) {
        v1::Command& step = commands.emplace_back();
        auto* registered = step.mutable_event()->mutable_saga_step_registered();
        registered->set_step(absl::StrCat("step-", id));
        registered->set_activity_id(id);
        registered->set_compensation_type(Pick(3) == 0 ? "" : "undo");
      }
    }
    if (Pick(3) == 0) commands.push_back(TimerCommand(NextId(), absl::Seconds(Pick(60))));
    if (Pick(6) == 0 && !run_.state.activities.empty()) {
      const EventId id = run_.state.activities.begin()->first;
      commands.emplace_back()
          .mutable_event()
          ->mutable_activity_task_cancel_requested()
          ->set_activity_id(run_.state.activities.at(id).scheduled->activity_id());
    }
    if (Pick(6) == 0 && !run_.state.timers.empty()) {
      commands.emplace_back().mutable_event()->mutable_timer_canceled()->set_timer_id(
          run_.state.timers.begin()->first);
    }
    if (Pick(5) == 0 && !run_.state.saga.empty()) {
      const std::string id = NextId();
      commands.push_back(ScheduleCommand(RandomActivity(id)));
      v1::Command& started = commands.emplace_back();
      auto* undo = started.mutable_event()->mutable_saga_compensation_started();
      undo->set_step(
          run_.state.saga[Pick(static_cast<int>(run_.state.saga.size()))].registration.step());
      undo->set_activity_id(id);
    }
    return commands;
  }
  void Step() {
    switch (Pick(8)) {
      case 0:
      case 1:
        run_.Task(RandomCommands());
        return;
      case 2:
        if (const EventId id = Any(false); id != 0) run_.Dispatch(id);
        return;
      case 3:
        if (const EventId id = Any(true); id != 0) run_.Complete(id);
        return;
      case 4:
        if (const EventId id = Any(true); id != 0) {
          v1::Failure failure = RetryableFailure("Broken");
          failure.set_effect_unknown(Pick(2) == 0);
          failure.set_non_retryable(Pick(4) == 0);
          run_.Fail(id, failure);
        }
        return;
      case 5:
        if (const EventId id = Any(true); id != 0) run_.Heartbeat(id, absl::StrCat(Pick(100)));
        return;
      case 6:
        run_.Do([&](TransitionBuilder& transition) {
          v1::WorkflowExecutionSignaled signal;
          signal.set_request_id(absl::StrCat(Pick(10)));
          Signal(transition, signal);
        });
        return;
      default:
        run_.Advance(absl::Seconds(Pick(30)));
        return;
    }
  }

  base::SeededRandom random_;
  ModelRun run_;
  int last_id_ = 0;
};

TEST_P(RandomWalk, StoredIsLive) {
  run_.Start(Pick(2) == 0 ? absl::ZeroDuration() : absl::Minutes(5));
  for (int i = 0; i < 150 && !HasFailure(); ++i) Step();
  const absl::Time due = NextDue(run_.state);
  EXPECT_LE(StoredWakeAt(run_.state), std::max(due, run_.now))
      << "after a restart the run would be looked at too late";
  run_.Do([&](TransitionBuilder& transition) { Terminate(transition, "the end", "test"); });
  EXPECT_TRUE(run_.attempts.empty()) << "rows beside the history of a closed run";
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomWalk, ::testing::Range(1, 41));

}  // namespace
}  // namespace core
