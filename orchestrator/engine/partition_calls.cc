#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace engine {
void Partition::Describe(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    absl::StatusOr<LiveRun*> run =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    if (!run.ok()) return done(run.status());
    v1::WorkflowInfo info = DescribeRun(**run, Now());
    info.set_continue_as_new_suggested(SuggestsContinueAsNew(**run));
    Answer(**run, std::move(done), std::move(info));
  });
}

void Partition::GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    absl::StatusOr<LiveRun*> run =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    if (!run.ok()) return done(run.status());
    Answer(**run, std::move(done), DescribeSaga((*run)->state, Now()));
  });
}

void Partition::Signal(v1::SignalWorkflowRequest request,
                       Callback<v1::SignalWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    if (absl::Status size = CheckPayloadSize(request.input()); !size.ok()) {
      return done(size);
    }
    if (absl::Status name = CheckName("signal_name", request.signal_name()); !name.ok()) {
      return done(name);
    }
    if (absl::Status who = CheckIdentity(request.identity()); !who.ok()) return done(who);
    absl::StatusOr<LiveRun*> found =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    // One that a run took before it closed is acknowledged when it is repeated.
    // A store that cannot be read now says nothing: to look again could skip this.
    if (!found.ok()) return done(found.status());
    const bool repeated = !request.request_id().empty() &&
                          (*found)->state.signal_request_ids.contains(request.request_id());
    if (!repeated) found = FindOpen(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    if (!repeated) {
      if (absl::Status limits = CheckLimits(run); !limits.ok()) return done(limits);
      if (absl::Status limits = CheckSignal(run); !limits.ok()) return done(limits);
      v1::WorkflowExecutionSignaled signal;
      signal.set_signal_name(request.signal_name());
      *signal.mutable_input() = request.input();
      signal.set_identity(request.identity());
      signal.set_request_id(request.request_id());
      core::TransitionBuilder transition(run.state, Now());
      core::Signal(transition, std::move(signal));
      Advance(run, transition, {});  // a stuck run keeps the signal for later
    }
    v1::SignalWorkflowResponse response;
    response.set_run_id(run.id.value());
    Answer(run, std::move(done), std::move(response));
  });
}

void Partition::Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    absl::StatusOr<LiveRun*> found =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    if (absl::Status name = CheckName("query_name", request.query_name()); !name.ok()) {
      return done(name);
    }
    if (run.state.begins_at != absl::InfinitePast()) {
      return done(absl::FailedPreconditionError(
          absl::StrCat("run ", run.id.value(), " has not begun; it begins at ",
                       absl::FormatTime(run.state.begins_at, absl::UTCTimeZone()))));
    }
    if (MustWaitForHistory(run)) {
      return AfterCommit(run, [this, request = std::move(request),
                               done = std::move(done)](absl::Status status) mutable {
        status.ok() ? Query(std::move(request), std::move(done)) : done(status);
      });
    }
    if (absl::Status made = EnsureWorkflow(run); !made.ok()) {
      if (!run.state.closed() && run.stuck_reason.empty()) {
        core::TransitionBuilder nothing(run.state, Now());
        MarkStuck(run, made);
        Write(run, nothing);
        UpdateDue(run);
      }
      return done(absl::InternalError(
          absl::StrCat("run ", run.id.value(), " cannot answer: ", made.message())));
    }
    base::Outcome<v1::Payload> answer = [&] {
      const LoopWatch::Work work{.kind = LoopWatch::Kind::kQuery, .row = &run.row};
      const LoopWatch::Scope watched(watch_, work, deps_.loop.clock().Monotonic());
      return run.workflow->Query(request.query_name(), request.input());
    }();
    if (!answer.ok()) {
      const base::Failure& failure = answer.failure();
      return done(failure.type == "UnknownQuery" ? absl::NotFoundError(failure.message)
                                                 : absl::InvalidArgumentError(failure.ToString()));
    }
    v1::QueryWorkflowResponse response;
    *response.mutable_result() = *std::move(answer);
    response.set_run_id(run.id.value());
    response.set_status(run.row.status);
    Answer(run, std::move(done), std::move(response));
  });
}

