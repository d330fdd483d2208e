// WorkflowTestEnv: runs one workflow for a test, with no engine, store, thread or waiting. Time is
// virtual and jumps to the next thing that is due, so a month of timers takes milliseconds.
// Activities are plain functions that the test gives; retries, backoff, time-outs and cancellation
// follow the engine's own rules. At the end of Run the history is replayed on fresh code: a
// workflow that is not deterministic ends with a failure of type "Nondeterminism".
//
// Link orchestrator_sdk_testing. Thread-safety: one thread.
//
// Example: a reminder after 30 days, unless the customer pays.
//   sdk::testing::WorkflowTestEnv env;
//   env.AddWorkflow<Invoice, Receipt>("dunning", &Dunning);
//   int reminders = 0;
//   env.OnActivity(kRemind, [&](const Invoice&) -> sdk::Outcome<Sent> {
//     ++reminders;
//     return Sent();
//   });
//   env.SignalAt(absl::Hours(24 * 45), "paid", Payment());
//   const sdk::Outcome<Receipt> receipt = env.Run<Invoice, Receipt>("dunning", invoice);
//   ASSERT_TRUE(receipt.ok()) << receipt.failure().ToString();
//   EXPECT_EQ(reminders, 1);
//   EXPECT_EQ(env.Elapsed(), absl::Hours(24 * 45));
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/base/random.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/sdk/instance.h"
#include "orchestrator/sdk/registry.h"

namespace sdk::testing {

// One attempt of an activity, for the functions of OnRawActivity.
struct ActivityCall {
  std::string activity_type;
  std::string activity_id;
  std::string idempotency_key;
  int attempt = 1;
  v1::Payload input;
};

struct ActivityBehavior {
  // Virtual time from start to outcome. It records no heartbeats: keep it below a heartbeat
  // time-out, unless that is what the test is about.
  absl::Duration takes = absl::ZeroDuration();
  ActivityOptions defaults;  // as given to Registry::AddActivity
};

class WorkflowTestEnv {
 public:
  WorkflowTestEnv();
  ~WorkflowTestEnv();
  WorkflowTestEnv(const WorkflowTestEnv&) = delete;
  WorkflowTestEnv& operator=(const WorkflowTestEnv&) = delete;

  // `fn` is callable as Workflow<Out>(Context, In).
  template <typename In, typename Out, typename Fn>
  void AddWorkflow(const std::string& type, Fn fn) {
    registry_.AddWorkflow<In, Out>(type, fn);
  }

  // `fn` is each attempt of the activity. A retryable failure of it is tried again by the retry
  // policy, in virtual time. An activity without a function fails with type "NoSuchActivity".
  template <typename In, typename Out>
  void OnActivity(const ActivityType<In, Out>& type,
                  std::type_identity_t<std::function<Outcome<Out>(const In&)>> fn,
                  ActivityBehavior behavior = {}) {
    OnRawActivity(
        type.name,
        [fn = std::move(fn)](const ActivityCall& call) -> Outcome<v1::Payload> {
          const Outcome<In> input = internal::Decode<In>(Outcome<v1::Payload>(call.input));
          if (!input.ok()) return input.failure();
          return internal::Encode<Out>(fn(*input));
        },
        std::move(behavior));
  }
  // The same with encoded input and result; also for compensations, whose input is a
  // v1::CompensationInput.
  using RawActivity = std::function<Outcome<v1::Payload>(const ActivityCall&)>;
  void OnRawActivity(const std::string& type, RawActivity fn, ActivityBehavior behavior = {});

  // `fn` is the whole life of a child workflow, which `takes` so long; a child that is canceled
  // before ends at once as canceled. A child without a function fails with type "NoSuchWorkflow".
  template <typename In, typename Out>
  void OnChild(const WorkflowType<In, Out>& type,
               std::type_identity_t<std::function<Outcome<Out>(const In&)>> fn,
               absl::Duration takes = absl::ZeroDuration()) {
    child_types_[type.name] = {
        .fn = [fn = std::move(fn)](const ActivityCall& call) -> Outcome<v1::Payload> {
          const Outcome<In> input = internal::Decode<In>(Outcome<v1::Payload>(call.input));
          if (!input.ok()) return input.failure();
          return internal::Encode<Out>(fn(*input));
        },
        .takes = takes};
  }
  // Signals and cancel requests to other workflows, in order; each arrives at once.
  struct SentMessage {
    std::string workflow_id;
    std::string signal_name;  // empty: a cancel request
    v1::Payload input;
  };
  const std::vector<SentMessage>& sent_messages() const { return sent_messages_; }

  // What happens while the workflow runs, at a time after its start; give it before Run. Things of
  // the same moment happen in the order in which they were given, and before timers of that moment.
  void At(absl::Duration after_start, std::function<void()> fn);
  template <typename T>
  void SignalAt(absl::Duration after_start, const std::string& name, const T& input) {
    At(after_start,
       [this, name, payload = history::ToPayload(input)] { SignalRaw(name, payload); });
  }
  void CancelAt(absl::Duration after_start, const std::string& reason);

