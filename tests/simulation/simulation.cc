#include "tests/simulation/simulation.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/simulation/client.h"
#include "tests/simulation/node.h"

namespace sim {
namespace {

constexpr uint64_t kStepsMax = 300'000;
constexpr absl::Duration kPeaceMax = absl::Hours(6);  // virtual: every run ends within it

// What happens to the world; the rates differ from seed to seed.
class Faults : public store::StoreFaults {
 public:
  Faults(Scheduler& scheduler, Checker& checker) : scheduler_(scheduler), checker_(checker) {
    commit_rate_ = scheduler.Chance(0.5) ? 0.03 : 0.0;
    read_rate_ = scheduler.Chance(0.3) ? 0.02 : 0.0;
  }
  CommitFault OnCommit(const store::WriteBatch& batch) override {
    if (!on_ || commit_rate_ == 0.0 || !scheduler_.Chance(commit_rate_)) return CommitFault::kNone;
    const bool after = scheduler_.Chance(0.5);
    seen.insert(after ? "commit of unknown outcome" : "commit failed");
    scheduler_.Log([&] { return after ? "fault: commit, outcome unknown" : "fault: commit"; });
    return after ? CommitFault::kAfterWrite : CommitFault::kBeforeWrite;
  }
  absl::Status OnRead() override {
    if (!on_ || read_rate_ == 0.0 || !scheduler_.Chance(read_rate_)) return absl::OkStatus();
    seen.insert("read failed");
    return absl::UnavailableError("simulated disk: I/O error");
  }
  void OnWritten(const store::WriteBatch& batch) override { checker_.OnWritten(batch); }
  void Stop() { on_ = false; }
  std::set<std::string> seen;