void Partition::Update(v1::UpdateWorkflowRequest request, UpdateCallback done) {
  Enqueue<v1::UpdateWorkflowResponse>(
      std::move(done), [this, request = std::move(request)](auto done) mutable {
        if (absl::Status size = CheckPayloadSize(request.input()); !size.ok()) {
          return done(size);
        }
        if (absl::Status name = CheckName("update_name", request.update_name()); !name.ok()) {
          return done(name);
        }
        if (absl::Status who = CheckIdentity(request.identity()); !who.ok()) return done(who);
        absl::StatusOr<LiveRun*> found =
            FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
        if (!found.ok()) return done(found.status());
        LiveRun& run = **found;
        if (request.update_id().empty()) {
          request.set_update_id(base::NewRunId(Now(), deps_.random).value());
        }
        if (run.state.updates.contains(request.update_id())) {
          return AwaitUpdate(run, request.update_id(), std::move(done));
        }
        absl::StatusOr<LiveRun*> open =
            FindOpen(request.namespace_(), request.workflow_id(), request.run_id());
        if (!open.ok()) return done(open.status());
        if (MustWaitForHistory(run)) {
          return AfterCommit(run, [this, request = std::move(request),
                                   done = std::move(done)](absl::Status status) mutable {
            status.ok() ? Update(std::move(request), std::move(done)) : done(status);
          });
        }
        core::TransitionBuilder transition(run.state, Now());
        RunUpdate(run, transition,
                  {request.update_id(), request.update_name(), request.input(), request.identity()},
                  std::move(done));
      });
}

void Partition::RunUpdate(LiveRun& run, core::TransitionBuilder& transition, WorkflowUpdate update,
                          UpdateCallback done) {
  if (absl::Status limits = CheckUpdate(run); !limits.ok()) return done(limits);
  const std::string id = update.update_id;
  absl::StatusOr<std::vector<UpdateVerdict>> verdicts =
      AdvanceUpdates(run, transition, {}, {std::move(update)});
  if (!verdicts.ok()) {
    return done(absl::InternalError(
        absl::StrCat("run ", run.id.value(), " is STUCK: ", verdicts.status().message())));
  }
  if (!verdicts->empty() && verdicts->back().rejected.has_value()) {
    v1::UpdateWorkflowResponse response;
    response.set_run_id(run.id.value());
    response.set_update_id(id);
    *response.mutable_rejected() = *verdicts->back().rejected;
    return Answer(run, std::move(done), std::move(response));
  }
  AwaitUpdate(run, id, std::move(done));
}

void Partition::AwaitUpdate(LiveRun& run, const std::string& update_id, UpdateCallback done) {
  run.update_waiters[update_id].push_back(std::move(done));
  if (run.writes_pending == 0) AfterRunCommitted(run.id);
}

void Partition::Cancel(v1::CancelWorkflowRequest request,
                       Callback<v1::CancelWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    if (absl::Status who = CheckIdentity(request.identity()); !who.ok()) return done(who);
    if (absl::Status why = CheckReason(request.reason()); !why.ok()) return done(why);
    absl::StatusOr<LiveRun*> found =
        FindOpen(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    core::TransitionBuilder transition(run.state, Now());
    core::RequestCancel(
        transition,
        request.reason().empty() ? "canceled by " + request.identity() : request.reason(),
        request.identity());
    Advance(run, transition, {});
    v1::CancelWorkflowResponse response;
    response.set_run_id(run.id.value());
    Answer(run, std::move(done), std::move(response));
  });
}

void Partition::Terminate(v1::TerminateWorkflowRequest request,
                          Callback<v1::TerminateWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    if (absl::Status who = CheckIdentity(request.identity()); !who.ok()) return done(who);
    if (absl::Status why = CheckReason(request.reason()); !why.ok()) return done(why);
    absl::StatusOr<LiveRun*> found =
        FindOpen(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    core::TransitionBuilder transition(run.state, Now());
    std::vector<core::AttemptToStop> stop =
        core::Terminate(transition, request.reason(), request.identity());
    v1::TerminateWorkflowResponse response;
    response.set_run_id(run.id.value());
    for (const std::string& step :
         transition.events().rbegin()->workflow_execution_terminated().steps_left_behind()) {
      response.add_steps_left_behind(step);
    }
    run.stuck_reason.clear();
    Advance(run, transition, std::move(stop));
    Answer(run, std::move(done), std::move(response));
  });
}

