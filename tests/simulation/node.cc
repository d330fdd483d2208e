#include "tests/simulation/node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"

namespace sim {

Node::Node(World& world, int number)
    : world_(world),
      early_clock_(world.scheduler),
      partition_loop_(world.scheduler, absl::StrCat("partition-", number)),
      commit_loop_(world.scheduler, absl::StrCat("commit-", number)),
      io_loop_(world.scheduler, absl::StrCat("io-", number)),
      random_(world.scheduler.random().Next()) {
  if (world.broken == Rule::kEarlyTimer) partition_loop_.set_clock(&early_clock_);
  RegisterPrograms(registry_, world.scheduler, world.vendor, life_, world.broken);
  disk_store_ = std::make_unique<store::SimulatedStore>(world.disk, &world.faults);
  store_ = std::make_unique<BreakingStore>(disk_store_.get(), world.broken, world.scheduler,
                                           world.checker, *world.disk);
  const absl::StatusOr<int64_t> epoch = store_->AcquirePartition(0, absl::StrCat("node-", number));
  CHECK(epoch.ok());
  epoch_ = *epoch;
  world.checker.OnAcquired(epoch_);
  committer_ = std::make_unique<engine::Committer>(*store_, commit_loop_, world.metrics);
  workflows_ = std::make_unique<worker::WorkflowWorker>(registry_);
  activities_ = std::make_unique<worker::ActivityWorker>(registry_, io_loop_,
                                                         worker::ActivityWorkerOptions{.slots = 8});
  activities_->Connect(*this);
  executor_ = std::make_unique<BreakingExecutor>(*activities_, world.broken, world.checker);
  partition_ = std::make_unique<engine::Partition>(
      0, 0, store::kSlots - 1, epoch_, world.options,
      engine::Partition::Dependencies{
          .store = *store_,
          .committer = *committer_,
          .runner = *workflows_,
          .executor = *executor_,
          .loop = partition_loop_,
          .random = random_,
          .metrics = world.metrics,
          .on_lease_lost = [this](absl::Status) { lease_lost_ = true; }});
  world.scheduler.Log([&] { return absl::StrCat("node ", number, " opens, epoch ", epoch_); });
  partition_->Open();
}

Node::~Node() {
  if (!life_->dead) Crash(false);
}

SimLoop& Node::RandomLoop() {
  SimLoop* const loops[] = {&partition_loop_, &commit_loop_, &io_loop_};
  return *loops[world_.scheduler.Below(3)];
}

void Node::Crash(bool last_commit) {
  world_.scheduler.Log([&] { return absl::StrCat("node of epoch ", epoch_, " crashes"); });
  if (last_commit) commit_loop_.RunOne();
  life_->dead = true;
  store_->Crash();
  partition_loop_.Drop();
  commit_loop_.Drop();
  partition_.reset();
  // The frames of its activities are freed by letting them end; they find that they are dead.
  activities_->Drain([] {});
  auto beats = std::exchange(beats_, {});
  for (auto& [id, heard] : beats) (*heard)(absl::NotFoundError("the process is gone"));
  while (io_loop_.RunOne()) {
  }
  partition_loop_.Drop();
  commit_loop_.Drop();
  io_loop_.Drop();
}

void Node::CompleteActivity(engine::ActivityToken token, core::ActivityOutcome outcome,
                            absl::AnyInvocable<void(absl::Status)> done) {
  if (life_->dead) return;
  world_.scheduler.Log([&] {
    return absl::StrCat("epoch ", epoch_, " dispatch ", token.dispatch, " ended: ",
                        outcome.result.has_value()    ? "result"
                        : outcome.failure.has_value() ? outcome.failure->type()
                                                      : "given back");
  });
  if (world_.broken != Rule::kForgedToken) {
    return partition_->CompleteActivity(std::move(token), std::move(outcome), std::move(done));
  }
  core::ActivityOutcome copy = outcome;
  partition_->CompleteActivity(
      token, std::move(outcome),
      [this, token, copy = std::move(copy), done = std::move(done)](absl::Status status) mutable {
        const engine::ActivityToken newest = executor_->Newest(token);
        if (absl::IsNotFound(status) && newest.attempt != token.attempt) {
          return partition_->CompleteActivity(newest, std::move(copy), std::move(done));
        }
        done(std::move(status));
      });
}

void Node::RecordHeartbeat(engine::ActivityToken token, v1::Payload details,
                           absl::AnyInvocable<void(absl::Status)> done) {
  if (life_->dead) return done(absl::NotFoundError("the process is gone"));
  const uint64_t id = ++last_beat_;
  auto heard = std::make_shared<Heard>(std::move(done));
  beats_[id] = heard;
  partition_->RecordHeartbeat(std::move(token), std::move(details),
                              [this, id, heard](absl::Status status) {
                                beats_.erase(id);
                                (*heard)(std::move(status));
                              });
}

}  // namespace sim
