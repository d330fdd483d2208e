// A stop that is announced: who waits for something is told to come again, all else goes on.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/integration/engine/engine_fixture.h"
#include "tests/support/await.h"

namespace engine_test {
namespace {

using base::Outcome;
using sdk::Workflow;
using ::testing::HasSubstr;

Workflow<Text> AwaitGo(sdk::Context ctx, Text request) {
  const sdk::Done waited = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  co_return T("gone " + request.message());
}

// Answers the update "ask" after the signal "go", and ends after "end".
Workflow<Text> Parked(sdk::Context ctx, Text input) {
  ctx.SetAsyncUpdateHandler<Text, Text>(
      "ask", nullptr, [ctx](Text request) { return AwaitGo(ctx, std::move(request)); });
  const sdk::Done waited = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("end"); });
  if (!waited.ok()) co_return waited.failure();
  co_return T("ended");
}

// The answer of a call that was made and is not waited for yet.
template <typename T>
class Later {
 public:
  auto callback() {
    return [this](absl::StatusOr<T> answer) {
      answer_ = std::move(answer);
      answered_.Notify();
    };
  }
  absl::StatusOr<T>& get() {
    answered_.WaitForNotification();
    return answer_;
  }

 private:
  absl::StatusOr<T> answer_ = absl::UnknownError("no answer");
  absl::Notification answered_;
};

class StopTest : public EngineTest {
 protected:
  StopTest() { registry.AddWorkflow<Text, Text>("parked", &Parked); }

  static v1::GetWorkflowResultRequest ResultRequest(int wait_seconds) {
    v1::GetWorkflowResultRequest request;
    request.set_workflow_id("w1");
    request.mutable_wait()->set_seconds(wait_seconds);
    return request;
  }
  v1::GetWorkflowHistoryRequest HistoryRequest() {
    v1::GetWorkflowHistoryRequest request;
    request.set_workflow_id("w1");
    request.set_after_event_id(static_cast<int64_t>(History("w1").size()));
    request.mutable_wait()->set_seconds(60);
    return request;
  }
  static v1::UpdateWorkflowRequest Ask() {
    v1::UpdateWorkflowRequest request;
    request.set_workflow_id("w1");
    request.set_update_name("ask");
    request.set_update_id("u1");
    *request.mutable_input() = history::ToPayload(T("x"));
    return request;
  }
  // All that the update writes for now is in the history then: a wait begins at its end.
  void AskAndBeAccepted(Later<v1::UpdateWorkflowResponse>& update) {
    client->Update(Ask(), update.callback());
    test::Await(
        [this] {
          const std::vector<v1::HistoryEvent> events = History("w1");
          return std::any_of(events.begin(), events.end(), [](const v1::HistoryEvent& event) {
            return event.has_workflow_execution_update_accepted();
          });
        },
        "the update to be accepted");
  }
};

TEST_F(StopTest, WhoWaitsIsToldToComeAgain) {
  Open();
  ASSERT_TRUE(Start("parked", "w1").ok());
  Later<v1::UpdateWorkflowResponse> update;
  AskAndBeAccepted(update);
  Later<v1::GetWorkflowResultResponse> result;
  client->GetResult(ResultRequest(60), result.callback());
  Later<v1::GetWorkflowHistoryResponse> history;
  client->GetHistory(HistoryRequest(), history.callback());
  engine->EndWaits();
  EXPECT_TRUE(absl::IsUnavailable(result.get().status())) << result.get().status();
  EXPECT_THAT(std::string(result.get().status().message()), HasSubstr("is stopping; try again"));
  EXPECT_TRUE(absl::IsUnavailable(history.get().status())) << history.get().status();
  EXPECT_TRUE(absl::IsUnavailable(update.get().status())) << update.get().status();
  EXPECT_THAT(std::string(update.get().status().message()), HasSubstr("u1 is accepted"));
  // Who comes to wait is told so at once.
  EXPECT_TRUE(absl::IsUnavailable(Await<v1::GetWorkflowResultResponse>([&](auto done) {
                                    client->GetResult(ResultRequest(60), std::move(done));
                                  }).status()));
  EXPECT_TRUE(absl::IsUnavailable(Await<v1::UpdateWorkflowResponse>([&](auto done) {
                                    client->Update(Ask(), std::move(done));
                                  }).status()));
}

TEST_F(StopTest, WhatNeedsNoWaitingGoesOn) {
  Open();
  ASSERT_TRUE(Start("parked", "w1").ok());
  engine->EndWaits();
  const auto now = Await<v1::GetWorkflowResultResponse>(
      [&](auto done) { client->GetResult(ResultRequest(0), std::move(done)); });
  ASSERT_TRUE(now.ok()) << now.status();
  EXPECT_EQ(now->status(), v1::RunStatus::RUNNING);
  ASSERT_TRUE(Start("parked", "w2").ok());
  ASSERT_TRUE(Signal("w1", "end", "").ok());
  EXPECT_EQ(ResultText("w1"), "ended") << "it is there, so nobody waits";
}

TEST_F(StopTest, AnUpdateIsAnsweredAfterTheRestart) {
  Open();
  ASSERT_TRUE(Start("parked", "w1").ok());
  Later<v1::UpdateWorkflowResponse> update;
  client->Update(Ask(), update.callback());
  engine->EndWaits();
  ASSERT_TRUE(absl::IsUnavailable(update.get().status())) << update.get().status();
  Restart();
  Later<v1::UpdateWorkflowResponse> again;
  client->Update(Ask(), again.callback());
  ASSERT_TRUE(Signal("w1", "go", "").ok());
  ASSERT_TRUE(again.get().ok()) << again.get().status();
  EXPECT_EQ(history::FromPayload<Text>(again.get()->result())->message(), "gone x");
}

TEST_F(StopTest, ACloseAloneAnswersThemToo) {
  Open();
  ASSERT_TRUE(Start("parked", "w1").ok());
  Later<v1::UpdateWorkflowResponse> update;
  AskAndBeAccepted(update);
  Later<v1::GetWorkflowResultResponse> result;
  client->GetResult(ResultRequest(60), result.callback());
  Close();
  EXPECT_TRUE(absl::IsUnavailable(result.get().status())) << result.get().status();
  EXPECT_TRUE(absl::IsUnavailable(update.get().status())) << update.get().status();
}

}  // namespace
}  // namespace engine_test
