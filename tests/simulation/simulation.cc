#include "tests/simulation/simulation.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/campaign_workflow.h"
#include "tests/simulation/campaigns.h"
#include "tests/simulation/client.h"
#include "tests/simulation/node.h"
#include "tests/simulation/peers.h"

namespace sim {
namespace {

constexpr uint64_t kStepsMax = 300'000;  // of the random workflows, and of each campaign
constexpr absl::Duration kPeaceMax = absl::Hours(6);  // virtual: every run ends within it

// What happens to the disk; the rates differ from seed to seed.
class Faults : public store::StoreFaults {
 public:
  Faults(Scheduler& scheduler, Checker& checker) : scheduler_(scheduler), checker_(checker) {}
  void set_rates(double commit, double read) {
    commit_rate_ = commit;
    read_rate_ = read;
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
      : options_(options),
        trace_(options.trace),
        scheduler_(options.seed + options.salt * 0x9e3779b97f4a7c15ull, trace_),
        plan_(options.seed ^ 0x706c616e),
        harm_(options.seed ^ 0x6861726d),
        vendor_(scheduler_),
        checker_(scheduler_, vendor_),
        faults_(scheduler_, checker_),
        network_(scheduler_, [this](const std::string& id) { return Route(id); }),
        world_{.scheduler = scheduler_,
               .vendor = vendor_,
               .checker = checker_,
               .network = network_,
               .disk = std::make_shared<store::SimulatedDisk>(),
               .faults = faults_,
               .metrics = metrics,
               .broken = options.broken},
        client_(
            scheduler_, checker_, [this](const std::string& id) { return Route(id); },
            options.broken),
        fault_loop_(scheduler_, "faults") {
    world_.on_lease_lost = [this](int number) {
      fault_loop_.PostAfter(scheduler_.Between(absl::Milliseconds(1), absl::Seconds(2)),
                            [this, number] { End(number); });
    };
    vendor_.set_undo_is_noop(options.broken == Rule::kCompensationIsNoop);
    vendor_.set_faulty(options.has(Trouble::kVendor));
    network_.set_faulty(options.has(Trouble::kNetwork));
    client_.set_gentle(!options.has(Trouble::kClient));
  }

  Result Run() {
    Plan();
    while (!peace_ && Step()) {
    }
    MakePeace();
    const absl::Duration limit = scheduler_.now() + kPeaceMax;
    while (scheduler_.now() < quiet_until_ && Step()) {
    }
    // A clock that was set back makes what is due wait until it has caught up.
    if (!clocks_differ_) checker_.CheckNothingOverdue();
    const auto done = [this] {
      return client_.Done() && checker_.AllClosed() &&
             (campaigns_ == nullptr || campaigns_->Done());
    };
    while (!done() && scheduler_.now() < limit && Step()) {
    }
    Finish();
    Result result{.violation = checker_.violation(),
                  .hash = trace_.hash(),
                  .steps = scheduler_.steps(),
                  .lives = static_cast<int>(client_.programs().size()) + CampaignCount(),
                  .campaigns = CampaignCount(),
                  .hurts = hurts_,
                  .programs = programs_};
    for (const auto* seen : {&faults_.seen, &vendor_.fates_seen, &network_.seen, &seen_}) {
      for (const std::string& name : *seen) result.reached.insert("fault: " + name);
    }
    for (const std::string& name : checker_.events_seen) result.reached.insert("event: " + name);
    for (const std::string& name : client_.verbs_seen()) result.reached.insert("verb: " + name);
    if (campaigns_ != nullptr) {
      for (const std::string& name : outside_->seen) result.reached.insert("fault: " + name);
      for (const std::string& name : campaigns_->seen) result.reached.insert("verb: " + name);
    }
    result.trace.assign(trace_.lines().begin(), trace_.lines().end());
    return result;
  }

 private:
  int CampaignCount() const { return campaigns_ == nullptr ? 0 : campaigns_->count(); }

  // All that follows from the seed alone. Every choice is made, also when it is not used, so that
  // a run that leaves something out is otherwise the same.
  void Plan() {
    const int live_max[] = {1, 3, 10'000};
    world_.options.live_runs_max = live_max[plan_.Below(3)];
    world_.options.due_horizon = plan_.Chance(0.5) ? absl::Seconds(60) : absl::Seconds(10);
    const int partitions[] = {1, 1, 2, 3};
    world_.options.partitions =
        std::min(partitions[plan_.Below(4)], std::max(1, options_.partitions_max));
    nodes_wanted_ = std::min(1 + static_cast<int>(plan_.Below(3)), std::max(1, options_.nodes_max));
    const absl::Duration chaos = plan_.Between(absl::Seconds(20), absl::Minutes(4));
    PlanCampaigns(chaos);
    const int workflows = 1 + static_cast<int>(plan_.Below(5));
    for (int i = 0; i < workflows; ++i) {
      const bool timed = plan_.Chance(0.2);
      const absl::Duration timeout = plan_.Between(absl::Seconds(1), absl::Minutes(5));
      const absl::Duration begin = plan_.Between(absl::Milliseconds(1), chaos * 0.5);
      const bool disturb = plan_.Chance(0.3);
      const absl::Duration delay = plan_.Chance(0.1)
                                       ? plan_.Between(absl::Seconds(1), absl::Minutes(1))
                                       : absl::ZeroDuration();
      std::string program = RandomProgram(plan_);
      if (!options_.programs.empty()) {
        const auto given = options_.programs.find(i);
        if (given == options_.programs.end()) continue;
        program = given->second;
      }
      programs_[i] = program;
      client_.Begin(absl::StrCat("w", i), program, begin, timed ? timeout : absl::ZeroDuration(),
                    delay, disturb);
    }
    const bool cron = plan_.Chance(0.1);
    const absl::Duration cron_begin = plan_.Between(absl::Milliseconds(1), chaos * 0.5);
    if (cron && options_.programs.empty()) {
      client_.BeginCron("cron", "act:0.0: side:red", cron_begin);
    }
    const auto rate = [&](Trouble trouble, double chance, double rate) {
      const bool on = plan_.Chance(chance);
      rates_[trouble] = on && options_.has(trouble) ? rate : 0.0;
    };
    rate(Trouble::kCrash, 0.7, 1.0);
    rate(Trouble::kTakeover, 0.4, 1.0);
    rate(Trouble::kFreeze, 0.3, 0.7);
    rate(Trouble::kClose, 0.3, 0.7);
    rate(Trouble::kPause, 0.6, 3.0);
    rate(Trouble::kClock, 0.4, 1.0);
    rate(Trouble::kCommit, 0.5, 0.03);
    rate(Trouble::kRead, 0.3, 0.02);
    faults_.set_rates(rates_[Trouble::kCommit], rates_[Trouble::kRead]);
    rates_.erase(Trouble::kCommit);
    rates_.erase(Trouble::kRead);
    owner_.assign(world_.options.partitions, 0);
    OpenOrphans();
    fault_loop_.PostAfter(chaos, [this] { peace_ = true; });
    NextFault();
  }

  void PlanCampaigns(absl::Duration chaos) {
    const bool some = plan_.Chance(0.25);
    const int planned = some ? 1 + static_cast<int>(plan_.Below(3)) : 0;
    const int count = std::max(options_.campaigns_min, std::min(planned, options_.campaigns_max));
    Dice choices(options_.seed ^ 0x63616d70);
    if (count == 0) return;
    outside_ = std::make_unique<Outside>(scheduler_, AssetsDir());
    world_.outside = outside_.get();
    campaigns_ = std::make_unique<Campaigns>(scheduler_, checker_, *outside_,
                                             [this](const std::string& id) { return Route(id); });
    if (options_.has(Trouble::kVendor)) outside_->AddFaults(choices);
    for (int i = 0; i < count; ++i) {
      const absl::Duration begin = choices.Between(absl::Milliseconds(1), chaos * 0.5);
      campaigns_->Begin(absl::StrCat("c", i), choices, begin, !options_.has(Trouble::kClient));
    }
    rates_[Trouble::kOutage] = options_.has(Trouble::kOutage) && choices.Chance(0.5) ? 1.0 : 0.0;
  }

  static std::string AssetsDir() { return absl::StrCat("/dev/shm/simulation-", ::getpid()); }

  void Outage() {
    if (harm_.Chance(0.6)) return outside_->Outage(harm_);
    const absl::Duration length = harm_.Between(absl::Seconds(5), absl::Minutes(3));
    outside_->SetKillSwitch(true);
    fault_loop_.PostAfter(length, [this] { outside_->SetKillSwitch(false); });
  }

  void NextFault() {
    fault_loop_.PostAfter(harm_.Between(absl::Milliseconds(10), absl::Seconds(20)), [this] {
      if (peace_) return;
      if (hurts_ >= options_.hurts_max) {
        peace_ = true;
        return;
      }
      Hurt();
      NextFault();
    });
  }

  void Hurt() {
    double sum = 0;
    for (const auto& [trouble, rate] : rates_) sum += rate;
    if (sum == 0.0 || nodes_.empty()) return;
    double dice = harm_.random().NextDouble() * sum;
    Node& node = *nodes_[harm_.Below(nodes_.size())];
    for (const auto& [trouble, rate] : rates_) {
      if ((dice -= rate) >= 0) continue;
      ++hurts_;
      return HurtNode(node, trouble);
    }
  }

  void HurtNode(Node& node, Trouble trouble) {
    switch (trouble) {
      case Trouble::kCrash:
        return Crash(node);
      case Trouble::kTakeover:
        return TakeOver();
      case Trouble::kFreeze:
        return Freeze(node);
      case Trouble::kClose:
        return Close(node);
      case Trouble::kOutage:
        return Outage();
      case Trouble::kClock: {
        // Vendors have clocks too, and what can be taken back depends on them.
        const absl::Duration far = campaigns_ != nullptr ? absl::Seconds(30) : absl::Minutes(5);
        const absl::Duration by = harm_.Between(-far, far);
        seen_.insert(by < absl::ZeroDuration() ? "clock back" : "clock forward");
        scheduler_.Log([&] {
          return absl::StrCat("fault: the clock of node ", node.number(), " jumps by ",
                              absl::FormatDuration(by));
        });
        node.clock().Set(node.clock().offset() + by);
        if (harm_.Chance(0.5)) offset_ = node.clock().offset();  // of all later nodes
        clocks_differ_ = true;
        return;
      }
      default: {
        SimLoop& loop = node.RandomLoop(harm_);
        seen_.insert("loop paused");
        loop.PauseUntil(scheduler_.now() + harm_.Between(absl::Milliseconds(1), absl::Seconds(25)));
        scheduler_.Log([&] { return "fault: pause of " + loop.name(); });
      }
    }
  }

  Node* Find(int number) {
    for (const auto& node : nodes_) {
      if (node->number() == number) return node.get();
    }
    return nullptr;
  }

  void Remove(Node& gone) {
    for (int& owner : owner_) {
      if (owner == gone.number()) owner = 0;
    }
    std::erase_if(nodes_, [&](const auto& node) { return node.get() == &gone; });
  }

  // The process dies; others take its partitions over after a while.
  void Crash(Node& node) {
    const bool written = scheduler_.Chance(0.5);
    seen_.insert(written ? "crash after the commit" : "crash");
    node.Crash(written);
    Remove(node);
    checker_.CheckDisk(*world_.disk);
    OpenOrphansAfter(harm_.Between(absl::Milliseconds(1), absl::Seconds(10)));
  }

  // Another node takes a partition over while the old owner still runs.
  void TakeOver() {
    const int index = static_cast<int>(harm_.Below(owner_.size()));
    Node* const old = Find(owner_[index]);
    const absl::Duration later = harm_.Between(absl::Milliseconds(1), absl::Seconds(60));
    if (old == nullptr) return;
    seen_.insert("stale owner");
    Give(index);
    // A node that lost a lease ends itself at last.
    fault_loop_.PostAfter(later, [this, number = old->number()] { EndIfStale(number); });
  }

  void End(int number) {
    Node* const node = Find(number);
    if (node == nullptr) return;
    node->Crash(scheduler_.Chance(0.5));
    Remove(*node);
    OpenOrphansAfter(harm_.Between(absl::Milliseconds(1), absl::Seconds(5)));
  }

  void EndIfStale(int number) {
    Node* const node = Find(number);
    if (node == nullptr) return;
    for (const int owner : owner_) {
      if (owner == number) return;
    }
    End(number);
  }

  // SIGSTOP and SIGCONT: meanwhile its leases end, and it does not know.
  void Freeze(Node& node) {
    const absl::Duration length = harm_.Between(absl::Seconds(1), absl::Minutes(2));
    seen_.insert("node frozen");
    scheduler_.Log([&] {
      return absl::StrCat("fault: node ", node.number(), " is frozen for ",
                          absl::FormatDuration(length));
    });
    node.Freeze(scheduler_.now() + length);
    for (int i = 0; i < static_cast<int>(owner_.size()); ++i) {
      const absl::Duration lease = harm_.Between(absl::Milliseconds(1), absl::Minutes(1));
      if (!harm_.Chance(0.8) || owner_[i] != node.number()) continue;
      fault_loop_.PostAfter(lease, [this, i, number = node.number()] {
        if (owner_[i] != number) return;
        seen_.insert("lease of a frozen node taken");
        Give(i);
      });
    }
    fault_loop_.PostAfter(length + absl::Minutes(1),
                          [this, number = node.number()] { EndIfStale(number); });
  }

  void Close(Node& node) {
    if (node.closing()) return;
    seen_.insert("node closed");
    scheduler_.Log([&] { return absl::StrCat("fault: node ", node.number(), " closes"); });
    const auto end = [this, number = node.number()] {
      Node* const closed = Find(number);
      if (closed == nullptr) return;
      closed->Crash(false);
      Remove(*closed);
      checker_.CheckDisk(*world_.disk);
      OpenOrphans();
    };
    // What calls back lives in the node.
    node.Close([this, end] { fault_loop_.Post(end); });
    fault_loop_.PostAfter(absl::Seconds(30), end);  // the supervisor's patience
  }

  // A node, perhaps a new one, becomes the partition's owner.
  void Give(int index) {
    std::vector<Node*> able;
    for (const auto& node : nodes_) {
      if (!node->has(index) && !node->closing()) able.push_back(node.get());
    }
    const bool grow = static_cast<int>(nodes_.size()) < nodes_wanted_;
    Node* node = nullptr;
    if (able.empty() || (grow && scheduler_.Chance(0.5))) {
      const bool own_clock = rates_[Trouble::kClock] > 0 && scheduler_.Chance(0.3);
      const absl::Duration offset =
          own_clock ? scheduler_.Between(-absl::Minutes(1), absl::Minutes(1)) : offset_;
      clocks_differ_ |= own_clock;
      nodes_.push_back(std::make_unique<Node>(world_, ++last_node_, offset));
      node = nodes_.back().get();
    } else {
      node = able[scheduler_.Below(able.size())];
    }
    owner_[index] = node->number();
    node->Acquire(index);
    if (nodes_.size() > 1) seen_.insert("several nodes");
    if (owner_.size() > 1) seen_.insert("several partitions");
  }

  void OpenOrphans() {
    for (size_t i = 0; i < owner_.size(); ++i) {
      if (owner_[i] == 0) Give(static_cast<int>(i));
    }
  }
  void OpenOrphansAfter(absl::Duration delay) {
    fault_loop_.PostAfter(delay, [this] { OpenOrphans(); });
  }

  engine::Partition* Route(const std::string& workflow_id) {
    const int index = PartitionOf(workflow_id, static_cast<int>(owner_.size()));
    if (nodes_.size() > 1 && scheduler_.Chance(0.3)) {
      // The caller's table of owners is old.
      return nodes_[scheduler_.Below(nodes_.size())]->partition(index);
    }
    Node* const node = Find(owner_[index]);
    return node == nullptr ? nullptr : node->partition(index);
  }

  void MakePeace() {
    scheduler_.Log([] { return "the faults are over"; });
    peace_ = true;
    faults_.Stop();
    vendor_.set_faulty(false);
    network_.set_faulty(false);
    for (size_t i = nodes_.size(); i > 0; --i) {
      Node& node = *nodes_[i - 1];
      const bool owns = std::find(owner_.begin(), owner_.end(), node.number()) != owner_.end();
      if (owns && !node.closing()) continue;
      node.Crash(false);
      Remove(node);
    }
    OpenOrphans();
    quiet_until_ = scheduler_.now() + absl::Minutes(6);
    client_.Settle(quiet_until_);
    if (campaigns_ != nullptr) {
      outside_->StopFaults();
      campaigns_->Settle(quiet_until_);
    }
  }

  void Finish() {
    // Children that outlived their parents need no client to end.
    std::set<std::string> open = client_.open();
    if (campaigns_ != nullptr) open.insert(campaigns_->open().begin(), campaigns_->open().end());
    for (const std::string& id : open) {
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
    campaign::RegisterWorkflow(
        registry, {.approval_timeout = absl::Minutes(30), .undo_window = absl::Minutes(15)});
    worker::WorkflowWorker runner(registry);
    if (campaigns_ != nullptr) campaigns_->CheckEnd();
    checker_.CheckEnd(client_.programs(), runner);
  }

  bool Step() {
    if (!checker_.violation().empty()) return false;
    if (scheduler_.steps() > kStepsMax * static_cast<uint64_t>(1 + CampaignCount())) {
      checker_.Fail("the simulation does not come to an end");
      return false;
    }
    return scheduler_.Step();
  }

  const Options options_;
  Trace trace_;
  Scheduler scheduler_;
  Dice plan_;
  Dice harm_;
  Vendor vendor_;
  Checker checker_;
  Faults faults_;
  Network network_;
  World world_;
  Client client_;
  SimLoop fault_loop_;
  std::unique_ptr<Outside> outside_;
  std::unique_ptr<Campaigns> campaigns_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<int> owner_;  // the node's number, by partition; 0: none
  int last_node_ = 0;
  int nodes_wanted_ = 1;
  int hurts_ = 0;
  bool peace_ = false;
  bool clocks_differ_ = false;
  absl::Duration offset_ = absl::ZeroDuration();  // of the clocks of new nodes
  absl::Duration quiet_until_ = absl::ZeroDuration();
  std::map<Trouble, double> rates_;
  std::map<int, std::string> programs_;
  std::set<std::string> seen_;
};

}  // namespace

Result RunSimulation(const Options& options, base::Metrics& metrics) {
  Simulation simulation(options, metrics);
  return simulation.Run();
}

}  // namespace sim
