// A whole engine in the test's process: a real SQLite file, real loops and threads. `Restart`
// throws the engine away and opens a new one on the same file, with another registry if wanted.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"
#include "orchestrator/client/in_process_client.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/sdk/registry.h"
#include "orchestrator/store/store.h"
#include "orchestrator/worker/activity_worker.h"
#include "orchestrator/worker/workflow_worker.h"
#include "saga/saga.h"
#include "tests/support/temporary_folder.h"

namespace engine_test {

namespace v1 = ::orchestrator::v1;

// The tests' one message type: text in, text out.
using Text = v1::Failure;
Text T(const std::string& text);

class EngineHarness {
 public:
  EngineHarness();
  ~EngineHarness();
  EngineHarness(const EngineHarness&) = delete;
  EngineHarness& operator=(const EngineHarness&) = delete;

  void Open(engine::EngineOptions options = {});
  // Graceful stop, then a new engine on the same file.
  void Restart(engine::EngineOptions options = {});
  void Close();

  // Calls a client verb and waits for its answer.
  template <typename Resp, typename Fn>
  absl::StatusOr<Resp> Await(Fn call) {
    absl::Notification answered;
    absl::StatusOr<Resp> result = absl::UnknownError("no answer");
    call([&](absl::StatusOr<Resp> response) {
      result = std::move(response);
      answered.Notify();
    });
    answered.WaitForNotification();
    return result;
  }
  absl::StatusOr<v1::StartWorkflowResponse> Start(const std::string& type, const std::string& id,
                                                  const std::string& input = "",
                                                  const std::string& request_id = "");
  // In a namespace, with any input.
  absl::StatusOr<v1::StartWorkflowResponse> StartIn(const std::string& ns, const std::string& type,
                                                    const std::string& id,
                                                    const google::protobuf::MessageLite& input,
                                                    const std::string& request_id = "");
  // The result when the run is closed.
  v1::GetWorkflowResultResponse Result(const std::string& id);
  v1::GetWorkflowResultResponse ResultIn(const std::string& ns, const std::string& id);
  std::string ResultText(const std::string& id);
  absl::StatusOr<v1::UpdateWorkflowResponse> Update(const std::string& id, const std::string& name,
                                                    const std::string& input);
  absl::Status Signal(const std::string& id, const std::string& name, const std::string& input);
  absl::StatusOr<std::string> Query(const std::string& id, const std::string& name);
  v1::WorkflowInfo Info(const std::string& id);
  absl::StatusOr<v1::WorkflowInfo> InfoIn(const std::string& ns, const std::string& id);
  v1::SagaInfo Saga(const std::string& id);
  std::vector<v1::HistoryEvent> History(const std::string& id);
  // Waits (by long polls, not by sleeping) until `holds` is true of the run, a minute at most.
  v1::WorkflowInfo WaitFor(const std::string& id,
                           const std::function<bool(const v1::WorkflowInfo&)>& holds);

  // Activities append here, on the I/O loop; read it when the run is closed.
  std::vector<std::string> journal;

  sdk::Registry registry;
  test::TemporaryFolder folder;
  std::string build_id;  // of the workflows' code, as of the next Open
  base::SystemClock clock;
  base::Clock* engine_clock = &clock;  // the engine's and its loops'
  base::SystemRandom random;
  base::Metrics metrics;
  std::unique_ptr<base::EpollLoop> io;
  std::unique_ptr<store::Store> store;
  // When set, the engine is given what this makes around the real store.
  std::function<std::unique_ptr<store::Store>(store::Store*)> decorate;
  std::unique_ptr<store::Store> decorated;
  std::function<void(absl::Status)> on_fatal;  // when set, hears that the engine cannot go on
  std::unique_ptr<worker::WorkflowWorker> runner;
  std::unique_ptr<worker::ActivityWorker> activities;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<client::WorkflowClient> client;
};

// The harness as a GoogleTest fixture.
class EngineTest : public ::testing::Test, public EngineHarness {};

}  // namespace engine_test
