// ModelRun: a run without an engine. Each transition is stored as its row would be, and after each
// one the rows are read back and folded: what they give must be the live state (DESIGN.md
// invariant 1), so every test that uses it checks that as well. Test support; one thread.
//
// Example:
//   ModelRun run;
//   run.Start();
//   const EventId id = run.Schedule({.type = "charge"});
//   run.Dispatch(id);
//   run.Fail(id, RetryableFailure("Busy"));
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "orchestrator/core/decide.h"

namespace core {

struct ActivitySpec {
  std::string id = "1";
  std::string type = "work";
  absl::Duration schedule_to_start = absl::ZeroDuration();
  absl::Duration start_to_close = absl::Minutes(10);
  absl::Duration schedule_to_close = absl::ZeroDuration();
  absl::Duration heartbeat = absl::ZeroDuration();
  int attempts_max = 0;
  absl::Duration initial = absl::Seconds(1);
  std::vector<std::string> non_retryable;
};
v1::Command ScheduleCommand(const ActivitySpec& spec);
v1::Command TimerCommand(const std::string& id, absl::Duration delay);

v1::Failure RetryableFailure(const std::string& type);

class ModelRun {
 public:
  // Runs `fn` as one transition at `now`, stores it, and checks the fold.
  void Do(const std::function<void(TransitionBuilder&)>& fn);

  void Start(absl::Duration execution_timeout = absl::ZeroDuration());
  // A workflow task with these commands.
  std::vector<AttemptToStop> Task(std::vector<v1::Command> commands);
  // One activity in a task of its own; returns its scheduled event id.
  EventId Schedule(const ActivitySpec& spec);
  // What the engine notes when it starts an attempt.
  void Dispatch(EventId id);
  void Complete(EventId id);
  void Fail(EventId id, v1::Failure failure);
  void GiveBack(EventId id);
  void Heartbeat(EventId id, const std::string& details);
  // Lets time pass, and what is due happen.
  std::vector<AttemptToStop> Advance(absl::Duration by);

  // The stored history, expanded.
  std::vector<v1::HistoryEvent> History() const;
  const v1::HistoryEvent& Last() const { return last_; }

  RunState state;
  absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  base::SeededRandom random{7};
  std::vector<std::string> rows;
  std::map<EventId, v1::ActivityAttemptState> attempts;  // as stored beside the history

 private:
  void CheckFold();
  v1::HistoryEvent last_;
};

// All that the history says of a run, as text; attempts that are stored beside it included.
std::string Describe(const RunState& state);

}  // namespace core
