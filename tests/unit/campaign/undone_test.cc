// What a campaign says of itself when it ended badly: what was undone, what an operator gave up,
// and what had never begun. In virtual time; every test ends with a replay of its history.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "activities/campaign/activities.h"
#include "activities/campaign/campaign_workflow.h"
#include "campaign/v1/activities.pb.h"
#include "orchestrator/history/time.h"
#include "orchestrator/sdk/testing/workflow_test_env.h"
#include "tests/unit/campaign/phases.h"
#include "tests/unit/campaign/specs.h"

namespace campaign {
namespace {

using ::testing::HasSubstr;

class UndoneTest : public ::testing::Test {
 protected:
  UndoneTest() {
    AddCampaign(env_, {.approval_timeout = absl::Hours(24), .undo_window = absl::Minutes(15)});
    env_.OnActivity(kRequestReview, [](const auto&) { return v1::ReviewOutput(); });
  }
  void Refuse(const char* undo) {
    env_.OnRawActivity(undo, [](const auto&) -> sdk::Outcome<orchestrator::v1::Payload> {
      return sdk::Failure::Permanent("Forbidden", "no right to");
    });
  }
  void DecideAt(absl::Duration when, bool approved) {
    env_.At(when, [this, approved] {
      v1::DecisionInput input;
      input.set_decided_by("ann");
      const auto decided =
          env_.Update<v1::ApprovalDecision>(approved ? kApproveUpdate : kRejectUpdate, input);
      EXPECT_TRUE(decided.ok()) << decided.failure().ToString();
    });
  }
  void OperatorAt(absl::Duration when, const char* verb, const std::string& step,
                  const std::string& reason) {
    env_.At(when, [this, verb, step, reason] {
      orchestrator::v1::CompensationVerbInput input;
      input.set_step(step);
      input.set_reason(reason);
      input.set_identity("bob");
      const auto done = env_.Update<orchestrator::v1::CompensationVerbInput>(verb, input);
      EXPECT_TRUE(done.ok()) << done.failure().ToString();
    });
  }
  sdk::Failure Failed(const v1::CampaignSpec& spec = SpringSpec()) {
    const auto result = env_.Run<v1::CampaignSpec, v1::CampaignResult>(kWorkflowType, spec);
    EXPECT_FALSE(result.ok());
    return result.ok() ? sdk::Failure() : result.failure();
  }
  v1::CampaignProgress Progress() {
    const auto progress = env_.Query<v1::CampaignProgress>(kProgressQuery, v1::CampaignProgress());
    EXPECT_TRUE(progress.ok()) << progress.failure().ToString();
    return progress.ok() ? *progress : v1::CampaignProgress();
  }
  std::map<std::string, std::string> States() {
    std::map<std::string, std::string> states;
    const v1::CampaignProgress progress = Progress();
    for (const v1::PhaseProgress& phase : progress.phases()) {
      states[phase.phase()] = phase.state();
    }
    return states;
  }

  sdk::testing::WorkflowTestEnv env_;
};

TEST_F(UndoneTest, EverythingWasUndone) {
  DecideAt(absl::Hours(1), false);
  EXPECT_EQ(Failed().message, "rejected by ann");
  EXPECT_EQ(Progress().message(), "failed and undone: rejected by ann");
  EXPECT_EQ(States()["content"], "compensated");
  EXPECT_EQ(States()["review"], "compensated");
  EXPECT_EQ(States()["research"], "completed");
}

TEST_F(UndoneTest, WhatAnOperatorSkippedIsNotCalledUndone) {
  Refuse(kDeleteDrafts.name);
  Refuse(kWithdrawReview.name);
  DecideAt(absl::Hours(1), false);
  OperatorAt(absl::Hours(2), "saga.skip", kCreateContent.name, "the drafts may stay");
  OperatorAt(absl::Hours(3), "saga.resolve", kRequestReview.name, "closed on GitHub");
  const sdk::Failure failure = Failed();
  EXPECT_EQ(failure.type, "CampaignRejected");
  EXPECT_EQ(failure.message,
            "rejected by ann; not undone: content_creation_activity (skipped by bob: the drafts "
            "may stay)");
  EXPECT_THAT(failure.detail_json, HasSubstr(R"("compensation":"SKIPPED")"));
  EXPECT_EQ(Progress().message(),
            "failed: rejected by ann; not undone: content (skipped by bob: the drafts may stay); "
            "undone by hand: review (bob: closed on GitHub)");
  EXPECT_EQ(States()["content"], "not_undone");
  EXPECT_EQ(States()["design"], "compensated");
  EXPECT_EQ(States()["review"], "compensated");
  EXPECT_EQ(Progress().progress_percentage(), 70) << "an undo is no progress, and no loss of it";
}

TEST_F(UndoneTest, CanceledBeforeItsTimeTheDistributionNeverBegan) {
  v1::CampaignSpec spec = SpringSpec();
  *spec.mutable_schedule_time() = history::ToProto(env_.Now() + absl::Hours(20));
  DecideAt(absl::Hours(1), true);
  env_.At(absl::Hours(2), [this] {
    EXPECT_EQ(Progress().current_phase(), "distribution");
    EXPECT_THAT(Progress().message(), HasSubstr("distribution begins"));
    EXPECT_EQ(States()["distribution"], "pending");
  });
  env_.CancelAt(absl::Hours(3), "budget cut");
  EXPECT_TRUE(Failed(spec).is_canceled());
  EXPECT_EQ(Progress().message(), "canceled and undone: budget cut");
  EXPECT_EQ(States()["distribution"], "pending");
  EXPECT_EQ(States()["review"], "compensated");
}

TEST_F(UndoneTest, CanceledBeforeItDidAnything) {
  env_.OnActivity(kResearch, [](const auto&) { return v1::ResearchOutput(); },
                  {.takes = absl::Minutes(1)});
  env_.CancelAt(absl::Seconds(1), "budget cut");
  EXPECT_TRUE(Failed().is_canceled());
  EXPECT_THAT(Progress().message(), HasSubstr("canceled, there was nothing to undo: "));
  EXPECT_EQ(States()["research"], "canceled");
}

}  // namespace
}  // namespace campaign
