// Retention: closed runs go to the archive and then away, and no run is ever in neither place.
#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "orchestrator/history/history_file.h"
#include "orchestrator/store/forwarding_store.h"
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Workflow;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Workflow<Text> AtOnce(sdk::Context ctx, Text input) { co_return input; }

Workflow<Text> Waits(sdk::Context ctx, Text input) {
  const sdk::Done end = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("end"); });
  if (!end.ok()) co_return end.failure();
  co_return input;
}

// Its child ends at once; it waits itself.
Workflow<Text> WaitsWithChild(sdk::Context ctx, Text input) {
  constexpr sdk::WorkflowType<Text, Text> kAtOnce{"at once"};
  const sdk::Outcome<Text> child =
      co_await ctx.ExecuteChild(kAtOnce, T("c"), {.workflow_id = "child"});
  if (!child.ok()) co_return child.failure();
  const sdk::Done end = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("end"); });
  if (!end.ok()) co_return end.failure();
  co_return input;
}

Workflow<Text> Fails(sdk::Context ctx, Text input) {
  co_return sdk::Failure::Permanent("Broken", "it is broken");
}

// Counts what is deleted and listed; can refuse deletions.
class WatchedStore : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::Status Commit(const store::WriteBatch& batch) override {
    const auto deletes = [](const store::RunWrite& write) { return write.deletes; };
    const auto count = std::count_if(batch.writes.begin(), batch.writes.end(), deletes);
    if (count > 0 && refuse) {
      absl::MutexLock lock(&mutex_);
      ++refused_;
      return absl::UnavailableError("refused by the test");
    }
    const absl::Status status = store().Commit(batch);
    absl::MutexLock lock(&mutex_);
    if (status.ok()) deleted_ += static_cast<int>(count);
    return status;
  }
  absl::StatusOr<store::RunPage> List(const store::RunFilter& filter, store::RunOrder order,
                                      int page_size, const std::string& page_token) override {
    auto page = store().List(filter, order, page_size, page_token);
    absl::MutexLock lock(&mutex_);
    if (order == store::RunOrder::kCloseTimeAscending) ++passes_;
    return page;
  }
  void AwaitDeleted(int count) {
    wanted_ = count;
    absl::MutexLock lock(
        &mutex_, absl::Condition(+[](WatchedStore* s) { return s->deleted_ >= s->wanted_; }, this));
  }
  void AwaitRefused() {
    absl::MutexLock lock(&mutex_,
                         absl::Condition(+[](WatchedStore* s) { return s->refused_ > 0; }, this));
  }
  // Until a pass that begins from now on is over.
  void AwaitPasses(int more) {
    absl::MutexLock lock(&mutex_);
    wanted_ = passes_ + more;
    mutex_.Await(absl::Condition(+[](WatchedStore* s) { return s->passes_ >= s->wanted_; }, this));
  }

  std::atomic<bool> refuse = false;

 private:
  absl::Mutex mutex_;
  int deleted_ = 0;
  int refused_ = 0;
  int passes_ = 0;
  int wanted_ = 0;
};

class RetentionTest : public EngineTest {
 protected:
  RetentionTest() {
    registry.AddWorkflow<Text, Text>("at once", &AtOnce);
    registry.AddWorkflow<Text, Text>("waits", &Waits);
    registry.AddWorkflow<Text, Text>("fails", &Fails);
    registry.AddWorkflow<Text, Text>("with child", &WaitsWithChild);
    decorate = [this](store::Store* under) {
      auto made = std::make_unique<WatchedStore>(under);
      watched = made.get();
      return made;
    };
  }
  engine::EngineOptions Keeping(absl::Duration age) {
    return {.retention = age,
            .retention_interval = absl::Milliseconds(5),
            .archive_dir = folder.File("archive")};
  }
  // The workflow ids in the archive, each as often as it is there; every history must be readable.
  std::vector<std::string> Archived() {
    std::vector<std::string> ids;
    if (!std::filesystem::exists(folder.File("archive"))) return ids;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder.File("archive"))) {
      if (entry.is_directory()) continue;
      EXPECT_EQ(entry.path().extension(), ".gz") << entry.path();
      for (const std::string& text : Histories(Unzip(entry.path()))) {
        const auto file = history::ReadHistoryFile(text);
        EXPECT_TRUE(file.ok()) << file.status();
        if (file.ok()) ids.push_back(file->header.workflow_id());
      }
    }
    return ids;
  }
  bool Exists(const std::string& id) {
    v1::GetWorkflowRequest request;
    request.set_workflow_id(id);
    return Await<v1::WorkflowInfo>(
               [&](auto done) { client->GetWorkflow(request, std::move(done)); })
        .ok();
  }

  WatchedStore* watched = nullptr;

 private:
  static std::string Unzip(const std::string& path) {
    gzFile file = gzopen(path.c_str(), "rb");
    std::string text;
    char buffer[65536];
    for (int n = 0; (n = gzread(file, buffer, sizeof buffer)) > 0;) text.append(buffer, n);
    int code = 0;
    gzerror(file, &code);
    EXPECT_EQ(code, Z_OK) << path;
    gzclose(file);
    return text;
  }
  // A header line begins each of them.
  static std::vector<std::string> Histories(const std::string& text) {
    std::vector<std::string> histories;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("campaignd.history") != line.npos) histories.emplace_back();
      histories.back() += line + "\n";
    }
    return histories;
  }
};

