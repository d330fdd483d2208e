// Committer: the one writer of a store. It takes write batches in order, commits each in a thread
// of its own, and reports back. While one batch is being synced its partition fills the next one,
// so that batches grow with load and add no waiting when idle (group commit).
//
// Thread-safe.
//
// Example:
//   committer.Commit(std::move(batch), [&loop](absl::Status status) { loop.Post(...); });
#pragma once

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/store/store.h"

namespace engine {

class Committer {
 public:
  // `thread` is a running loop that nothing else uses.
  Committer(store::Store& store, base::EventLoop& thread, base::Metrics& metrics);
  // `done` runs on the committer's thread.
  void Commit(store::WriteBatch batch, absl::AnyInvocable<void(absl::Status)> done);

 private:
  store::Store& store_;
  base::EventLoop& thread_;
  prometheus::Histogram& latency_;
  prometheus::Histogram& batch_size_;
  base::Metrics& metrics_;
};

}  // namespace engine
