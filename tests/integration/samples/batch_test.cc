// The sample batch on a real engine with several partitions.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/integration/engine/engine_fixture.h"
#include "tests/integration/samples/batch_workflow.h"
#include "tests/integration/samples/order_workflow.h"

namespace samples {
namespace {

namespace ov1 = ::orchestrator::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::OrderInput Order(const std::string& card, int grace_seconds = 0) {
  v1::OrderInput input;
  input.set_item("lamp");
  input.set_quantity(3);
  input.set_cents(4'900);
  input.set_card(card);
  input.set_address("1 Main Street");
  input.mutable_grace()->set_seconds(grace_seconds);
  return input;
}

class BatchTest : public engine_test::EngineTest {
 protected:
  BatchTest() {
    RegisterOrder(registry, &shop);
    RegisterBatch(registry);
    shop.declined_cards.insert("declined");
    Open({.partitions = 4});
  }
  ~BatchTest() override { Close(); }  // before the shop goes

  template <typename In>
  void StartWith(const std::string& type, const std::string& id, const In& input) {
    ov1::StartWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_workflow_type(type);
    *request.mutable_input() = history::ToPayload(input);
    const auto started = Await<ov1::StartWorkflowResponse>(
        [&](auto done) { client->StartWorkflow(request, std::move(done)); });
    ASSERT_TRUE(started.ok()) << started.status();
  }

  Shop shop;
};

TEST_F(BatchTest, ShipsWhatCanBeShippedAndReports) {
  v1::OrderInput watched = Order("4242", 3600);  // its grace period lasts; it collects notes
  StartWith("order", "watched", watched);
  v1::BatchInput batch;
  for (const char* card : {"4242", "declined", "1111"}) *batch.add_orders() = Order(card);
  batch.set_report_to("watched");
  StartWith("batch", "spring", batch);
  const auto result = Result("spring");
  ASSERT_EQ(result.status(), ov1::RunStatus::COMPLETED) << result.failure().message();
  const auto report = history::FromPayload<v1::BatchReport>(result.result());
  EXPECT_EQ(report->tracking_ids_size(), 2);
  EXPECT_THAT(report->problems(), ElementsAre(HasSubstr("spring-2: ChildWorkflowFailed")));
  EXPECT_EQ(Info("spring-2").parent().workflow_id(), "spring");
  bool told = false;
  for (const ov1::HistoryEvent& event : History("watched")) {
    told |= event.workflow_execution_signaled().signal_name() == "note";
  }
  EXPECT_TRUE(told);
}

TEST_F(BatchTest, CancelingTheBatchUndoesItsOrders) {
  v1::BatchInput batch;
  for (int i = 0; i < 2; ++i) *batch.add_orders() = Order("4242", 3600);
  StartWith("batch", "spring", batch);
  for (const char* id : {"spring-1", "spring-2"}) {
    // Reserved and charged: it waits for the end of its grace period.
    WaitFor("spring", [](const ov1::WorkflowInfo& info) {
      return info.pending_children_size() == 2 && !info.pending_children(0).run_id().empty() &&
             !info.pending_children(1).run_id().empty();
    });
    WaitFor(id, [](const ov1::WorkflowInfo& info) {
      return info.history_length() >= 17 && info.pending_activities_size() == 0;
    });
  }
  ov1::CancelWorkflowRequest request;
  request.set_workflow_id("spring");
  ASSERT_TRUE(Await<ov1::CancelWorkflowResponse>([&](auto done) {
                client->Cancel(request, std::move(done));
              }).ok());
  EXPECT_EQ(Result("spring").status(), ov1::RunStatus::CANCELED);
  for (const char* id : {"spring-1", "spring-2"}) {
    EXPECT_EQ(Result(id).status(), ov1::RunStatus::CANCELED);
    EXPECT_EQ(Info(id).saga_state(), ov1::SagaState::COMPENSATED);
  }
  EXPECT_THAT(shop.parcels, ::testing::IsEmpty());
}

}  // namespace
}  // namespace samples
