// Registry: the workflow and activity types that a worker offers, by name.
// Thread-safety: fill it before the worker starts; constant afterwards.
//
// Example:
//   sdk::Registry registry;
//   registry.AddWorkflow<OrderInput, Receipt>("order", &Order);
//   registry.AddActivity(kCharge, &Charge, {.start_to_close_timeout = absl::Minutes(1)});
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/sdk/activity_context.h"
#include "orchestrator/sdk/context.h"

namespace sdk {

class Registry {
 public:
  using RawWorkflow = std::function<Workflow<v1::Payload>(Context, v1::Payload)>;
  using RawActivity =
      std::function<base::Task<Outcome<v1::Payload>>(ActivityContext&, v1::Payload)>;
  struct Activity {
    RawActivity run;
    ActivityOptions defaults;
  };

  // `fn` is callable as Workflow<Out>(Context, In).
  template <typename In, typename Out, typename Fn>
  void AddWorkflow(const std::string& type, Fn fn) {
    AddRawWorkflow(type, [fn](Context ctx, v1::Payload input) -> Workflow<v1::Payload> {
      Outcome<In> decoded = internal::Decode<In>(Outcome<v1::Payload>(std::move(input)));
      if (!decoded.ok()) return internal::Immediate<v1::Payload>(decoded.failure());
      return internal::EncodeResult<Out>(fn(ctx, *std::move(decoded)));
    });
  }

  // `fn` is callable as base::Task<Outcome<Out>>(ActivityContext&, In).
  template <typename In, typename Out, typename Fn>
  void AddActivity(const ActivityType<In, Out>& type, Fn fn, ActivityOptions defaults = {}) {
    AddRawActivity(
        type.name,
        [fn](ActivityContext& ctx, v1::Payload input) -> base::Task<Outcome<v1::Payload>> {
          Outcome<In> decoded = internal::Decode<In>(Outcome<v1::Payload>(std::move(input)));
          if (!decoded.ok()) {
            return internal::Immediate<v1::Payload>(decoded.failure());
          }
          return internal::EncodeResult<Out>(fn(ctx, *std::move(decoded)));
        },
        std::move(defaults));
  }

  void AddRawWorkflow(const std::string& type, RawWorkflow workflow) {
    workflows_[type] = std::move(workflow);
  }
  void AddRawActivity(const std::string& type, RawActivity run, ActivityOptions defaults) {
    activities_[type] = {std::move(run), std::move(defaults)};
  }
  // Null when the type is not registered.
  const RawWorkflow* FindWorkflow(const std::string& type) const;
  const Activity* FindActivity(const std::string& type) const;
  // The registered types, sorted.
  std::vector<std::string> WorkflowTypes() const;
  std::vector<std::string> ActivityTypes() const;

 private:
  std::map<std::string, RawWorkflow> workflows_;
  std::map<std::string, Activity> activities_;
};

}  // namespace sdk
