// Retention: closed runs that are older than they are kept for are written to the archive and then
// deleted, a small batch at a time. The order makes it safe to stop anywhere: a run is deleted
// after the file that holds it is durable, so a crash may archive a run twice and loses none.
//
// Left alone: runs that are open (STUCK ones among them), whose parent is open, that have open
// children, or that still owe their parent or children a message.
//
// Thread-safety: Start is called once; all else happens on the loop.
//
// Example:
//   engine::Retention retention(options, {store, loop, metrics, [&](auto row, auto done) {...}});
//   retention.Start();
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/engine/archive.h"
#include "orchestrator/engine/options.h"
#include "orchestrator/store/store.h"

namespace engine {

class Retention {
 public:
  // Deletes a closed run; the answer may come on any thread.
  using DeleteRun =
      std::function<void(const store::RunRow& row, absl::AnyInvocable<void(absl::Status)> done)>;
  struct Dependencies {
    store::Store& store;
    base::EventLoop& loop;  // may block: reads and files happen on it
    base::Metrics& metrics;
    DeleteRun delete_run;
  };
  Retention(EngineOptions options, Dependencies dependencies);
  ~Retention();

  // Whether the options ask for it.
  static bool Wanted(const EngineOptions& options);

  // A pass begins at once, and then every `retention_interval`.
  void Start();

 private:
  // Which closed runs, and how long they are kept.
  struct Rule {
    bool completed = true;  // those that did what they should; else the others
    absl::Duration age;
  };
  struct Pass {
    std::vector<Rule> rules;  // the last one is at work
    std::string token;
    int64_t runs = 0;
    absl::Time begun;
  };
  struct Batch {
    std::vector<store::RunRow> rows;
    std::vector<std::string> texts;
    size_t bytes = 0;
  };

  void BeginPass();
  // Does one batch and comes again, until the pass is over.
  void Step();
  void EndPass(const absl::Status& status);
  absl::StatusOr<store::RunPage> NextPage();
  // Archives rows [first, ...) as far as one batch goes; the runs to delete.
  absl::StatusOr<std::vector<store::RunRow>> ArchiveSome(const std::vector<store::RunRow>& rows,
                                                         size_t& first);
  absl::StatusOr<bool> MayGo(const store::RunRow& row);
  absl::StatusOr<std::string> Export(const store::RunRow& row);
  void DeleteAll(std::vector<store::RunRow> rows);

  const EngineOptions options_;
  Dependencies deps_;
  Archive archive_;

  // Loop only.
  Pass pass_;
  std::vector<store::RunRow> page_;
  size_t next_in_page_ = 0;
  // Answers of deletions that come after this object is gone find it expired.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace engine