TEST_F(RetentionTest, OffByDefault) {
  Open({.archive_dir = folder.File("archive")});
  ASSERT_TRUE(Start("at once", "w1").ok());
  Restart({.archive_dir = folder.File("archive")});
  EXPECT_TRUE(Exists("w1"));
  EXPECT_FALSE(std::filesystem::exists(folder.File("archive")));
}

TEST_F(RetentionTest, ClosedRunsAreArchivedThenDeletedAndOpenOnesStay) {
  Open();
  for (const char* id : {"w1", "w2"}) ASSERT_TRUE(Start("at once", id, id).ok());
  ASSERT_TRUE(Start("fails", "w3").ok());
  ASSERT_TRUE(Start("waits", "w4").ok());
  ASSERT_TRUE(Start("nobody knows", "stuck").ok());
  Restart(Keeping(absl::Microseconds(1)));
  watched->AwaitDeleted(3);
  EXPECT_FALSE(Exists("w1") || Exists("w2") || Exists("w3"));
  EXPECT_TRUE(Exists("w4") && Exists("stuck"));
  EXPECT_THAT(Archived(), UnorderedElementsAre("w1", "w2", "w3"));
  // A run that closes now, and is in memory, goes too.
  ASSERT_TRUE(Signal("w4", "end", "").ok());
  watched->AwaitDeleted(4);
  EXPECT_THAT(Archived(), UnorderedElementsAre("w1", "w2", "w3", "w4"));
}

TEST_F(RetentionTest, RunsThatFailedHaveATimeOfTheirOwn) {
  Open();
  ASSERT_TRUE(Start("at once", "w1").ok());
  ASSERT_TRUE(Start("fails", "w2").ok());
  engine::EngineOptions options = Keeping(absl::Microseconds(1));
  options.retention_failed = absl::Hours(1);
  Restart(options);
  watched->AwaitDeleted(1);
  watched->AwaitPasses(4);
  EXPECT_FALSE(Exists("w1"));
  EXPECT_TRUE(Exists("w2"));
}

TEST_F(RetentionTest, AChildStaysAsLongAsItsParentIsOpen) {
  Open();
  ASSERT_TRUE(Start("with child", "parent").ok());
  WaitFor("parent", [](const v1::WorkflowInfo& parent) {
    return parent.history_length() > 5 && parent.pending_children().empty();  // it began and ended
  });
  ASSERT_TRUE(Start("at once", "w1").ok());
  Restart(Keeping(absl::Microseconds(1)));
  watched->AwaitDeleted(1);
  watched->AwaitPasses(4);
  EXPECT_TRUE(Exists("child"));
  EXPECT_FALSE(Exists("w1"));
  ASSERT_TRUE(Signal("parent", "end", "").ok());
  watched->AwaitDeleted(3);
  EXPECT_THAT(Archived(), UnorderedElementsAre("child", "parent", "w1"));
}

TEST_F(RetentionTest, NothingIsDeletedThatCouldNotBeArchived) {
  std::ofstream(folder.File("archive")) << "a file where the folder should be";
  Open(Keeping(absl::Microseconds(1)));
  ASSERT_TRUE(Start("at once", "w1").ok());
  watched->AwaitPasses(4);
  EXPECT_TRUE(Exists("w1"));
  std::filesystem::remove(folder.File("archive"));
  watched->AwaitDeleted(1);
  EXPECT_THAT(Archived(), ElementsAre("w1"));
}

TEST_F(RetentionTest, AStopBetweenArchiveAndDeletionLosesNoRun) {
  Open();
  ASSERT_TRUE(Start("at once", "w1").ok());
  const auto inner = decorate;
  decorate = [this, inner](store::Store* under) {
    auto made = inner(under);
    watched->refuse = true;
    return made;
  };
  Restart(Keeping(absl::Microseconds(1)));
  watched->AwaitRefused();
  decorate = inner;
  Restart(Keeping(absl::Microseconds(1)));
  watched->AwaitDeleted(1);
  EXPECT_FALSE(Exists("w1"));
  const std::vector<std::string> archived = Archived();
  EXPECT_GE(archived.size(), 2u) << "once before the stop and once after it";
  EXPECT_THAT(archived, testing::Each("w1"));
}

}  // namespace
}  // namespace engine_test
