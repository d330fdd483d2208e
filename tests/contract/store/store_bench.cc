// How fast a SqliteStore commits. Not a test: prints figures for a folder on the disk of interest.
//
//   build/bin/store_bench FOLDER [WRITES_PER_BATCH [RUNS_OPEN [SECONDS [CHECKPOINT_MB]]]]
//
// RUNS_OPEN runs take turns; each is created, gets five transitions of 200 bytes (its wake time
// changing twice on the way) and a closing one, and is replaced by a new run.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "orchestrator/base/check.h"
#include "orchestrator/store/sqlite/sqlite_store.h"

namespace {

constexpr int kTransitions = 7;

class Load {
 public:
  Load(int runs, int batch) : states_(runs), batch_(batch) {}

  store::WriteBatch Next(int64_t epoch) {
    store::WriteBatch batch{.epoch = epoch};
    for (int i = 0; i < batch_; ++i) {
      batch.writes.push_back(Step(states_[turn_++ % states_.size()]));
    }
    return batch;
  }

 private:
  struct State {
    store::RunRow row;
    int step = 0;
  };

  store::RunWrite Step(State& state) {
    store::RunRow& row = state.row;
    store::RunWrite write{.transition = std::string(200, 'x')};
    if (state.step == 0) {
      Start(row);
      write.is_new = true;
    }
    write.expected_next_event_id = write.first_event_id = row.next_event_id;
    row.next_event_id += 5;
    ++state.step;
    if (state.step == 3) row.wake_at = row.start_time + absl::Hours(1);
    if (state.step == 5) row.wake_at = absl::InfinitePast();
    if (state.step == kTransitions) {
      row.status = orchestrator::v1::RunStatus::COMPLETED;
      row.close_time = row.start_time + absl::Seconds(1);
      row.wake_at = absl::InfiniteFuture();
      state.step = 0;
    }
    write.row = row;
    return write;
  }

  void Start(store::RunRow& row) {
    const int64_t n = ++started_;
    row = {};
    row.ns = base::Namespace("default");
    row.workflow_id = base::WorkflowId(absl::StrCat("campaign-", n));
    row.run_id = base::RunId(absl::StrFormat("%08x-%04x-7%03x-8%03x-%012x", n >> 16, n & 0xffff,
                                             n % 4001, n % 3989, n * 7919));
    row.workflow_type = "CampaignWorkflow";
    row.task_queue = "campaigns";
    row.request_id = absl::StrFormat("%032x", n);
    row.trace_id = absl::StrFormat("%032x", n);
    row.correlation_id = absl::StrCat("correlation-", n);
    row.start_time = absl::FromUnixMicros(1'700'000'000'000'000 + n);
    row.wake_at = absl::InfinitePast();
  }

  std::vector<State> states_;
  const int batch_;
  size_t turn_ = 0;
  int64_t started_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc > 1)
      << "usage: store_bench FOLDER [WRITES_PER_BATCH [RUNS_OPEN [SECONDS [CHECKPOINT_MB]]]]";
  const int batch_size = argc > 2 ? std::atoi(argv[2]) : 1;
  const int runs = argc > 3 ? std::atoi(argv[3]) : 1000;
  const absl::Duration length = absl::Seconds(argc > 4 ? std::atoi(argv[4]) : 5);
  const std::string path = absl::StrCat(argv[1], "/store_bench_", getpid(), ".db");
  store::sqlite::Options options{.path = path};
  if (argc > 5) options.checkpoint_bytes = int64_t{std::atoi(argv[5])} << 20;
  auto store = store::sqlite::SqliteStore::Open(options).value();
  const int64_t epoch = store->AcquirePartition(0, "bench").value();
  Load load(runs, batch_size);
  std::vector<absl::Duration> times;
  absl::Duration busy;
  while (busy < length) {
    const store::WriteBatch batch = load.Next(epoch);
    const absl::Time start = absl::Now();
    const absl::Status status = store->Commit(batch);
    CHECK(status.ok()) << status.ToString();
    times.push_back(absl::Now() - start);
    busy += times.back();
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return absl::FormatDuration(times[static_cast<size_t>(share * (times.size() - 1))]);
  };
  const double seconds = absl::ToDoubleSeconds(busy);
  std::printf(
      "%d writes a batch, %d runs open: %.0f commits/s, %.0f writes/s, commit p50 %s "
      "p99 %s max %s\n",
      batch_size, runs, times.size() / seconds, times.size() * batch_size / seconds,
      at(0.5).c_str(), at(0.99).c_str(), at(1).c_str());
  store.reset();
  const auto bytes = std::filesystem::file_size(path);
  std::printf("file %.1f MB, %.0f bytes a transition\n", bytes / 1e6,
              static_cast<double>(bytes) / (times.size() * batch_size));
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
}
