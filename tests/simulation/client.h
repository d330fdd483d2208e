// Client: starts workflows, signals, updates, queries, cancels and terminates them, repeats what
// was not answered, and acts as the operator of blocked sagas. What it is told it hands to the
// checker.
//
// One thread; on a loop of its own, so it outlives the nodes it talks to.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "orchestrator/engine/partition.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/options.h"
#include "tests/simulation/scheduler.h"

namespace sim {

class Client {
 public:
  using Route = std::function<engine::Partition*(const std::string& workflow_id)>;
  // `route` gives a partition to talk to; null when none is up.
  Client(Scheduler& scheduler, Checker& checker, Route route, Rule broken);

  void Begin(const std::string& workflow_id, const std::string& program, absl::Duration after,
             absl::Duration execution_timeout, absl::Duration start_delay, bool disturb);
  // A workflow that begins again every minute, until the faults are over and it is canceled.
  void BeginCron(const std::string& workflow_id, const std::string& program, absl::Duration after);
  // Clients neither cancel nor terminate.
  void set_gentle(bool gentle) { gentle_ = gentle; }
  // The faults are over: nobody is talked to until `quiet`, then the rest is pushed to its end.
  void Settle(absl::Duration quiet) {
    settling_ = true;
    quiet_until_ = quiet;
  }
  // Every workflow was started and is known to be closed.
  bool Done() const { return open_.empty(); }
  const std::set<std::string>& open() const { return open_; }
  const std::map<std::string, std::string>& programs() const { return programs_; }
  const std::set<std::string>& verbs_seen() const { return verbs_seen_; }

 private:
  struct Plan {
    std::string workflow_id;
    absl::Duration execution_timeout;
    bool disturb = false;
  };
  void Start(Plan plan);
  void Live(Plan plan);  // one look at the workflow, and perhaps a disturbance
  void Look(const Plan& plan);
  void Act(const Plan& plan);
  void Signal(const std::string& workflow_id, const std::string& request_id, int tries);
  void Update(const std::string& workflow_id, const std::string& name, const std::string& update_id,
              int tries);
  void Pause(const std::string& workflow_id, const std::string& request_id);
  void Resume(const std::string& workflow_id);
  void RetryNow(const std::string& workflow_id);
  void OnStarted(const std::string& workflow_id, const absl::Status& status,
                 const std::string& run_id, const char* verb);
  void Unblock(const std::string& workflow_id);

  Scheduler& scheduler_;
  Checker& checker_;
  const Route route_;
  const Rule broken_;
  SimLoop loop_;
  bool gentle_ = false;
  bool settling_ = false;
  absl::Duration quiet_until_ = absl::ZeroDuration();
  uint64_t last_request_ = 0;
  std::map<std::string, std::string> programs_;
  std::map<std::string, absl::Duration> start_delays_;
  std::set<std::string> crons_;
  std::set<std::string> open_;
  std::set<std::string> started_;
  std::set<std::string> verbs_seen_;
};

}  // namespace sim