 private:
  Scheduler& scheduler_;
  Checker& checker_;
  bool on_ = true;
  double commit_rate_ = 0;
  double read_rate_ = 0;
};

class Simulation {
 public:
  Simulation(const Options& options, base::Metrics& metrics)
      : trace_(options.trace),
        scheduler_(options.seed, trace_),
        vendor_(scheduler_),
        checker_(scheduler_, vendor_),
        faults_(scheduler_, checker_),
        world_{.scheduler = scheduler_,
               .vendor = vendor_,
               .checker = checker_,
               .disk = std::make_shared<store::SimulatedDisk>(),
               .faults = faults_,
               .metrics = metrics,
               .broken = options.broken},
        client_(
            scheduler_, checker_, [this] { return Route(); }, options.broken),
        fault_loop_(scheduler_, "faults") {
    vendor_.set_undo_is_noop(options.broken == Rule::kCompensationIsNoop);
    const int live_max[] = {1, 3, 10'000};
    world_.options.live_runs_max = live_max[scheduler_.Below(3)];
    world_.options.due_horizon = scheduler_.Chance(0.5) ? absl::Seconds(60) : absl::Seconds(10);
  }

  Result Run() {
    Plan();
    Open();
    while (!peace_ && Step()) {
    }
    MakePeace();
    const absl::Duration limit = scheduler_.now() + kPeaceMax;
    while (scheduler_.now() < quiet_until_ && Step()) {
    }
    // A clock that was set back makes what is due wait until it has caught up.
    if (clock_rate_ == 0.0) checker_.CheckNothingOverdue();
    while (!client_.Done() && scheduler_.now() < limit && Step()) {
    }
    Finish();
    Result result{.violation = checker_.violation(),
                  .hash = trace_.hash(),
                  .steps = scheduler_.steps(),
                  .lives = static_cast<int>(client_.programs().size())};
    for (const auto* seen : {&faults_.seen, &vendor_.fates_seen, &seen_}) {
      for (const std::string& name : *seen) result.reached.insert("fault: " + name);
    }
    for (const std::string& name : checker_.events_seen) result.reached.insert("event: " + name);
    for (const std::string& name : client_.verbs_seen()) result.reached.insert("verb: " + name);
    if (checker_.stale_effects_left > 0) result.reached.insert("limit: effect of a stale owner");
    result.trace.assign(trace_.lines().begin(), trace_.lines().end());
    return result;
  }

 private:
  void Plan() {
    const uint64_t workflows = 1 + scheduler_.Below(5);
    const absl::Duration chaos = scheduler_.Between(absl::Seconds(20), absl::Minutes(4));
    for (uint64_t i = 0; i < workflows; ++i) {
      const bool timed = scheduler_.Chance(0.2);
      client_.Begin(
          absl::StrCat("w", i), RandomProgram(scheduler_),
          scheduler_.Between(absl::Milliseconds(1), chaos * 0.5),
          timed ? scheduler_.Between(absl::Seconds(1), absl::Minutes(5)) : absl::ZeroDuration(),
          scheduler_.Chance(0.3));
    }
    crash_rate_ = scheduler_.Chance(0.7) ? 1.0 : 0.0;
    takeover_rate_ = scheduler_.Chance(0.4) ? 1.0 : 0.0;
    clock_rate_ = scheduler_.Chance(0.4) ? 1.0 : 0.0;
    pause_rate_ = scheduler_.Chance(0.6) ? 3.0 : 0.0;
    fault_loop_.PostAfter(chaos, [this] { peace_ = true; });
    NextFault();
  }

  void NextFault() {
    fault_loop_.PostAfter(scheduler_.Between(absl::Milliseconds(10), absl::Seconds(20)), [this] {
      if (peace_) return;
      Hurt();
      NextFault();
    });
  }

  void Hurt() {
    const double sum = crash_rate_ + takeover_rate_ + clock_rate_ + pause_rate_;
    double dice = scheduler_.random().NextDouble() * sum;
    if (sum == 0.0) return;
    if ((dice -= crash_rate_) < 0) {
      Crash();
    } else if ((dice -= takeover_rate_) < 0) {
      TakeOver();
    } else if ((dice -= clock_rate_) < 0) {
      const absl::Duration by = scheduler_.Between(-absl::Minutes(5), absl::Minutes(5));
      seen_.insert(by < absl::ZeroDuration() ? "clock back" : "clock forward");
      scheduler_.Log([&] { return "fault: clock jumps by " + absl::FormatDuration(by); });
      scheduler_.JumpWallClock(by);
    } else if (node_ != nullptr) {
      SimLoop& loop = node_->RandomLoop();
      seen_.insert("loop paused");
      loop.PauseUntil(scheduler_.now() +
                      scheduler_.Between(absl::Milliseconds(1), absl::Seconds(25)));
      scheduler_.Log([&] { return "fault: pause of " + loop.name(); });
    }
  }

  // The process dies; another one opens after a while.
  void Crash() {
    if (node_ == nullptr) return;
    const bool written = scheduler_.Chance(0.5);
    seen_.insert(written ? "crash after the commit" : "crash");
    node_->Crash(written);
    node_.reset();
    stale_.reset();
    checker_.CheckDisk(*world_.disk);
    fault_loop_.PostAfter(scheduler_.Between(absl::Milliseconds(1), absl::Seconds(10)), [this] {
      if (node_ == nullptr) Open();
    });
  }

  // Another node takes over while the old one still runs.
  void TakeOver() {
    if (node_ == nullptr) return;
    seen_.insert("stale owner");
    stale_ = std::move(node_);
    Open();
    const int64_t epoch = stale_->epoch();
    fault_loop_.PostAfter(scheduler_.Between(absl::Milliseconds(1), absl::Seconds(60)),
                          [this, epoch] {
                            if (stale_ != nullptr && stale_->epoch() == epoch) stale_.reset();
                          });
  }

  void Open() { node_ = std::make_unique<Node>(world_, ++nodes_); }

  engine::Partition* Route() {
    if (stale_ != nullptr && scheduler_.Chance(0.3)) return &stale_->partition();
    return node_ == nullptr ? nullptr : &node_->partition();
  }

  void MakePeace() {
    scheduler_.Log([] { return "the faults are over"; });
    stale_.reset();
    faults_.Stop();
    vendor_.set_faulty(false);
    if (node_ == nullptr) Open();
    quiet_until_ = scheduler_.now() + absl::Minutes(6);
    client_.Settle(quiet_until_);
    peace_ = true;
  }

  void Finish() {
    for (const std::string& id : client_.open()) {
      const Checker::Shadow* run = checker_.Newest(id);
      checker_.Fail(absl::StrCat("workflow ", id, " did not end: ",
                                 run == nullptr
                                     ? "it never began"
                                     : absl::StrCat(run->row.run_id.value(), " is ",
                                                    v1::RunStatus::Value_Name(run->row.status), " ",
                                                    run->row.status_reason)));
    }
    // What was sent arrives yet: late effects.
    const absl::Duration limit = scheduler_.now() + absl::Minutes(11);
    while (scheduler_.now() < limit && Step()) {
    }
    checker_.CheckDisk(*world_.disk);
    sdk::Registry registry;
    RegisterPrograms(registry, scheduler_, vendor_, std::make_shared<Life>(), world_.broken);
    worker::WorkflowWorker runner(registry);
    checker_.CheckEnd(client_.programs(), runner);
  }

  bool Step() {
    if (!checker_.violation().empty()) return false;
    if (scheduler_.steps() > kStepsMax) {
      checker_.Fail("the simulation does not come to an end");
      return false;
    }
    return scheduler_.Step();
  }

  Trace trace_;
  Scheduler scheduler_;
  Vendor vendor_;
  Checker checker_;
  Faults faults_;
  World world_;
  Client client_;
  SimLoop fault_loop_;
  std::unique_ptr<Node> node_;
  std::unique_ptr<Node> stale_;
  int nodes_ = 0;
  bool peace_ = false;
  absl::Duration quiet_until_ = absl::ZeroDuration();
  double crash_rate_ = 0;
  double takeover_rate_ = 0;
  double clock_rate_ = 0;
  double pause_rate_ = 0;
  std::set<std::string> seen_;
};

}  // namespace

Result RunSimulation(const Options& options, base::Metrics& metrics) {
  Simulation simulation(options, metrics);
  return simulation.Run();
}

}  // namespace sim
