// Lists of objects that are runs: one that cannot answer is shown as its run is, one that went
// while the list was made is not shown.
#include "gateway/grpc/described_runs.h"

#include <gmock/gmock.h>

#include <future>

#include "gateway/grpc/batch_service.h"
#include "gateway/grpc/schedule_service.h"
#include "orchestrator/batches/batch_workflow.h"
#include "orchestrator/schedules/schedule_workflow.h"
#include "tests/integration/gateway/gateway_fixture.h"

namespace gateway {
namespace {

using ::testing::HasSubstr;

class SomeAreGone : public MemoryClient {
 public:
  void GetWorkflow(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done) override {
    if (gone == request.workflow_id()) return done(absl::NotFoundError("gone"));
    MemoryClient::GetWorkflow(std::move(request), std::move(done));
  }
  void Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done) override {
    if (gone == request.workflow_id()) return done(absl::NotFoundError("gone"));
    MemoryClient::Query(std::move(request), std::move(done));
  }
  void AddStuck(const std::string& workflow_id) {
    AddCampaign(workflow_id);
    Change(workflow_id, [](Run& run) { run.info.set_status(v1::RunStatus::STUCK); });
  }
  std::string gone;
};

class DescribedRunsTest : public testing::Test {
 protected:
  template <typename Response, typename Service, typename Request>
  Response Call(Service& service, void (Service::*method)(CallInfo, Request, Callback<Response>)) {
    std::promise<absl::StatusOr<Response>> answer;
    (service.*method)({.ns = "default"}, Request(), [&answer](absl::StatusOr<Response> response) {
      answer.set_value(std::move(response));
    });
    const absl::StatusOr<Response> response = answer.get_future().get();
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : Response();
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  SomeAreGone client_;
};

TEST_F(DescribedRunsTest, AStuckBatchIsListed) {
  client_.AddStuck(batches::WorkflowIdOf("cancel-all"));
  client_.gone = batches::WorkflowIdOf("old");
  client_.AddStuck(client_.gone);
  BatchServiceImpl service({client_, random_});
  const auto list = Call(service, &BatchServiceImpl::ListBatches);
  ASSERT_EQ(list.batches_size(), 1);
  EXPECT_EQ(list.batches(0).batch_id(), "cancel-all");
  EXPECT_EQ(list.batches(0).status(), v1::RunStatus::STUCK);
  EXPECT_THAT(list.batches(0).status_reason(), HasSubstr("stuck"));
  EXPECT_TRUE(list.batches(0).has_start_time());
}

TEST_F(DescribedRunsTest, AStuckScheduleIsListed) {
  client_.AddStuck(schedules::WorkflowIdOf("every-monday"));
  client_.gone = schedules::WorkflowIdOf("old");
  client_.AddStuck(client_.gone);
  ScheduleServiceImpl service({client_, clock_});
  const auto list = Call(service, &ScheduleServiceImpl::ListSchedules);
  ASSERT_EQ(list.schedules_size(), 1);
  EXPECT_EQ(list.schedules(0).schedule_id(), "every-monday");
  EXPECT_EQ(list.schedules(0).status(), v1::RunStatus::STUCK);
  EXPECT_THAT(list.schedules(0).status_reason(), HasSubstr("stuck"));
}

}  // namespace
}  // namespace gateway
