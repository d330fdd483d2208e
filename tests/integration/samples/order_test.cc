// The sample order on a real engine: every feature that docs/writing-workflows.md explains is used
// once by a test here.
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>

#include "orchestrator/store/sqlite/sqlite_store.h"
#include "tests/integration/engine/engine_fixture.h"
#include "tests/integration/samples/order_workflow.h"

namespace samples {
namespace {

namespace ov1 = ::orchestrator::v1;
using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;

v1::OrderInput Order(absl::Duration grace) {
  v1::OrderInput input;
  input.set_item("lamp");
  input.set_quantity(3);
  input.set_cents(4'900);
  input.set_card("4242");
  input.set_address("1 Main Street");
  *input.mutable_grace() = TimeUtil::MillisecondsToDuration(absl::ToInt64Milliseconds(grace));
  return input;
}

class OrderTest : public engine_test::EngineTest {
 protected:
  OrderTest() { RegisterOrder(registry, &shop); }
  ~OrderTest() override { Close(); }  // before the shop goes

  void StartOrder(const std::string& id, const v1::OrderInput& input) {
    ov1::StartWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_workflow_type("order");
    request.set_request_id(id + "-start");  // repeating the call starts nothing twice
    *request.mutable_input() = history::ToPayload(input);
    const auto started = Await<ov1::StartWorkflowResponse>(
        [&](auto done) { client->StartWorkflow(request, std::move(done)); });
    ASSERT_TRUE(started.ok()) << started.status();
  }
  ov1::UpdateWorkflowResponse ChangeAddress(const std::string& id, const std::string& address) {
    v1::AddressChange change;
    change.set_address(address);
    change.set_changed_by("ann");
    ov1::UpdateWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_update_name("change_address");
    *request.mutable_input() = history::ToPayload(change);
    const auto updated = Await<ov1::UpdateWorkflowResponse>(
        [&](auto done) { client->Update(request, std::move(done)); });
    CHECK(updated.ok()) << updated.status();
    return *updated;
  }
  v1::OrderStatus Status(const std::string& id) {
    ov1::QueryWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_query_name("status");
    const auto answer = Await<ov1::QueryWorkflowResponse>(
        [&](auto done) { client->Query(request, std::move(done)); });
    CHECK(answer.ok()) << answer.status();
    return *history::FromPayload<v1::OrderStatus>(answer->result());
  }
  void SendNote(const std::string& id, const std::string& name, const std::string& text) {
    v1::Note note;
    note.set_text(text);
    ov1::SignalWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_signal_name(name);
    request.set_request_id(name + text);  // a repeated call is one signal
    *request.mutable_input() = history::ToPayload(note);
    ASSERT_TRUE(Await<ov1::SignalWorkflowResponse>([&](auto done) {
                  client->Signal(request, std::move(done));
                }).ok());
  }
  v1::Receipt ReceiptOf(const std::string& id) {
    const ov1::GetWorkflowResultResponse result = Result(id);
    EXPECT_EQ(result.status(), ov1::RunStatus::COMPLETED) << result.failure().ShortDebugString();
    return *history::FromPayload<v1::Receipt>(result.result());
  }
  // Until the status query says `state`; asked again after each event.
  void WaitForState(const std::string& id, const std::string& state) {
    WaitFor(id, [&](const ov1::WorkflowInfo&) { return Status(id).state() == state; });
  }
  void Cancel(const std::string& id) {
    ov1::CancelWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_reason("the customer changed his mind");
    ASSERT_TRUE(Await<ov1::CancelWorkflowResponse>([&](auto done) {
                  client->Cancel(request, std::move(done));
                }).ok());
  }

  Shop shop;
};

TEST_F(OrderTest, Ships) {
  Open();
  StartOrder("order-1", Order(absl::Milliseconds(1)));
  const v1::Receipt receipt = ReceiptOf("order-1");
  EXPECT_EQ(receipt.tracking_id(), "parcel-1");
  EXPECT_EQ(receipt.payment_id(), "pay-1");
  EXPECT_THAT(shop.parcels, ElementsAre("1 Main Street"));
  EXPECT_EQ(Saga("order-1").state(), ov1::SagaState::PIVOT_PASSED);
}

TEST_F(OrderTest, RetriesTheBankAndChargesOnce) {
  shop.charges_to_fail = 2;
  Open();
  StartOrder("order-1", Order(absl::Milliseconds(1)));
  EXPECT_EQ(ReceiptOf("order-1").payment_id(), "pay-1");
  EXPECT_EQ(shop.payments.size(), 1u);
}

TEST_F(OrderTest, DeclinedCardReleasesTheStock) {
  shop.declined_cards.insert("4242");
  Open();
  StartOrder("order-1", Order(absl::Milliseconds(1)));
  const ov1::GetWorkflowResultResponse result = Result("order-1");
  EXPECT_EQ(result.status(), ov1::RunStatus::FAILED);
  EXPECT_EQ(result.failure().type(), "CardDeclined");
  EXPECT_TRUE(shop.reservations.empty());
  const ov1::SagaInfo saga = Saga("order-1");
  ASSERT_EQ(saga.steps_size(), 2);
  EXPECT_EQ(saga.steps(0).compensation(), ov1::CompensationState::COMPLETED);
  EXPECT_EQ(saga.steps(1).compensation(), ov1::CompensationState::NONE) << "it had no effect";
}

TEST_F(OrderTest, CancelInTheGracePeriodUndoesEverything) {
  Open();
  StartOrder("order-1", Order(absl::Hours(1)));
  WaitForState("order-1", "grace");
  Cancel("order-1");
  EXPECT_EQ(Result("order-1").status(), ov1::RunStatus::CANCELED);
  EXPECT_TRUE(shop.reservations.empty());
  EXPECT_TRUE(shop.payments.empty());
  EXPECT_TRUE(shop.parcels.empty());
}

TEST_F(OrderTest, LargeOrderWaitsForTheReleaseAlsoOverARestart) {
  v1::OrderInput input = Order(absl::Milliseconds(1));
  input.set_cents(250'000);
  Open();
  StartOrder("order-1", input);
  WaitForState("order-1", "waiting for release");
  const ov1::UpdateWorkflowResponse changed = ChangeAddress("order-1", "2 Side Street");
  ASSERT_TRUE(changed.has_result());
  EXPECT_TRUE(ChangeAddress("order-1", "").has_rejected());
  SendNote("order-1", "note", "ring twice");
  SendNote("order-1", "note", "ring twice");
  Restart();
  EXPECT_EQ(Status("order-1").state(), "waiting for release");
  SendNote("order-1", "release", "ok");
  const v1::Receipt receipt = ReceiptOf("order-1");
  EXPECT_EQ(receipt.address(), "2 Side Street");
  EXPECT_THAT(receipt.notes(), ElementsAre("ring twice"));
  EXPECT_EQ(Status("order-1").state(), "shipped") << "a closed run still answers";
}

TEST_F(OrderTest, PackingGoesOnAtItsCheckpoint) {
  shop.crash_after_items = 2;
  Open();
  StartOrder("order-1", Order(absl::Milliseconds(1)));
  EXPECT_EQ(ReceiptOf("order-1").tracking_id(), "parcel-1");
  EXPECT_EQ(shop.items_packed, 3) << "no item was packed twice";
}

// A program of one's own: a store, two loops' worth of workers, an engine, a client.
TEST_F(OrderTest, RunsInAProgramOfItsOwn) {
  const std::string path = folder.File("orders.db");
  Shop own_shop;
  base::SystemClock clock;
  base::SystemRandom random;
  base::Metrics metrics;
  sdk::Registry registry;
  RegisterOrder(registry, &own_shop);  // complete before the engine opens

  auto store = store::sqlite::SqliteStore::Open({.path = path});
  ASSERT_TRUE(store.ok()) << store.status();
  base::EpollLoop io(clock, "io");
  io.Start();
  worker::WorkflowWorker workflows(registry);
  worker::ActivityWorker activities(registry, io, {.slots = 1000});
  engine::Engine engine({}, {.store = **store,
                             .runner = workflows,
                             .clock = clock,
                             .random = random,
                             .metrics = metrics,
                             .on_fatal = [](absl::Status status) { CHECK(false) << status; }});
  activities.Connect(engine);
  ASSERT_TRUE(engine.Open(activities).ok());
  std::unique_ptr<client::WorkflowClient> client = client::NewInProcessClient(engine);

  ov1::StartWorkflowRequest start;
  start.set_workflow_id("order-1");
  start.set_workflow_type("order");
  *start.mutable_input() = history::ToPayload(Order(absl::Milliseconds(1)));
  client->StartWorkflow(start, [](absl::StatusOr<ov1::StartWorkflowResponse> started) {
    CHECK(started.ok()) << started.status();  // on an engine thread: do not block here
  });

  ov1::GetWorkflowResultRequest get;
  get.set_workflow_id("order-1");
  get.mutable_wait()->set_seconds(30);
  const auto result = Await<ov1::GetWorkflowResultResponse>(
      [&](auto done) { client->GetResult(get, std::move(done)); });

  absl::Notification drained;  // a graceful stop: attempts are given back, commits finish
  activities.Drain([&drained] { drained.Notify(); });
  drained.WaitForNotification();
  engine.Close();
  io.Stop();

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(history::FromPayload<v1::Receipt>(result->result())->tracking_id(), "parcel-1");
}

}  // namespace
}  // namespace samples
