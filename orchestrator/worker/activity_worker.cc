#include "orchestrator/worker/activity_worker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/task.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace worker {
namespace {

namespace v1 = engine::v1;

v1::Failure UnknownActivity(const std::string& type) {
  return history::ToProto(base::Failure::Permanent(
      "UnknownActivity", absl::StrCat("activity type \"", type,
                                      "\" is not registered at this worker; deploy the code "
                                      "that has it")));
}

}  // namespace

class ActivityWorker::Attempt : public sdk::ActivityContext {
 public:
  Attempt(const engine::ActivityTask& task, base::EventLoop& loop, engine::WorkerPort& port)
      : token_(task.token), port_(port) {
    const v1::ActivityTaskScheduled& scheduled = *task.scheduled;
    info_ = {.ns = task.ns,
             .workflow_id = task.workflow_id,
             .run_id = task.token.run_id.value(),
             .workflow_type = task.workflow_type,
             .activity_id = scheduled.activity_id(),
             .activity_type = scheduled.activity_type(),
             .idempotency_key = scheduled.idempotency_key(),
             .attempt = task.token.attempt,
             .maximum_attempts = scheduled.retry_policy().maximum_attempts(),
             .scheduled_time = task.scheduled_time,
             .started_time = task.started_time,
             .deadline = task.started_time + history::FromProto(scheduled.start_to_close_timeout()),
             .traceparent = task.traceparent,
             .correlation_id = task.correlation_id};
    cancel_ = source_.token();
    loop_ = &loop;
    last_heartbeat_ = task.last_heartbeat;
  }

  const engine::ActivityToken& token() const { return token_; }
  void Cancel(const std::string& reason) { source_.Cancel(reason); }

  base::Task<sdk::Done> RecordHeartbeatRaw(v1::Payload details) override {
    if (cancel_.canceled()) co_return sdk::Failure::Canceled(cancel_.reason());
    base::Completion<absl::Status> recorded;
    base::EventLoop* loop = loop_;
    port_.RecordHeartbeat(token_, details, [loop, recorded](absl::Status status) {
      loop->Post([recorded, status] { recorded.Set(status); });
    });
    const absl::Status status = co_await recorded;
    if (absl::IsNotFound(status)) {
      co_return sdk::Failure::Canceled("the attempt is not current any more");
    }
    if (!status.ok()) {
      co_return sdk::Failure::Retryable(
          "HeartbeatNotRecorded", absl::StrCat("heartbeat was not recorded: ", status.message()));
    }
    last_heartbeat_ = std::move(details);
    co_return sdk::Unit{};
  }

 private:
  const engine::ActivityToken token_;
  engine::WorkerPort& port_;
  base::CancelSource source_;
};

ActivityWorker::ActivityWorker(const sdk::Registry& registry, base::EventLoop& loop,
                               ActivityWorkerOptions options)
    : registry_(registry), loop_(loop), options_(std::move(options)) {}

ActivityWorker::~ActivityWorker() = default;

void ActivityWorker::Start(engine::ActivityTask task) {
  loop_.Post([this, task = std::move(task)]() mutable { Run(std::move(task)); });
}

void ActivityWorker::Stop(const engine::ActivityToken& token, const std::string& reason) {
  loop_.Post([this, key = KeyOf(token), reason] {
    const auto it = attempts_.find(key);
    if (it != attempts_.end()) it->second->Cancel(reason);
  });
}

void ActivityWorker::Run(engine::ActivityTask task) {
  CHECK(port_ != nullptr);
  if (draining_) return Report(task.token, {.identity = options_.identity});
  const sdk::Registry::Activity* activity = registry_.FindActivity(task.scheduled->activity_type());
  if (activity == nullptr) {
    return Report(task.token, {.failure = UnknownActivity(task.scheduled->activity_type()),
                               .identity = options_.identity});
  }
  auto attempt = std::make_shared<Attempt>(task, loop_, *port_);
  attempts_[KeyOf(task.token)] = attempt;
  base::Spawn(activity->run(*attempt, task.scheduled->input()),
              [this, attempt](std::exception_ptr error, sdk::Outcome<v1::Payload>* outcome) {
                core::ActivityOutcome result{.identity = options_.identity};
                if (error) {
                  // What it did before it threw is not known.
                  base::Failure failure =
                      base::Failure::Retryable("UnhandledException", "activity threw");
                  try {
                    std::rethrow_exception(error);
                  } catch (const base::FailureException& e) {
                    failure = e.failure();
                  } catch (const std::exception& e) {
                    failure.message = e.what();
                    failure.effect_unknown = true;
                  } catch (...) {
                    failure.effect_unknown = true;
                  }
                  result.failure = history::ToProto(failure);
                } else if (outcome->ok()) {
                  result.result = **outcome;
                } else {
                  result.failure = history::ToProto(outcome->failure());
                }
                Finish(attempt, std::move(result));
              });
}

void ActivityWorker::Finish(std::shared_ptr<Attempt> attempt, core::ActivityOutcome outcome) {
  attempts_.erase(KeyOf(attempt->token()));
  // An attempt that was interrupted by the worker's own end is given back, it has not failed.
  if (draining_ && outcome.failure.has_value() && attempt->cancel().canceled()) {
    outcome.failure.reset();
  }
  Report(attempt->token(), std::move(outcome));
  // Not inline: the coroutine that called us still has its frame on the stack.
  loop_.Post([attempt] {});
  CheckDrained();
}

void ActivityWorker::Report(engine::ActivityToken token, core::ActivityOutcome outcome) {
  core::ActivityOutcome copy = outcome;
  port_->CompleteActivity(
      token, std::move(copy),
      [this, token, outcome = std::move(outcome)](absl::Status status) mutable {
        if (!absl::IsUnavailable(status)) return;  // recorded, or not wanted any more
        loop_.Post([this, token = std::move(token), outcome = std::move(outcome)]() mutable {
          if (draining_) return;  // the attempt runs again after the restart
          loop_.PostAfter(options_.report_retry,
                          [this, token = std::move(token), outcome = std::move(outcome)]() mutable {
                            Report(std::move(token), std::move(outcome));
                          });
        });
      });
}

void ActivityWorker::Drain(absl::AnyInvocable<void()> drained) {
  draining_ = true;
  loop_.Post([this, drained = std::move(drained)]() mutable {
    drained_ = std::move(drained);
    auto attempts = attempts_;  // Cancel may end them, and so change the map
    for (auto& [key, attempt] : attempts) attempt->Cancel("the worker is stopping");
    CheckDrained();
  });
}

void ActivityWorker::CheckDrained() {
  if (draining_ && attempts_.empty() && drained_ != nullptr) {
    std::exchange(drained_, nullptr)();
  }
}

}  // namespace worker
