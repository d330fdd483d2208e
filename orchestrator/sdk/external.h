// ExternalRun: names another workflow, for Context::SignalExternal and CancelExternal.
// Plain data.
//
// Example:
//   sdk::Done sent = co_await ctx.SignalExternal({.workflow_id = "budget-7"}, "spent", amount);
#pragma once

#include <string>

namespace sdk {

struct ExternalRun {
  std::string workflow_id;
  std::string run_id;  // empty: the run that is open when the message arrives
};

}  // namespace sdk
