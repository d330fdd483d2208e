// An engine between codecs: what people send is readable to them and to the workflow, and nowhere
// in the store's files.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "orchestrator/base/check.h"
#include "orchestrator/client/in_process_client.h"
#include "orchestrator/codec/aes_gcm_codec.h"
#include "orchestrator/codec/codec_client.h"
#include "orchestrator/codec/codec_runner.h"
#include "orchestrator/codec/codec_worker.h"
#include "orchestrator/codec/zlib_codec.h"
#include "orchestrator/store/sqlite/sqlite_store.h"
#include "tests/integration/engine/engine_fixture.h"
#include "tests/support/await.h"
#include "tests/support/temporary_folder.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Outcome;
using sdk::Workflow;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr sdk::ActivityType<Text, Text> kWork{"work"};
constexpr sdk::ActivityType<Text, Text> kLocal{"local_work"};
constexpr saga::CompensationType<Text, Text, Text> kUndo{"undo_work"};

std::string KeyLine(const std::string& id, char fill) {
  return id + " " + absl::Base64Escape(std::string(32, fill)) + "\n";
}

// Uses everything that carries payloads. All texts begin with "planted".
Workflow<Text> Everything(sdk::Context ctx, Text input) {
  const auto seen = std::make_shared<std::string>("planted-state");
  ctx.SetQueryHandler<Text, Text>("seen",
                                  [seen](const Text&) -> Outcome<Text> { return T(*seen); });
  ctx.SetUpdateHandler<Text, Text>(
      "set", [](const Text&) -> sdk::Done { return sdk::Unit{}; },
      [seen](const Text& update) -> Outcome<Text> {
        *seen = update.message();
        return T("planted-answer");
      });
  ctx.UpsertMemo("note", T("planted-memo"));
  const auto effect = ctx.SideEffect<std::string>([] { return std::string("planted-effect"); });
  saga::Saga saga(ctx);
  const Outcome<Text> worked = co_await saga.Run(kWork, T("planted-step"), kUndo);
  const Outcome<Text> local = co_await ctx.ExecuteLocal(kLocal, T("planted-local"));
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok() || !worked.ok() || !local.ok()) co_return Failure::Permanent("Odd", "no");
  const Text signal = *ctx.TakeSignal<Text>("go");
  if (signal.message() == "planted-abort") {
    co_return co_await saga.Abort(Failure::Permanent("Asked", "planted-reason"));
  }
  co_return T(input.message() + "|" + effect + "|" + worked->message() + "|" + local->message() +
              "|" + *seen + "|" + signal.message());
}

class EncryptedEngineTest : public ::testing::Test {
 protected:
  EncryptedEngineTest() {
    base::SetLogLevel(base::LogLevel::kOff);
    registry.AddWorkflow<Text, Text>("everything", &Everything);
    registry.AddActivity(kWork, [this](sdk::ActivityContext& ctx, Text input) {
      return Work(this, ctx, std::move(input));
    });
    registry.AddActivity(kLocal, [](sdk::ActivityContext&, Text input) { return Echo(input); });
    saga::AddCompensation(registry, kUndo,
                          [this](sdk::ActivityContext&, saga::Undo<Text, Text> undo) {
                            undone = undo.input.message() + "|" + undo.result->message();
                            return Echo(undo.input);
                          });
  }
  ~EncryptedEngineTest() override { Close(); }
  static base::Task<Outcome<Text>> Echo(Text input) { co_return T(input.message() + "-done"); }
  static base::Task<Outcome<Text>> Work(EncryptedEngineTest* test, sdk::ActivityContext& ctx,
                                        Text input) {
    if (ctx.info().attempt == 1) {
      const sdk::Done saved = co_await ctx.RecordHeartbeat(T("planted-heartbeat"));
      if (!saved.ok()) co_return saved.failure();
      test->files_at_heartbeat = test->Files();
      co_return Failure::Retryable("Again", "one more");
    }
    const std::optional<Text> before = ctx.last_heartbeat<Text>();
    test->heartbeat = before.has_value() ? before->message() : "";
    co_return T(input.message() + "-done");
  }

