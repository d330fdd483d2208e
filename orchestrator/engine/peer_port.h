// PeerPort: how runs reach other runs, on whatever partition those are: a parent starts and stops
// its children, a child tells its parent how it ended, a run signals or cancels another one. What
// is sent was ordered by a durable transition of the sender (commit, then act), and is sent again
// until there is an answer; the receiver takes it once.
//
// Thread-safety: thread-safe. `done` runs on any engine thread, when what came of it is durable.
//
// Status codes: OK, also when it had come before. NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION,
// INVALID_ARGUMENT: it cannot be done, and asking again does not help. All others: send it again.
//
// Example:
//   peers.StartChild(request, parent, core::ChildRunId(parent_run_id, event_id),
//                    [](absl::Status status) { ... });
#pragma once

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "orchestrator/base/ids.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/v1/history.pb.h"
#include "orchestrator/v1/service.pb.h"

namespace engine {

namespace v1 = ::orchestrator::v1;

// A parent closed: what is to become of its child.
struct ChildStop {
  v1::ParentWorkflow parent;  // its policy says what to do
  std::string workflow_id;    // of the child
  base::RunId first_run_id;   // of the child's chain
};

struct ExternalSignal {
  std::string ns;
  v1::SignalWorkflowRequest request;
  bool repeated = false;  // it may have been sent before: also to a run that has continued since
};

struct ExternalCancel {
  std::string ns;
  std::string workflow_id;
  std::string run_id;        // empty: the open run
  std::string first_run_id;  // not empty: the open run of this chain, and no other
  std::string reason;
  std::string identity;
  std::string request_id;
};

class PeerPort {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;
  virtual ~PeerPort() = default;
  // Starts a run with this id. ALREADY_EXISTS when its workflow id is taken by another one.
  virtual void StartChild(v1::StartWorkflowRequest request, v1::ParentWorkflow parent,
                          base::RunId run_id, Done done) = 0;
  // Tells the parent how its child ended; OK also when the parent is closed or gone.
  virtual void EndChild(core::ChildEnd end, Done done) = 0;
  // Applies the parent close policy; OK also when the child never began or has ended.
  virtual void StopChild(ChildStop stop, Done done) = 0;
  // FAILED_PRECONDITION when the run is closed. The request's request_id makes it happen once.
  virtual void SignalExternal(ExternalSignal signal, Done done) = 0;
  virtual void CancelExternal(ExternalCancel cancel, Done done) = 0;
};

}  // namespace engine
