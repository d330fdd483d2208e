#include "tests/simulation/node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activities.h"
#include "orchestrator/base/check.h"

namespace sim {

Node::Node(World& world, int number, absl::Duration clock_offset)
    : world_(world),
      number_(number),
      clock_(world.scheduler, clock_offset),
      commit_loop_(world.scheduler, absl::StrCat("commit-", number)),
      io_loop_(world.scheduler, absl::StrCat("io-", number)),
      disk_loop_(world.scheduler, absl::StrCat("disk-", number)),
      peers_(world.network, life_, world.broken),
      random_(world.scheduler.random().Next()) {
  if (world.broken == Rule::kEarlyTimer) clock_.RunAhead(absl::Seconds(20));
  commit_loop_.set_clock(&clock_);
  io_loop_.set_clock(&clock_);
  disk_loop_.set_clock(&clock_);
  RegisterPrograms(registry_, world.scheduler, world.vendor, life_, world.broken);
  if (world.outside != nullptr) {
    office_ = std::make_unique<Office>(*world.outside, io_loop_, disk_loop_, clock_, random_,
                                       world.metrics, life_);
    campaign::Register(registry_, world.outside->settings(), office_->connectors());
  }
  disk_store_ = std::make_unique<store::SimulatedStore>(world.disk, &world.faults);
  store_ = std::make_unique<BreakingStore>(disk_store_.get(), world.broken, world.scheduler,
                                           world.checker, *world.disk);
  committer_ = std::make_unique<engine::Committer>(*store_, commit_loop_, world.metrics);
  workflows_ = std::make_unique<worker::WorkflowWorker>(registry_);
  activities_ = std::make_unique<worker::ActivityWorker>(registry_, io_loop_,
                                                         worker::ActivityWorkerOptions{.slots = 8});
  activities_->Connect(*this);
  executor_ = std::make_unique<BreakingExecutor>(*activities_, world.broken, world.checker, number);
  world.scheduler.Log([&] {
    return absl::StrCat("node ", number, " starts, its clock is off by ",
                        absl::FormatDuration(clock_offset));
  });
}

Node::~Node() {
  if (!life_->dead) Crash(false);
}

void Node::Acquire(int index) {
  CHECK(!owned_.contains(index));
  const absl::StatusOr<int64_t> epoch =
      store_->AcquirePartition(index, absl::StrCat("node-", number_));
  CHECK(epoch.ok());
  world_.checker.OnAcquired(index, *epoch);
  world_.scheduler.Log([&] {
    return absl::StrCat("node ", number_, " opens partition ", index, ", epoch ", *epoch);
  });
  Owned& owned = owned_[index];
  owned.loop =
      std::make_unique<SimLoop>(world_.scheduler, absl::StrCat("partition-", number_, "-", index));
  owned.loop->set_clock(&clock_);
  const auto [slot_first, slot_last] = SlotsOf(index, world_.options.partitions);
  owned.partition = std::make_unique<engine::Partition>(
      index, slot_first, slot_last, *epoch, world_.options,
      engine::Partition::Dependencies{.store = *store_,
                                      .committer = *committer_,
                                      .runner = *workflows_,
                                      .executor = *executor_,
                                      .loop = *owned.loop,
                                      .random = random_,
                                      .metrics = world_.metrics,
                                      .on_lease_lost =
                                          [this, index](absl::Status) {
                                            world_.scheduler.Log([&] {
                                              return absl::StrCat("node ", number_,
                                                                  " lost partition ", index);
                                            });
                                            world_.on_lease_lost(number_);
                                          },
                                      .peers = &peers_});
  owned.partition->Open();
}

engine::Partition* Node::partition(int index) const {
  const auto it = owned_.find(index);
  return it == owned_.end() ? nullptr : it->second.partition.get();
}

SimLoop& Node::RandomLoop(Dice& dice) {
  const uint64_t choice = dice.Below(2 + owned_.size());
  if (choice == 0) return commit_loop_;
  if (choice == 1) return io_loop_;
  return *std::next(owned_.begin(), static_cast<int>(choice) - 2)->second.loop;
}

void Node::Freeze(absl::Duration until) {
  commit_loop_.PauseUntil(until);
  io_loop_.PauseUntil(until);
  disk_loop_.PauseUntil(until);
  for (auto& [index, owned] : owned_) owned.loop->PauseUntil(until);
}

// As gateway/server does it: first the activities, then the partitions.
void Node::Close(std::function<void()> closed) {
  closing_ = true;
  activities_->Drain([this, closed = std::move(closed)] {
    if (!life_->dead) ClosePartitions(closed);
  });
}

void Node::ClosePartitions(std::function<void()> closed) {
  const auto left = std::make_shared<size_t>(owned_.size());
  if (owned_.empty()) return closed();
  for (auto& [index, owned] : owned_) {
    owned.partition->Close([left, closed] {
      if (--*left == 0) closed();
    });
  }
}

void Node::Crash(bool last_commit) {
  world_.scheduler.Log([&] { return absl::StrCat("node ", number_, " ends"); });
  if (last_commit) commit_loop_.RunOne();
  life_->dead = true;
  world_.checker.OnNodeEnded(number_);
  store_->Crash();
  const auto drop = [this] {
    for (auto& [index, owned] : owned_) owned.loop->Drop();
    commit_loop_.Drop();
  };
  drop();
  for (auto& [index, owned] : owned_) owned.partition.reset();
  // The frames of its activities are freed by letting them end; they find that they are dead.
  activities_->Drain([] {});
  auto beats = std::exchange(beats_, {});
  for (auto& [id, heard] : beats) (*heard)(absl::NotFoundError("the process is gone"));
  while (io_loop_.RunOne() || disk_loop_.RunOne()) {
  }
  drop();
  io_loop_.Drop();
  disk_loop_.Drop();
}

void Node::CompleteActivity(engine::ActivityToken token, core::ActivityOutcome outcome,
                            absl::AnyInvocable<void(absl::Status)> done) {
  if (life_->dead) return;
  world_.checker.OnAttemptEnded(token, number_);
  engine::Partition* const partition = owned_.at(token.partition).partition.get();
  world_.scheduler.Log([&] {
    return absl::StrCat("partition ", token.partition, " epoch ", token.epoch, " dispatch ",
                        token.dispatch, " ended: ",
                        outcome.result.has_value()    ? "result"
                        : outcome.failure.has_value() ? outcome.failure->type()
                                                      : "given back");
  });
  if (world_.broken != Rule::kForgedToken) {
    core::ActivityOutcome told = outcome;
    if (world_.broken == Rule::kPutOffCounts && told.failure.has_value()) {
      told.failure->clear_not_attempted();
    }
    return partition->CompleteActivity(token, std::move(told),
                                       [this, token, outcome = std::move(outcome),
                                        done = std::move(done)](absl::Status status) mutable {
                                         if (status.ok()) world_.checker.OnOutcome(token, outcome);
                                         done(std::move(status));
                                       });
  }
  core::ActivityOutcome copy = outcome;
  partition->CompleteActivity(token, std::move(outcome),
                              [this, partition, token, copy = std::move(copy),
                               done = std::move(done)](absl::Status status) mutable {
                                const engine::ActivityToken newest = executor_->Newest(token);
                                if (absl::IsNotFound(status) && newest.attempt != token.attempt) {
                                  return partition->CompleteActivity(newest, std::move(copy),
                                                                     std::move(done));
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
  engine::Partition* const partition = owned_.at(token.partition).partition.get();
  partition->RecordHeartbeat(std::move(token), std::move(details),
                             [this, id, heard](absl::Status status) {
                               beats_.erase(id);
                               (*heard)(std::move(status));
                             });
}

}  // namespace sim