  void SetKeys(const std::string& text) {
    std::ofstream(folder.File("keys.new")) << text;
    std::filesystem::rename(folder.File("keys.new"), folder.File("keys"));
  }
  void Open() {
    auto opened = store::sqlite::SqliteStore::Open({.path = folder.File("runs.db")});
    CHECK(opened.ok()) << opened.status();
    store = *std::move(opened);
    auto keys = codec::KeySource::FromFile(folder.File("keys"), clock);
    CHECK(keys.ok()) << keys.status();
    chain = std::make_unique<codec::CodecChain>();
    chain->Add(std::make_unique<codec::ZlibCodec>(64));
    chain->Add(std::make_unique<codec::AesGcmCodec>(*keys));
    messages.emplace(*chain, codec::MessageCodecOptions{.failures = true});
    io = std::make_unique<base::EpollLoop>(clock, "io");
    io->Start();
    worker = std::make_unique<worker::WorkflowWorker>(registry);
    runner = std::make_unique<codec::CodecRunner>(*worker, *messages);
    activities =
        std::make_unique<worker::ActivityWorker>(registry, *io, worker::ActivityWorkerOptions{});
    executor = std::make_unique<codec::CodecWorker>(*activities, *messages);
    engine::EngineOptions options;
    options.stuck_retry_min = absl::Milliseconds(1);
    options.stuck_retry_max = absl::Milliseconds(5);
    engine = std::make_unique<engine::Engine>(
        options, engine::Engine::Dependencies{.store = *store,
                                              .runner = *runner,
                                              .clock = clock,
                                              .random = random,
                                              .metrics = metrics,
                                              .on_fatal = [](absl::Status) {}});
    activities->Connect(*executor);
    executor->Connect(*engine);
    const absl::Status status = engine->Open(*executor);
    CHECK(status.ok()) << status;
    inner = client::NewInProcessClient(*engine);
    client = codec::NewCodecClient(*inner, *messages);
  }
  void Close() {
    if (engine == nullptr) return;
    absl::Notification drained;
    activities->Drain([&] { drained.Notify(); });
    drained.WaitForNotification();
    engine->Close();
    io->Stop();
    client.reset();
    inner.reset();
    engine.reset();
    executor.reset();
    activities.reset();
    runner.reset();
    worker.reset();
    io.reset();
    store.reset();
  }

  template <typename Req, typename Resp>
  absl::StatusOr<Resp> Call(void (client::WorkflowClient::*verb)(Req, client::Callback<Resp>),
                            Req request) {
    absl::Notification answered;
    absl::StatusOr<Resp> result = absl::UnknownError("no answer");
    (client.get()->*verb)(std::move(request), [&](absl::StatusOr<Resp> response) {
      result = std::move(response);
      answered.Notify();
    });
    answered.WaitForNotification();
    return result;
  }
  v1::StartWorkflowRequest StartRequest(const std::string& input) {
    v1::StartWorkflowRequest request;
    request.set_workflow_id("w");
    request.set_workflow_type("everything");
    request.set_request_id("r");
    *request.mutable_input() = history::ToPayload(T(input));
    return request;
  }
  absl::Status Signal(const std::string& text) {
    v1::SignalWorkflowRequest request;
    request.set_workflow_id("w");
    request.set_signal_name("go");
    *request.mutable_input() = history::ToPayload(T(text));
    return Call(&client::WorkflowClient::Signal, request).status();
  }
  v1::WorkflowInfo Info() {
    v1::GetWorkflowRequest request;
    request.set_workflow_id("w");
    return *Call(&client::WorkflowClient::GetWorkflow, request);
  }
  v1::GetWorkflowResultResponse Result() {
    v1::GetWorkflowResultRequest request;
    request.set_workflow_id("w");
    request.mutable_wait()->set_seconds(30);
    const auto result = Call(&client::WorkflowClient::GetResult, request);
    CHECK(result.ok()) << result.status();
    return *result;
  }
  void WaitUntilParked() {
    test::Await(
        [&] {
          const v1::WorkflowInfo info = Info();
          if (info.history_length() > 12 && info.pending_activities_size() == 0) return true;
          v1::GetWorkflowHistoryRequest request;
          request.set_workflow_id("w");
          request.set_after_event_id(info.history_length());
          request.mutable_wait()->set_nanos(20'000'000);
          (void)Call(&client::WorkflowClient::GetHistory, request);
          return false;
        },
        "the run to be parked");
  }
  // Everything that the store has written.
  std::string Files() {
    std::stringstream all;
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
      if (absl::StartsWith(file.path().filename().string(), "runs.db")) {
        all << std::ifstream(file.path(), std::ios::binary).rdbuf();
      }
    }
    return all.str();
  }
  static std::vector<std::string> PlantedIn(const std::string& bytes) {
    std::vector<std::string> found;
    for (size_t at = bytes.find("planted"); at != std::string::npos;
         at = bytes.find("planted", at + 1)) {
      found.push_back(bytes.substr(at, 24));
    }
    return found;
  }

  test::TemporaryFolder folder;
  sdk::Registry registry;
  base::SystemClock clock;
  base::SystemRandom random;
  base::Metrics metrics;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<codec::CodecChain> chain;
  std::optional<codec::MessageCodec> messages;
  std::unique_ptr<base::EpollLoop> io;
  std::unique_ptr<worker::WorkflowWorker> worker;
  std::unique_ptr<codec::CodecRunner> runner;
  std::unique_ptr<worker::ActivityWorker> activities;
  std::unique_ptr<codec::CodecWorker> executor;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<client::WorkflowClient> inner;
  std::unique_ptr<client::WorkflowClient> client;
  std::string files_at_heartbeat;
  std::string heartbeat;
  std::string undone;
};

