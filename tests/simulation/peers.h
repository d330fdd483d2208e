// Network and Peers: how runs reach runs on other partitions and nodes. A message arrives late, or
// not at all, or its answer is lost; a sender or receiver that died hears and does nothing.
//
// One thread.
//
// Example:
//   sim::Network network(scheduler, [&](const std::string& workflow_id) { return ...; });
//   sim::Peers peers(network, life_of_the_sender);
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "orchestrator/engine/partition.h"
#include "orchestrator/engine/peer_port.h"
#include "tests/simulation/programs.h"
#include "tests/simulation/scheduler.h"

namespace sim {

// The first and last slot of a partition, as engine/engine.cc cuts them.
std::pair<int, int> SlotsOf(int partition, int partitions);
int PartitionOf(const std::string& workflow_id, int partitions);

class Network {
 public:
  using Route = std::function<engine::Partition*(const std::string& workflow_id)>;
  // `route` gives a partition to talk to; null when none is up.
  Network(Scheduler& scheduler, Route route)
      : scheduler_(scheduler), route_(std::move(route)), loop_(scheduler, "network") {}

  void set_faulty(bool faulty) { faulty_ = faulty; }
  void Send(const std::shared_ptr<Life>& sender, const std::string& workflow_id,
            engine::PeerPort::Done done,
            std::function<void(engine::PeerPort&, engine::PeerPort::Done)> deliver);
  std::set<std::string> seen;

 private:
  class Reply;

  Scheduler& scheduler_;
  const Route route_;
  SimLoop loop_;
  bool faulty_ = false;
};

class Peers : public engine::PeerPort {
 public:
  Peers(Network& network, std::shared_ptr<Life> sender, Rule broken)
      : network_(network), sender_(std::move(sender)), broken_(broken) {}
  void StartChild(engine::v1::StartWorkflowRequest request, engine::v1::ParentWorkflow parent,
                  base::RunId run_id, Done done) override;
  void EndChild(core::ChildEnd end, Done done) override;
  void StopChild(engine::ChildStop stop, Done done) override;
  void SignalExternal(engine::ExternalSignal signal, Done done) override;
  void CancelExternal(engine::ExternalCancel cancel, Done done) override;

 private:
  Network& network_;
  const std::shared_ptr<Life> sender_;
  const Rule broken_;
};

}  // namespace sim
