// DistributeJournal: the one checkpoint that the channels of a distribution share. Each change is
// durable before Save returns, so that a later attempt and the compensation know of every effect
// that may have happened.
//
// Thread-safety: loop thread only; lives as long as the attempt. Saves of different channels are
// recorded one after another.
//
// Example:
//   base::Done saved = co_await journal.Save([](auto& c) { c.set_blog_published(true); });
#pragma once

#include <functional>

#include "campaign/v1/activities.pb.h"
#include "orchestrator/base/task.h"
#include "orchestrator/sdk/activity_context.h"

namespace campaign {

class DistributeJournal {
 public:
  explicit DistributeJournal(sdk::ActivityContext& ctx)
      : ctx_(ctx),
        checkpoint_(
            ctx.last_heartbeat<v1::DistributeCheckpoint>().value_or(v1::DistributeCheckpoint())) {}

  const v1::DistributeCheckpoint& checkpoint() const { return checkpoint_; }
  absl::Time Now() const { return ctx_.loop().clock().Now(); }

  base::Task<base::Done> Save(std::function<void(v1::DistributeCheckpoint&)> change) {
    change(checkpoint_);
    const base::Semaphore::Permit turn = co_await one_at_a_time_.Acquire();
    base::Done recorded = co_await ctx_.RecordHeartbeat(checkpoint_);
    co_return recorded;
  }

 private:
  sdk::ActivityContext& ctx_;
  v1::DistributeCheckpoint checkpoint_;
  base::Semaphore one_at_a_time_{1};
};

}  // namespace campaign
