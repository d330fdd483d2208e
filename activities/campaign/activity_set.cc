#include "activities/campaign/activity_set.h"

#include <utility>

#include "orchestrator/base/check.h"

namespace campaign {
namespace {

// An attempt reports its own failure before the engine times it out.
constexpr absl::Duration kReportMargin = absl::Seconds(1);

template <typename T>
T Valid(absl::StatusOr<T> made) {
  CHECK(made.ok()) << made.status().ToString();
  return *std::move(made);
}

}  // namespace

ActivitySet::ActivitySet(Settings settings, Connectors connectors)
    : settings_(std::move(settings)),
      prompts_(Valid(Prompts::Make(settings_.content.prompts))),
      rules_(Valid(ModerationRules::Make(settings_.moderation.rules))),
      connectors_(connectors),
      channels_(MakeChannels(settings_, &connectors_)) {}

outbound::CallContext CallFor(const sdk::ActivityContext& ctx) {
  const sdk::ActivityInfo& info = ctx.info();
  return {.workflow_id = info.workflow_id,
          .run_id = info.run_id,
          .activity_name = info.activity_type,
          .idempotency_key = info.idempotency_key,
          .traceparent = info.traceparent,
          .correlation_id = info.correlation_id,
          .deadline = info.deadline - kReportMargin,
          .cancel = ctx.cancel()};
}

base::Task<void> ActivitySet::Settle(sdk::ActivityContext& ctx) const {
  co_await base::Sleep(ctx.loop(), settings_.settle_delay, ctx.cancel());
}

base::Failure MayHaveHappened(base::Failure failure) {
  failure.effect_unknown = true;
  return failure;
}

}  // namespace campaign