void Partition::GetResult(v1::GetWorkflowResultRequest request,
                          Callback<v1::GetWorkflowResultResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    absl::StatusOr<LiveRun*> found =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    const RunId id = (*found)->id;
    const absl::Duration wait = std::min(history::FromProto(request.wait()), options_.wait_max);
    const absl::Time deadline = Now() + wait;
    auto shared = std::make_shared<Callback<v1::GetWorkflowResultResponse>>(std::move(done));
    // Answers when the run is closed (or `even_open`); true when it did.
    auto answer = [this, id, shared, request, deadline](bool even_open) {
      absl::StatusOr<LiveRun*> run = Find(id);
      if (!run.ok()) {
        (*shared)(run.status());
        return true;
      }
      const core::RunState& state = (*run)->state;
      const bool closed = state.closed() && (*run)->writes_pending == 0;
      if (!closed && !even_open) return false;
      if (closed && state.closed_status == v1::RunStatus::CONTINUED_AS_NEW &&
          request.run_id().empty() && !closed_) {
        // The caller asked for the workflow, so its next run answers.
        v1::GetWorkflowResultRequest next = request;
        *next.mutable_wait() = history::ToProto(std::max(deadline - Now(), absl::ZeroDuration()));
        GetResult(std::move(next), std::move(*shared));
        return true;
      }
      v1::GetWorkflowResultResponse response;
      response.set_workflow_id(request.workflow_id());
      response.set_run_id(id.value());
      response.set_status(closed           ? (*run)->row.status
                          : state.closed() ? v1::RunStatus::RUNNING
                                           : (*run)->row.status);
      if (closed && state.closed_status == v1::RunStatus::COMPLETED) {
        *response.mutable_result() = state.result;
      } else if (closed && state.failure.has_value()) {
        *response.mutable_failure() = *state.failure;
      }
      (*shared)(std::move(response));
      return true;
    };
    if (answer(wait <= absl::ZeroDuration())) return;
    AddWaiter(
        id, wait, [answer] { return answer(false); }, [answer] { answer(true); },
        [shared] { (*shared)(Stopping()); });
  });
}

void Partition::AwaitHistory(v1::GetWorkflowHistoryRequest request,
                             Callback<v1::WorkflowInfo> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    absl::StatusOr<LiveRun*> found =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    const RunId id = (*found)->id;
    auto shared = std::make_shared<Callback<v1::WorkflowInfo>>(std::move(done));
    auto answer = [this, id, shared, after = request.after_event_id()](bool anyway) {
      absl::StatusOr<LiveRun*> run = Find(id);
      if (!run.ok()) {
        (*shared)(run.status());
        return true;
      }
      const bool committed = (*run)->writes_pending == 0;
      const bool news = (*run)->row.next_event_id - 1 > after || (*run)->state.closed();
      if (!anyway && !(committed && news)) return false;
      (*shared)(DescribeRow((*run)->row));
      return true;
    };
    const absl::Duration wait = std::min(history::FromProto(request.wait()), options_.wait_max);
    if (answer(wait <= absl::ZeroDuration())) return;
    AddWaiter(
        id, wait, [answer] { return answer(false); }, [answer] { answer(true); },
        [shared] { (*shared)(Stopping()); });
  });
}

void Partition::AddWaiter(const RunId& id, absl::Duration wait, absl::AnyInvocable<bool()> ready,
                          absl::AnyInvocable<void()> expired, absl::AnyInvocable<void()> ended) {
  if (waits_ended_) return ended();
  if (waiters_count_ >= static_cast<size_t>(options_.waiters_max)) return expired();
  auto waiter = std::make_shared<Waiter>();
  waiter->id = ++last_waiter_;
  waiter->ready = std::move(ready);
  waiter->ended = std::move(ended);
  waiter->timer = deps_.loop.PostAfter(
      wait, [this, id, waiter_id = waiter->id, expired = std::move(expired)]() mutable {
        const auto it = waiters_.find(id);
        if (it == waiters_.end()) return;
        auto& list = it->second;
        const auto found = std::find_if(list.begin(), list.end(),
                                        [waiter_id](const auto& w) { return w->id == waiter_id; });
        if (found == list.end()) return;
        list.erase(found);
        --waiters_count_;
        if (list.empty()) waiters_.erase(it);
        expired();
      });
  waiters_[id].push_back(std::move(waiter));
  ++waiters_count_;
}

void Partition::EndWaits() {
  deps_.loop.Post([this] { AnswerWaiters(); });
}

// Looks at no run: many may have left the memory.
void Partition::AnswerWaiters() {
  waits_ended_ = true;
  waiters_count_ = 0;
  const auto waiters = std::exchange(waiters_, {});
  for (const auto& [id, list] : waiters) {
    for (const auto& waiter : list) {
      deps_.loop.CancelTimer(waiter->timer);
      waiter->ended();
    }
  }
  std::vector<RunId> updated;
  for (const auto& [id, run] : runs_) {
    if (!run->update_waiters.empty() && run->writes_pending == 0) updated.push_back(id);
  }
  for (const RunId& id : updated) AfterRunCommitted(id);  // with others, their commit answers
}

void Partition::WakeWaiters(const RunId& id) {
  const auto it = waiters_.find(id);
  if (it == waiters_.end()) return;
  std::vector<std::shared_ptr<Waiter>> list = std::move(it->second);
  waiters_.erase(it);
  std::vector<std::shared_ptr<Waiter>> still;
  for (auto& waiter : list) {
    if (waiter->ready()) {
      deps_.loop.CancelTimer(waiter->timer);
      --waiters_count_;
    } else {
      still.push_back(std::move(waiter));
    }
  }
  if (!still.empty()) {
    auto& again = waiters_[id];
    again.insert(again.end(), still.begin(), still.end());
  }
}

}  // namespace engine
