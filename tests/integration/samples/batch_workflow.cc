#include "tests/integration/samples/batch_workflow.h"

#include <vector>

namespace samples {

sdk::Workflow<v1::BatchReport> RunBatch(sdk::Context ctx, v1::BatchInput input) {
  std::vector<sdk::ChildWorkflow<v1::Receipt>> orders;
  for (const v1::OrderInput& order : input.orders()) {
    sdk::ChildOptions options;
    options.workflow_id = ctx.info().workflow_id + "-" + std::to_string(orders.size() + 1);
    options.parent_close_policy = sdk::ParentClosePolicy::kRequestCancel;
    orders.push_back(ctx.ExecuteChild(kOrder, order, options));
  }
  v1::BatchReport report;
  for (const sdk::ChildWorkflow<v1::Receipt>& order : orders) {
    sdk::Outcome<v1::Receipt> receipt = co_await order;
    if (receipt.ok()) {
      report.add_tracking_ids(receipt->tracking_id());
    } else if (receipt.failure().is_canceled()) {
      co_return receipt.failure();  // the batch was canceled, and its orders with it
    } else {
      report.add_problems(order.workflow_id() + ": " + receipt.failure().ToString());
    }
  }
  if (!input.report_to().empty()) {
    v1::Note note;
    note.set_text(std::to_string(report.tracking_ids_size()) + " shipped");
    sdk::Done told = co_await ctx.SignalExternal({.workflow_id = input.report_to()}, "note", note);
    if (!told.ok()) report.add_problems("nobody took the report: " + told.failure().ToString());
  }
  co_return report;
}

void RegisterBatch(sdk::Registry& registry) {
  registry.AddWorkflow<v1::BatchInput, v1::BatchReport>("batch", &RunBatch);
}

}  // namespace samples