  // Starts the workflow and runs it until it has ended, or until nothing more can happen: then the
  // failure has type "StillWaiting" and says what the workflow waits for.
  template <typename In, typename Out>
  Outcome<Out> Run(const std::string& type, const In& input) {
    Start(type, history::ToPayload(input));
    return Result<Out>();
  }
  // The parts of Run, for tests that look in between. `RunFor` lets virtual time pass.
  void Start(const std::string& type, v1::Payload input);
  void RunFor(absl::Duration duration);
  template <typename Out>
  Outcome<Out> Result() {
    return internal::Decode<Out>(RunToEnd());
  }

  // Now, at the present virtual time: after Start, or in a function of At.
  template <typename T>
  void Signal(const std::string& name, const T& input) {
    SignalRaw(name, history::ToPayload(input));
  }
  void Cancel(const std::string& reason);
  // Tries activities at once that wait for their next attempt, or are paused because their attempts
  // are used up: what an operator does by retry-now.
  void RetryNow();
  template <typename Resp, typename Req>
  Outcome<Resp> Query(const std::string& name, const Req& request) {
    return internal::Decode<Resp>(QueryRaw(name, history::ToPayload(request)));
  }
  // The answer of an update: a refusal, its outcome, or a failure of type "StillWaiting" when its
  // handler has not ended; then ask UpdateResult(last_update_id()) later.
  template <typename Resp, typename Req>
  Outcome<Resp> Update(const std::string& name, const Req& request) {
    return internal::Decode<Resp>(UpdateRaw(name, history::ToPayload(request)));
  }
  template <typename Resp>
  Outcome<Resp> UpdateResult(const std::string& update_id) const {
    return internal::Decode<Resp>(UpdateResultRaw(update_id));
  }
  const std::string& last_update_id() const { return last_update_id_; }

  absl::Time Now() const { return now_; }
  absl::Duration Elapsed() const { return now_ - start_; }
  bool closed() const { return state_.closed(); }
  v1::RunStatus::Value status() const;
  // The engine's state of the run: pending activities, timers, saga.
  const core::RunState& state() const { return state_; }
  std::vector<v1::HistoryEvent> History() const;
  // Replays the history so far on fresh code.
  absl::Status CheckReplay() const;

 private:
  struct Activity {
    RawActivity fn;
    absl::Duration takes;
  };
  // An attempt whose function was called; its outcome is delivered when it is due.
  struct Attempt {
    absl::Time due;
    Outcome<v1::Payload> outcome;
  };

  // A local activity that has not ended: its attempt ends, or its next one begins, when it is due.
  struct Local {
    std::shared_ptr<const v1::ActivityTaskScheduled> scheduled;
    absl::Time begun;
    absl::Time due;
    int attempt = 1;
    std::optional<Outcome<v1::Payload>> outcome;  // none: between attempts
  };

  void SignalRaw(const std::string& name, const v1::Payload& input);
  Outcome<v1::Payload> QueryRaw(const std::string& name, const v1::Payload& request);
  Outcome<v1::Payload> UpdateRaw(const std::string& name, v1::Payload request);
  Outcome<v1::Payload> UpdateResultRaw(const std::string& update_id) const;
  Outcome<v1::Payload> RunToEnd();
  // Does what is due next, if that is not after `until`. False when there is nothing.
  bool Step(absl::Time until);
  absl::Time NextDue() const;
  void StartAttempts();
  Attempt Call(const core::PendingActivity& activity);
  bool DeliverOneOutcome();
  bool RunOneLocal();
  void StartLocal(int64_t sequence);
  // workflow_test_env_children.cc. False when there is nothing to do now.
  bool RunOneMessage();
  void StartChild(const core::PendingChild& child);
  void SendMessage(const core::PendingExternal& external);
  // One transition: `fn` says what happened, then the workflow's code runs.
  std::vector<UpdateVerdict> Transition(const std::function<void(core::TransitionBuilder&)>& fn,
                                        std::vector<UpdateRequest> updates = {});
  void Stop(const std::vector<core::AttemptToStop>& attempts);
  std::string WaitsFor() const;

  Registry registry_;
  std::map<std::string, Activity> activities_;
  std::multimap<absl::Duration, std::function<void()>> script_;  // from the start on
  base::SeededRandom random_{1};

  const absl::Time start_ = absl::FromUnixSeconds(1'800'000'000);
  absl::Time now_ = start_;
  core::RunState state_;
  std::string type_;
  std::unique_ptr<Instance> instance_;
  std::map<base::EventId, Attempt> running_;  // by scheduled event id
  std::map<int64_t, Local> locals_;           // by sequence
  std::vector<LocalEnd> local_ends_;          // for the next workflow task
  struct RunningChild {
    absl::Time due;
    core::ChildEnd end;
  };
  std::map<std::string, Activity> child_types_;
  std::map<base::EventId, RunningChild> children_;  // by initiated event id
  std::vector<SentMessage> sent_messages_;
  std::vector<std::string> rows_;
  std::string last_update_id_;
  int updates_ = 0;
  int64_t steps_ = 0;
};

}  // namespace sdk::testing
