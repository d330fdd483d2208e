#include "tests/simulation/peers.h"

#include "absl/strings/str_cat.h"

namespace sim {

std::pair<int, int> SlotsOf(int partition, int partitions) {
  return {partition * store::kSlots / partitions, (partition + 1) * store::kSlots / partitions - 1};
}

int PartitionOf(const std::string& workflow_id, int partitions) {
  const int slot = store::SlotOf(base::Namespace("default"), base::WorkflowId(workflow_id));
  for (int i = 0; i < partitions; ++i) {
    if (slot <= SlotsOf(i, partitions).second) return i;
  }
  return partitions - 1;
}

// Answers once; also when the receiver dies with it.
class Network::Reply {
 public:
  Reply(Network& network, std::shared_ptr<Life> sender, engine::PeerPort::Done done, bool lost)
      : network_(network), sender_(std::move(sender)), done_(std::move(done)), lost_(lost) {}
  ~Reply() { Give(absl::UnavailableError("the other node is gone")); }
  void Give(absl::Status status) {
    if (done_ == nullptr) return;
    if (lost_) status = absl::UnavailableError("the answer was lost");
    network_.loop_.PostAfter(
        network_.scheduler_.Between(absl::Microseconds(50), absl::Milliseconds(20)),
        [sender = sender_, done = std::exchange(done_, nullptr), status]() mutable {
          if (!sender->dead) done(status);
        });
  }

 private:
  Network& network_;
  const std::shared_ptr<Life> sender_;
  engine::PeerPort::Done done_;
  const bool lost_;
};

void Network::Send(const std::shared_ptr<Life>& sender, const std::string& workflow_id,
                   engine::PeerPort::Done done,
                   std::function<void(engine::PeerPort&, engine::PeerPort::Done)> deliver) {
  const bool lost = faulty_ && scheduler_.Chance(0.05);
  const bool answer_lost = faulty_ && scheduler_.Chance(0.1);
  if (lost) seen.insert("message lost");
  if (answer_lost) seen.insert("answer of a node lost");
  auto reply = std::make_shared<Reply>(*this, sender, std::move(done), answer_lost);
  loop_.PostAfter(scheduler_.Between(absl::Microseconds(50), absl::Milliseconds(20)),
                  [this, workflow_id, lost, reply, deliver = std::move(deliver)] {
                    engine::Partition* const to = lost ? nullptr : route_(workflow_id);
                    if (to == nullptr) return reply->Give(absl::UnavailableError("no route"));
                    deliver(*to, [reply](absl::Status status) { reply->Give(status); });
                  });
}

void Peers::StartChild(engine::v1::StartWorkflowRequest request, engine::v1::ParentWorkflow parent,
                       base::RunId run_id, Done done) {
  network_.Send(sender_, request.workflow_id(), std::move(done),
                [request, parent, run_id](engine::PeerPort& to, Done done) {
                  to.StartChild(request, parent, run_id, std::move(done));
                });
}

void Peers::EndChild(core::ChildEnd end, Done done) {
  if (broken_ == Rule::kChildEndDropped) return done(absl::OkStatus());
  network_.Send(sender_, end.parent.workflow_id(), std::move(done),
                [end](engine::PeerPort& to, Done done) { to.EndChild(end, std::move(done)); });
}

void Peers::StopChild(engine::ChildStop stop, Done done) {
  network_.Send(sender_, stop.workflow_id, std::move(done),
                [stop](engine::PeerPort& to, Done done) { to.StopChild(stop, std::move(done)); });
}

void Peers::SignalExternal(engine::ExternalSignal signal, Done done) {
  if (broken_ == Rule::kMessageTwice) {
    // What takes it once is its request id.
    engine::ExternalSignal again = signal;
    again.request.set_request_id(absl::StrCat(signal.request.request_id(), " "));
    network_.Send(
        sender_, again.request.workflow_id(), [](absl::Status) {},
        [again](engine::PeerPort& to, Done done) { to.SignalExternal(again, std::move(done)); });
  }
  network_.Send(
      sender_, signal.request.workflow_id(), std::move(done),
      [signal](engine::PeerPort& to, Done done) { to.SignalExternal(signal, std::move(done)); });
}

void Peers::CancelExternal(engine::ExternalCancel cancel, Done done) {
  network_.Send(
      sender_, cancel.workflow_id, std::move(done),
      [cancel](engine::PeerPort& to, Done done) { to.CancelExternal(cancel, std::move(done)); });
}

}  // namespace sim
