#include "orchestrator/engine/committer.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <utility>

namespace engine {
namespace {

prometheus::Counter& Failures(base::Metrics& metrics, absl::StatusCode code) {
  return metrics.Counter("store_commit_failures_total", "Commits that failed, by status code.",
                         {{"code", absl::StatusCodeToString(code)}});
}

}  // namespace

Committer::Committer(store::Store& store, base::EventLoop& thread, base::Metrics& metrics)
    : store_(store),
      thread_(thread),
      latency_(metrics.Histogram("store_commit_seconds", "Time of one durable commit.", {},
                                 base::Metrics::LatencyBuckets())),
      batch_size_(metrics.Histogram("store_commit_batch_size", "Transitions in one commit.", {},
                                    {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000})),
      metrics_(metrics) {
  // There from the start, so that the first failure is an increase.
  for (const auto code : {absl::StatusCode::kUnavailable, absl::StatusCode::kResourceExhausted,
                          absl::StatusCode::kAborted}) {
    Failures(metrics, code);
  }
}

void Committer::Commit(store::WriteBatch batch, absl::AnyInvocable<void(absl::Status)> done) {
  thread_.Post([this, batch = std::move(batch), done = std::move(done)]() mutable {
    const absl::Duration begin = thread_.clock().Monotonic();
    absl::Status status = store_.Commit(batch);
    latency_.Observe(absl::ToDoubleSeconds(thread_.clock().Monotonic() - begin));
    batch_size_.Observe(static_cast<double>(batch.writes.size()));
    if (!status.ok()) Failures(metrics_, status.code()).Increment();
    done(std::move(status));
  });
}

}  // namespace engine
