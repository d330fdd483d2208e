// Child workflows: a workflow that another one starts and waits for. A child is a run of its own,
// with its own history, wherever its workflow id belongs; the parent's history holds that it was
// started and how it ended.
//
// Thread-safety: a handle belongs to its workflow's thread; types and options are plain data.
//
// Example:
//   inline constexpr sdk::WorkflowType<OrderInput, Receipt> kOrder{"order"};
//   sdk::ChildWorkflow<Receipt> order = ctx.ExecuteChild(kOrder, input, {.workflow_id = "o-7"});
//   sdk::Outcome<Receipt> receipt = co_await order;
#pragma once

#include <string>
#include <utility>

#include "absl/time/time.h"
#include "orchestrator/sdk/future.h"
#include "orchestrator/v1/history.pb.h"

namespace sdk {

template <typename In, typename Out>
struct WorkflowType {
  using Input = In;
  using Output = Out;
  const char* name;
};

// What becomes of a child that is open when its parent closes, in whatever way.
enum class ParentClosePolicy {
  kTerminate,
  kAbandon,        // it goes on by itself
  kRequestCancel,  // it undoes what it did, and ends
};

// May the child's workflow id be used again when its newest run is closed?
enum class WorkflowIdReusePolicy { kAllowDuplicate, kAllowDuplicateFailedOnly, kRejectDuplicate };

struct ChildOptions {
  std::string workflow_id;  // default: the parent's run id and a number, in program order
  std::string task_queue;   // default: the parent's
  absl::Duration execution_timeout = absl::ZeroDuration();  // of the child's whole chain; 0: none
  absl::Duration run_timeout = absl::ZeroDuration();        // of one run; 0: none
  ParentClosePolicy parent_close_policy = ParentClosePolicy::kTerminate;
  WorkflowIdReusePolicy id_reuse_policy = WorkflowIdReusePolicy::kAllowDuplicate;
  std::string cron_schedule;  // the child then ends only by a cancellation or a failure to start
  v1::SearchAttributes search_attributes;
  v1::Memo memo;
};

// A child that was ordered. Awaiting it gives its result, or a failure:
// - "ChildWorkflowNotStarted": its workflow id was taken, or it could not be started; see the
// cause;
// - "ChildWorkflowFailed", "ChildWorkflowTimedOut", "ChildWorkflowTerminated": how it ended, with
//   the child's own failure as the cause;
// - "Canceled" when this workflow canceled it, "ChildWorkflowCanceled" when someone else did.
template <typename Out>
class [[nodiscard]] ChildWorkflow {
 public:
  ChildWorkflow(std::string workflow_id, internal::FutureStatePtr started,
                internal::FutureStatePtr result)
      : workflow_id_(std::move(workflow_id)),
        started_(std::move(started)),
        result_(std::move(result)) {}
  const std::string& workflow_id() const { return workflow_id_; }
  // Ready when the child is durably started; it says its run id.
  const Future<v1::ChildWorkflowExecutionStarted>& started() const { return started_; }
  const Future<Out>& result() const { return result_; }
  auto operator co_await() const { return result_.operator co_await(); }

 private:
  std::string workflow_id_;
  Future<v1::ChildWorkflowExecutionStarted> started_;
  Future<Out> result_;
};

}  // namespace sdk
