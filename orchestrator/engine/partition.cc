#include "orchestrator/engine/partition.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/coverage.h"
#include "orchestrator/engine/properties.h"

namespace engine {

Partition::Partition(int index, int slot_first, int slot_last, int64_t epoch, EngineOptions options,
                     Dependencies dependencies)
    : index_(index),
      slot_first_(slot_first),
      slot_last_(slot_last),
      epoch_(epoch),
      lease_(epoch * store::kSlots + index),
      options_(std::move(options)),
      deps_(std::move(dependencies)),
      build_id_(deps_.runner.build_id()),
      metrics_(deps_.metrics) {}

Partition::~Partition() = default;

void Partition::Open() {
  deps_.loop.Post([this] { ScanDue(); });
}

void Partition::Close(absl::AnyInvocable<void()> done) {
  closed_ = true;
  deps_.loop.Post([this, done = std::move(done)]() mutable {
    for (auto& [key, attempt] : attempts_) {
      deps_.executor.Stop(attempt.token, "the server is stopping");
    }
    AnswerWaiters();
    close_done_ = std::move(done);
    if (!syncing_ && filling_.writes.writes.empty()) std::exchange(close_done_, nullptr)();
  });
}

absl::Status Partition::Stopping() {
  return absl::UnavailableError("the server is stopping; try again");
}

void Partition::Call(absl::AnyInvocable<void()> fn, absl::AnyInvocable<void(absl::Status)> refuse) {
  if (closed_) return refuse(Stopping());
  if (inbox_.fetch_add(1) >= options_.inbox_max) {
    inbox_.fetch_sub(1);
    return refuse(absl::ResourceExhaustedError(
        absl::StrCat("partition ", index_, " has ", options_.inbox_max,
                     " calls waiting (limit inbox_max); try again later")));
  }
  deps_.loop.Post([this, fn = std::move(fn)]() mutable {
    inbox_.fetch_sub(1);
    fn();
  });
}

void Partition::Write(LiveRun& run, core::TransitionBuilder& transition) {
  store::RunWrite write;
  write.is_new = run.is_new;
  write.expected_next_event_id = run.stored_next_event_id;
  ProjectRow(run);
  if (ChangesProperties(transition)) {
    auto properties = PropertiesOf(run.state);
    write.properties_changed = properties != nullptr || run.row.properties != nullptr;
    run.row.properties = std::move(properties);
  }
  write.row = run.row;
  write.first_event_id = transition.first_event_id();
  write.transition = transition.Serialize(lease_);
  write.attempts_put = transition.AttemptsPut();
  for (v1::ActivityAttemptState& attempt : write.attempts_put) attempt.set_lease(lease_);
  write.attempts_removed = transition.AttemptsRemoved();
  run.history_bytes += static_cast<int64_t>(write.transition.size());
  run.is_new = false;
  run.stored_next_event_id = run.state.next_event_id;
  if (transition.has_events()) run.history.reset();  // no longer the whole history
  HandOver(run, std::move(write));
}

void Partition::HandOver(LiveRun& run, store::RunWrite write) {
  AddWrite(std::move(write));
  if (run.last_batch == filling_number_) return;
  run.last_batch = filling_number_;
  ++run.writes_pending;
  filling_.runs.push_back(run.id);
}

void Partition::AddWrite(store::RunWrite write) {
  filling_.writes.writes.push_back(std::move(write));
  if (!syncing_ && !flush_posted_) {
    flush_posted_ = true;
    deps_.loop.Post([this] { Flush(); });  // after everything that is in the inbox by now
  }
}

void Partition::AfterCommit(LiveRun& run, Action action) {
  if (run.writes_pending == 0) return action(absl::OkStatus());
  if (run.last_batch == filling_number_) {
    filling_.after.push_back(std::move(action));
  } else {
    syncing_after_.push_back(std::move(action));
  }
}

void Partition::Flush() {
  flush_posted_ = false;
  if (syncing_ || filling_.writes.writes.empty()) return;
  syncing_ = true;
  ++filling_number_;
  auto batch = std::make_shared<Batch>(std::exchange(filling_, Batch{}));
  batch->writes.partition = index_;
  batch->writes.epoch = epoch_;
  store::WriteBatch writes = std::move(batch->writes);
  deps_.committer.Commit(std::move(writes), [this, batch](absl::Status status) {
    // What was accepted was written by the owner of the lease.
    const absl::Duration at = deps_.loop.clock().Monotonic();
    deps_.loop.Post([this, batch, status, at] {
      if (status.ok()) lease_seen_ = std::max(lease_seen_, at);
      OnCommitted(std::move(*batch), status);
    });
  });
}

std::vector<Partition::Action> Partition::ActionsOf(Batch& batch) {
  std::vector<Action> actions = std::move(batch.after);
  for (Action& action : syncing_after_) actions.push_back(std::move(action));
  syncing_after_.clear();
  return actions;
}

void Partition::OnCommitted(Batch batch, absl::Status status) {
  syncing_ = false;
  std::vector<Action> actions = ActionsOf(batch);
  if (!status.ok()) {
    DropUncommitted(batch, status);
    for (Action& action : actions) action(status);
  } else {
    for (const RunId& id : batch.runs) {
      const auto it = runs_.find(id);
      if (it != runs_.end()) --it->second->writes_pending;
    }
    // The next batch starts its sync while the effects of this one go out.
    Flush();
    for (Action& action : actions) action(absl::OkStatus());
    for (const RunId& id : batch.runs) AfterRunCommitted(id);
    Pump();
    Evict();
  }
  if (close_done_ != nullptr && !syncing_ && filling_.writes.writes.empty()) {
    std::exchange(close_done_, nullptr)();
  }
}

void Partition::AfterRunCommitted(const RunId& id) {
  const auto it = runs_.find(id);
  if (it == runs_.end()) return;
  LiveRun& run = *it->second;
  if (run.writes_pending == 0) {
    for (auto waiting = run.update_waiters.begin(); waiting != run.update_waiters.end();) {
      const auto record = run.state.updates.find(waiting->first);
      const bool completed = record != run.state.updates.end() && record->second.completed;
      if (!completed && !run.state.closed() && !waits_ended_) {
        ++waiting;
        continue;
      }
      for (UpdateCallback& done : waiting->second) {
        if (!completed && !run.state.closed()) {
          done(absl::UnavailableError(
              absl::StrCat("the server is stopping; update ", waiting->first,
                           " is accepted and goes on: ask again with this update_id")));
          continue;
        }
        if (!completed) {
          REACHED("run closed before its update");
          done(absl::FailedPreconditionError(
              absl::StrCat("run ", run.id.value(), " closed before it answered the update")));
          continue;
        }
        v1::UpdateWorkflowResponse response;
        response.set_run_id(run.id.value());
        response.set_update_id(waiting->first);
        const auto& outcome = record->second.outcome;
        if (outcome.has_failure()) {
          *response.mutable_failure() = outcome.failure();
        } else {
          *response.mutable_result() = outcome.result();
        }
        done(std::move(response));
      }
      waiting = run.update_waiters.erase(waiting);
    }
  }
  WakeWaiters(id);
  SendMessages(run);
  if (run.state.closed() && !run.pinned()) {
    const bool owes = run.owes;
    Forget(id);
    if (owes) SetDue(id, Now() + options_.store_retry);
    return ArmTimer();
  }
  QueueReady(run);
  UpdateDue(run);
}

void Partition::DropUncommitted(const Batch& failed, const absl::Status& status) {
  base::Log(base::LogLevel::kError, "commit failed; its runs are loaded again from the store", {},
            {{"partition", index_}, {"status", status.ToString()}, {"runs", failed.runs.size()}});
  REACHED("commit failed or unknown");
  // Whatever was built on the failed batch goes with it.
  Batch next = std::exchange(filling_, Batch{});
  ++filling_number_;
  std::vector<RunId> lost = failed.runs;
  if (!next.runs.empty()) REACHED("batch dropped with the one before");
  lost.insert(lost.end(), next.runs.begin(), next.runs.end());
  for (const RunId& id : lost) {
    const auto it = runs_.find(id);
    if (it == runs_.end()) continue;
    for (auto& [update_id, waiting] : it->second->update_waiters) {
      REACHED("update lost with its batch");
      for (UpdateCallback& done : waiting) done(status);
    }
    it->second->update_waiters.clear();
    Forget(id);
    SetDue(id, Now() + options_.store_retry);
  }
  for (Action& action : next.after) action(status);
  if (absl::IsAborted(status)) {
    REACHED("lease lost at a commit");
    LoseLease(status);
  }
  ArmTimer();
}

void Partition::LoseLease(const absl::Status& status) {
  if (!closed_.exchange(true)) deps_.on_lease_lost(status);
}

bool Partition::HoldsLease() {
  if (closed_) return false;
  const absl::Duration now = deps_.loop.clock().Monotonic();
  if (now - lease_seen_ <= options_.lease_check_after) return true;
  const absl::Status status = deps_.store.CheckEpoch(index_, epoch_);
  if (status.ok()) {
    lease_seen_ = now;
    return true;
  }
  if (absl::IsAborted(status)) {
    REACHED("lease lost before a dispatch");
    base::Log(base::LogLevel::kError, "the lease was lost; nothing more goes out", {},
              {{"partition", index_}, {"status", status.ToString()}});
    LoseLease(status);
  } else if (!lease_retry_) {
    REACHED("lease not confirmed");
    lease_retry_ = true;
    deps_.loop.PostAfter(options_.store_retry, [this] {
      lease_retry_ = false;
      Pump();
    });
  }
  return false;
}

void Partition::SetDue(const RunId& id, absl::Time due) {
  const auto known = due_of_.find(id);
  if (known != due_of_.end()) {
    if (known->second == due) return;
    due_.erase({known->second, id});
    due_of_.erase(known);
  }
  if (due == absl::InfiniteFuture()) return;
  due_.insert({due, id});
  due_of_[id] = due;
}

void Partition::UpdateDue(LiveRun& run) {
  absl::Time due = core::NextDue(run.state);
  if (!run.stuck_reason.empty()) {
    // While it is held its code is not tried again.
    due = run.state.paused ? absl::InfiniteFuture() : run.stuck_retry_at;
  } else if (run.state.wants_task() && run.writes_pending == 0) {
    due = absl::InfinitePast();  // it had to wait until its history was written
  }
  if (run.stuck_reason.empty()) {
    due = std::min(due, NeedsCodeForLocals(run) ? absl::InfinitePast() : LocalsDue(run));
  }
  const bool owes = run.state.closed() && run.owes && run.messages == 0;
  if (run.message_waits || owes) due = std::min(due, Now() + options_.store_retry);
  SetDue(run.id, due);
  ArmTimer();
}

void Partition::ArmTimer() {
  // A wall clock may jump: look again at least every half minute.
  const absl::Time now = Now();
  absl::Time at = now + absl::Seconds(30);
  if (!due_.empty()) at = std::min(at, due_.begin()->first);
  if (horizon_ != absl::InfinitePast()) {
    at = std::min(at, horizon_ - options_.due_horizon / 2);
  }
  at = std::max(at, now);
  if (timer_ != 0 && timer_at_ <= at) return;
  if (timer_ != 0) deps_.loop.CancelTimer(timer_);
  timer_at_ = at;
  timer_ = deps_.loop.PostAfter(at - now, [this] {
    timer_ = 0;
    OnDue();
  });
}

void Partition::OnDue() {
  if (closed_) return;
  const absl::Time now = Now();
  for (int i = 0; i < options_.due_runs_per_turn; ++i) {
    if (due_.empty() || due_.begin()->first > now) break;
    const RunId id = due_.begin()->second;
    SetDue(id, absl::InfiniteFuture());
    absl::StatusOr<LiveRun*> run = Find(id);
    if (run.ok()) {
      RunDue(**run);
    } else if (run.status().code() != absl::StatusCode::kNotFound) {
      REACHED("due run not loaded");
      base::Log(base::LogLevel::kError, "a due run cannot be loaded", {.run_id = id.value()},
                {{"status", run.status().ToString()}});
      SetDue(id, now + absl::Seconds(30));
    }
  }
  Pump();
  Evict();
  if (horizon_ - options_.due_horizon / 2 <= now) ScanDue();
  ArmTimer();
}

void Partition::RunDue(LiveRun& run) {
  if (run.state.closed()) {
    REACHED("closed run is due");
    // A commit whose outcome was unknown had closed it: whoever waits for it must hear.
    WakeWaiters(run.id);
    SendMessages(run);
    return UpdateDue(run);
  }
  if (!run.stuck_reason.empty() && Now() < run.stuck_retry_at) {
    SendMessages(run);  // what its code ordered before
    return UpdateDue(run);
  }
  LocalTimeouts(run);
  core::TransitionBuilder transition(run.state, Now());
  std::vector<core::AttemptToStop> stop = core::OnTime(transition, deps_.random);
  const auto advanced = AdvanceUpdates(run, transition, std::move(stop), {});
  if (!advanced.ok()) return;  // stuck: it was written and has its next try
  if (run.writes_pending == 0) {
    QueueReady(run);
    SendMessages(run);
    UpdateDue(run);
    WakeWaiters(run.id);
  }
}

void Partition::ScanDue() {
  if (scanning_ || closed_) return;
  scanning_ = true;
  const absl::Time until = Now() + options_.due_horizon;
  store::DueRun after{.run_id = RunId(), .wake_at = horizon_};
  constexpr int kPage = 10'000;
  while (true) {
    absl::StatusOr<std::vector<store::DueRun>> page =
        deps_.store.DueRuns(slot_first_, slot_last_, after, until, kPage);
    if (!page.ok()) {
      REACHED("due runs not read");
      base::Log(base::LogLevel::kError, "due runs cannot be read; trying again", {},
                {{"status", page.status().ToString()}});
      scanning_ = false;
      timer_ = deps_.loop.PostAfter(options_.store_retry, [this] {
        timer_ = 0;
        ScanDue();
        ArmTimer();
      });
      return;
    }
    for (const store::DueRun& due : *page) {
      // A live run knows better than its stored row.
      if (!runs_.contains(due.run_id)) SetDue(due.run_id, due.wake_at);
    }
    if (page->size() < kPage) break;
    after = page->back();
  }
  horizon_ = until;
  scanning_ = false;
  ArmTimer();
}

}  // namespace engine
