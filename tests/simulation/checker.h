// Checker: the invariants. It sees every batch that reaches the disk and folds a shadow of every
// run from it, hears of every dispatch and every answer to the client, and looks at everything
// again at the end. The first violation is kept.
//
// One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/core/run_state.h"
#include "orchestrator/engine/worker_port.h"
#include "orchestrator/store/simulated/simulated_store.h"
#include "orchestrator/v1/service.pb.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/vendor.h"

namespace sim {

namespace v1 = ::orchestrator::v1;

class Checker {
 public:
  struct Shadow {
    store::RunRow row;
    core::RunState state;
    std::vector<std::string> transitions;
    std::map<base::EventId, std::string> keys;      // of scheduled activities
    std::map<base::EventId, int> started_attempts;  // by scheduled event
    absl::Duration written_at;                      // when it last changed
  };
  Checker(Scheduler& scheduler, Vendor& vendor) : scheduler_(scheduler), vendor_(vendor) {}

  // What happens during the run.
  void OnAcquired(int partition, int64_t epoch) {
    leases_[partition] = {.epoch = epoch, .since = scheduler_.now()};
  }
  void OnWritten(const store::WriteBatch& batch);
  // A node's store answered OK.
  void OnAccepted(const store::WriteBatch& batch);
  void OnDispatch(const engine::ActivityTask& task, int node);
  void OnAttemptEnded(const engine::ActivityToken& token, int node);
  void OnNodeEnded(int node);
  // Workflows of which two nodes ran attempts of one activity at once, the older one without
  // knowing that it had lost its lease: both may look before they create, and both create.
  const std::set<std::string>& overlapped() const { return overlapped_; }
  void OnStarted(const std::string& run_id, const std::string& request_id);
  void OnSignaled(const std::string& run_id, const std::string& request_id);
  void OnPaused(const std::string& run_id, const std::string& request_id);
  // The engine took this outcome of an attempt.
  void OnOutcome(const engine::ActivityToken& token, const core::ActivityOutcome& outcome);
  bool AllClosed() const;
  // The id of an open child; empty: there is none.
  std::string OpenChildOf(const std::string& workflow_id) const;
  void OnUpdated(const v1::UpdateWorkflowResponse& response);
  void OnDescribed(const v1::WorkflowInfo& info);
  // Nobody talked to the engine for a while: what was due was done by itself.
  void CheckNothingOverdue();
  // The disk holds what was written, to the byte: after a crash, and at the end.
  void CheckDisk(const store::SimulatedDisk& disk);
  // Everything is over.
  void CheckEnd(const std::map<std::string, std::string>& programs, engine::WorkflowRunner& runner);
  void Fail(const std::string& what);

  int64_t epoch(int partition) const {
    const auto lease = leases_.find(partition);
    return lease == leases_.end() ? 0 : lease->second.epoch;
  }
  const std::string& violation() const { return violation_; }
  const std::map<base::RunId, Shadow>& runs() const { return runs_; }
  // The newest run of a workflow; null when there is none.
  const Shadow* Newest(const std::string& workflow_id) const;
  std::set<std::string> events_seen;

 private:
  void CheckEvent(Shadow& run, const v1::HistoryEvent& event, absl::Time time);
  void CheckRow(const Shadow& run, const store::RunRow& row);
  void CheckWorkflow(const std::string& workflow_id, const std::string& program);
  void CheckReplay(const Shadow& run, engine::WorkflowRunner& runner);

  Scheduler& scheduler_;
  Vendor& vendor_;
  struct Lease {
    int64_t epoch = 0;
    absl::Duration since;
  };
  std::map<int, Lease> leases_;  // by partition
  std::string violation_;
  std::map<base::RunId, Shadow> runs_;
  std::map<std::string, base::RunId> newest_;  // by workflow id
  std::map<std::string, base::RunId> starts_;  // by request id
  std::map<std::pair<base::RunId, base::EventId>, int> promised_attempts_;
  // Attempts that were put off: they are made again under their own number.
  std::map<std::pair<base::RunId, base::EventId>, int> put_off_;
  std::map<std::string, std::string> programs_;  // by workflow id: also of children
  std::map<std::pair<base::RunId, base::EventId>, std::set<int>> running_;  // nodes
  std::set<std::string> overlapped_;
  std::set<std::string> messages_;  // of runs to runs that were recorded, with the receiver
};

}  // namespace sim