TEST_F(EncryptedEngineTest, NothingReadableReachesTheStore) {
  SetKeys(KeyLine("k1", 'a'));
  Open();
  ASSERT_TRUE(Call(&client::WorkflowClient::StartWorkflow, StartRequest("planted-input")).ok());
  WaitUntilParked();
  EXPECT_EQ(heartbeat, "planted-heartbeat");
  EXPECT_THAT(PlantedIn(files_at_heartbeat), IsEmpty());
  EXPECT_THAT(files_at_heartbeat, HasSubstr("encryption-key-id"));

  v1::UpdateWorkflowRequest update;
  update.set_workflow_id("w");
  update.set_update_name("set");
  *update.mutable_input() = history::ToPayload(T("planted-update"));
  const auto answer = Call(&client::WorkflowClient::Update, update);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(history::FromPayload<Text>(answer->result())->message(), "planted-answer");
  v1::QueryWorkflowRequest query;
  query.set_workflow_id("w");
  query.set_query_name("seen");
  const auto seen = Call(&client::WorkflowClient::Query, query);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(history::FromPayload<Text>(seen->result())->message(), "planted-update");
  EXPECT_EQ(history::FromPayload<Text>(Info().memo().fields().at("note"))->message(),
            "planted-memo");

  ASSERT_TRUE(Signal("planted-signal").ok());
  EXPECT_EQ(history::FromPayload<Text>(Result().result())->message(),
            "planted-input|planted-effect|planted-step-done|planted-local-done|planted-update|"
            "planted-signal");
  // Callers see it all.
  v1::GetWorkflowHistoryRequest request;
  request.set_workflow_id("w");
  const auto history = Call(&client::WorkflowClient::GetHistory, request);
  ASSERT_TRUE(history.ok());
  const std::string shown = history->SerializeAsString();
  for (const char* text : {"planted-input", "planted-effect", "planted-step", "planted-local",
                           "planted-update", "planted-answer", "planted-signal", "planted-memo"}) {
    EXPECT_THAT(shown, HasSubstr(text));
  }
  EXPECT_THAT(PlantedIn(Files()), IsEmpty());
}

TEST_F(EncryptedEngineTest, CompensationsReadWhatTheyUndo) {
  SetKeys(KeyLine("k1", 'a'));
  Open();
  ASSERT_TRUE(Call(&client::WorkflowClient::StartWorkflow, StartRequest("planted-input")).ok());
  WaitUntilParked();
  ASSERT_TRUE(Signal("planted-abort").ok());
  const v1::GetWorkflowResultResponse result = Result();
  EXPECT_EQ(result.failure().type(), "Asked");
  EXPECT_EQ(result.failure().message(), "planted-reason");
  EXPECT_EQ(undone, "planted-step|planted-step-done");
  EXPECT_THAT(PlantedIn(Files()), IsEmpty());
}

TEST_F(EncryptedEngineTest, ARepeatedStartIsKnownAgain) {
  SetKeys(KeyLine("k1", 'a'));
  Open();
  ASSERT_TRUE(Call(&client::WorkflowClient::StartWorkflow, StartRequest("planted-input")).ok());
  const auto again = Call(&client::WorkflowClient::StartWorkflow, StartRequest("planted-input"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->already_started());
  const auto other = Call(&client::WorkflowClient::StartWorkflow, StartRequest("planted-other"));
  EXPECT_EQ(other.status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(EncryptedEngineTest, GoesOnAfterARotation) {
  SetKeys(KeyLine("k1", 'a'));
  Open();
  ASSERT_TRUE(Call(&client::WorkflowClient::StartWorkflow, StartRequest("planted-input")).ok());
  WaitUntilParked();
  Close();
  SetKeys(KeyLine("k2", 'b') + KeyLine("k1", 'a'));
  Open();
  ASSERT_TRUE(Signal("planted-signal").ok());
  EXPECT_THAT(history::FromPayload<Text>(Result().result())->message(),
              StartsWith("planted-input"));
  EXPECT_THAT(Files(), HasSubstr("k2"));
}

TEST_F(EncryptedEngineTest, AMissingKeyMakesTheRunStuckUntilItIsBack) {
  SetKeys(KeyLine("k1", 'a'));
  Open();
  ASSERT_TRUE(Call(&client::WorkflowClient::StartWorkflow, StartRequest("planted-input")).ok());
  WaitUntilParked();
  Close();
  SetKeys(KeyLine("k2", 'b'));
  Open();
  ASSERT_TRUE(Signal("planted-signal").ok());
  const v1::WorkflowInfo stuck = Info();
  EXPECT_EQ(stuck.status(), v1::RunStatus::STUCK);
  EXPECT_THAT(stuck.status_reason(),
              HasSubstr("payload codec: a payload is encrypted with key \"k1\", which is not among "
                        "the keys (k2)"));
  // The file is read again by itself.
  SetKeys(KeyLine("k2", 'b') + KeyLine("k1", 'a'));
  EXPECT_THAT(history::FromPayload<Text>(Result().result())->message(),
              StartsWith("planted-input"));
}

}  // namespace
}  // namespace engine_test
