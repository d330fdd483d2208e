// A whole engine with the system workflows, and a workflow to start: each run of "report" writes
// its workflow and run id into `effects`, then waits for the signal "end" when its input says so.
#pragma once

#include <map>
#include <set>
#include <string>

#include "absl/synchronization/mutex.h"
#include "orchestrator/batches/batch_workflow.h"
#include "orchestrator/schedules/schedule_workflow.h"
#include "tests/fault/failing_store.h"
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {

inline constexpr sdk::ActivityType<Text, Text> kNoteStart{"note_start"};

inline sdk::Workflow<Text> Report(sdk::Context ctx, Text input) {
  const sdk::Outcome<Text> noted =
      co_await ctx.Execute(kNoteStart, T(ctx.info().workflow_id + " " + ctx.info().run_id));
  if (!noted.ok()) co_return noted.failure();
  if (input.message() != "wait") co_return T("reported");
  const sdk::Done ended = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("end"); });
  if (!ended.ok()) co_return ended.failure();
  co_return T("ended");
}

class SystemTest : public EngineTest {
 protected:
  SystemTest() {
    slot_ = client::NewClientSlot();
    schedules::Register(registry, slot_);
    batches::Register(registry, slot_);
    registry.AddWorkflow<Text, Text>("report", &Report);
    registry.AddActivity(kNoteStart,
                         [this](sdk::ActivityContext&, Text input) { return Note(input); });
  }
  ~SystemTest() override { CloseAll(); }

  void OpenAll(engine::EngineOptions options = {}) {
    options.store_retry = absl::Milliseconds(1);
    Open(std::move(options));
    slot_->store(client.get());
  }
  void CloseAll() {
    Close();
    slot_->store(nullptr);
  }
  // The N-th commit after the next Open fails: what the engine did not write is lost, and its runs
  // are read back from the disk, as after a kill.
  void FailCommit(int number, Where where) {
    decorate = [this, number, where](store::Store* real) {
      auto made = std::make_unique<FailingStore>(real, number, where);
      failing_ = made.get();
      return made;
    };
  }

  absl::StatusOr<v1::StartWorkflowResponse> StartSystem(
      const std::string& type, const std::string& id, const google::protobuf::MessageLite& input) {
    return StartIn("", type, id, input, "start of " + id);
  }
  template <typename Request>
  absl::StatusOr<v1::UpdateWorkflowResponse> SendUpdate(const std::string& id,
                                                        const std::string& name,
                                                        const std::string& update_id,
                                                        const Request& input) {
    v1::UpdateWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_update_name(name);
    request.set_update_id(update_id);
    *request.mutable_input() = history::ToPayload(input);
    return Await<v1::UpdateWorkflowResponse>(
        [&](auto done) { client->Update(request, std::move(done)); });
  }

  // workflow id -> its runs, of those whose id begins with `prefix`.
  std::map<std::string, std::set<std::string>> Effects(const std::string& prefix) {
    absl::MutexLock lock(&mu_);
    std::map<std::string, std::set<std::string>> found;
    for (const auto& [id, runs] : effects_) {
      if (id.starts_with(prefix)) found[id] = runs;
    }
    return found;
  }

  client::ClientSlot slot_;
  FailingStore* failing_ = nullptr;

 private:
  base::Task<sdk::Outcome<Text>> Note(Text input) {
    const size_t space = input.message().find(' ');
    absl::MutexLock lock(&mu_);
    effects_[input.message().substr(0, space)].insert(input.message().substr(space + 1));
    co_return input;
  }

  absl::Mutex mu_;
  std::map<std::string, std::set<std::string>> effects_ ABSL_GUARDED_BY(mu_);
};

}  // namespace engine_test
