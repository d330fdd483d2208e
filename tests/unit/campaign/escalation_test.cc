// A review that nobody decides: reminders, expiry, and going on. In virtual time; every test ends
// with a replay of its history.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/campaign/activities.h"
#include "activities/campaign/campaign_workflow.h"
#include "campaign/v1/activities.pb.h"
#include "orchestrator/history/time.h"
#include "orchestrator/sdk/testing/workflow_test_env.h"
#include "tests/unit/campaign/phases.h"
#include "tests/unit/campaign/specs.h"

namespace campaign {
namespace {

using sdk::testing::ActivityBehavior;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kDay = absl::Hours(24);

class EscalationTest : public ::testing::Test {
 protected:
  EscalationTest() {
    AddCampaign(env_, {.approval_timeout = 14 * kDay, .undo_window = absl::Minutes(15)});
    env_.OnActivity(kDistribute, [](const auto&) { return v1::DistributeOutput(); });
    env_.OnActivity(kSetUpAnalytics, [](const auto&) { return v1::AnalyticsOutput(); });
    env_.OnActivity(kRefreshReview, [](const auto&) { return v1::CloseReviewOutput(); });
    env_.OnActivity(kCloseReview, [](const auto&) { return v1::CloseReviewOutput(); });
    env_.OnActivity(kRemindReview,
                    [this](const v1::RemindReviewInput& input) {
                      reminded_at_.push_back(env_.Elapsed() / kDay);
                      reminders_.push_back(input);
                      return v1::RemindReviewOutput();
                    },
                    {.takes = reminder_takes_});
  }
  // How the review waits; no policy when `expire_after` is zero, as in older runs.
  void Policy(absl::Duration remind_after, absl::Duration expire_after, const char* on_expiry) {
    env_.OnActivity(kRequestReview, [=](const auto&) {
      v1::ReviewOutput output;
      output.set_github_pr_number(7);
      output.set_github_pr_url("https://github.com/acme/campaigns/pull/7");
      output.set_slack_message_ts("5.5");
      if (expire_after == absl::ZeroDuration()) return output;
      v1::ApprovalPolicy* policy = output.mutable_approval();
      if (remind_after > absl::ZeroDuration()) {
        *policy->mutable_remind_after() = history::ToProto(remind_after);
      }
      *policy->mutable_expire_after() = history::ToProto(expire_after);
      policy->set_on_expiry(on_expiry);
      return output;
    });
  }
  void ApproveAt(absl::Duration when) {
    env_.At(when, [this] {
      v1::DecisionInput input;
      input.set_decided_by("ann");
      const auto decided = env_.Update<v1::ApprovalDecision>(kApproveUpdate, input);
      EXPECT_TRUE(decided.ok()) << decided.failure().ToString();
    });
  }
  sdk::Outcome<v1::CampaignResult> Run() {
    return env_.Run<v1::CampaignSpec, v1::CampaignResult>(kWorkflowType, SpringSpec());
  }

  sdk::testing::WorkflowTestEnv env_;
  absl::Duration reminder_takes_ = absl::ZeroDuration();
  std::vector<double> reminded_at_;  // days after the start
  std::vector<v1::RemindReviewInput> reminders_;
};

TEST_F(EscalationTest, RemindsAgainAndAgainUntilTheDecision) {
  Policy(2 * kDay, 14 * kDay, "reject");
  ApproveAt(5 * kDay);
  const auto result = Run();
  ASSERT_TRUE(result.ok()) << result.failure().ToString();
  EXPECT_THAT(reminded_at_, ElementsAre(2, 4));
  EXPECT_EQ(reminders_[1].reminder(), 2);
  EXPECT_EQ(
      history::FromProto(reminders_[1].expires_at()) - history::FromProto(reminders_[1].asked_at()),
      14 * kDay);
  EXPECT_EQ(result->decision().decided_by(), "ann");
}

TEST_F(EscalationTest, ExpiresAndIsWithdrawn) {
  Policy(5 * kDay, 14 * kDay, "reject");
  const auto result = Run();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.failure().type, "ApprovalTimedOut");
  EXPECT_THAT(result.failure().message, HasSubstr("within 336h"));
  EXPECT_THAT(reminded_at_, ElementsAre(5, 10));
  EXPECT_EQ(env_.Elapsed(), 14 * kDay);
}

TEST_F(EscalationTest, ExpiresAndGoesOnWaiting) {
  Policy(5 * kDay, 7 * kDay, "wait");
  env_.At(8 * kDay, [this] {
    const auto progress = env_.Query<v1::CampaignProgress>(kProgressQuery, v1::CampaignProgress());
    EXPECT_TRUE(progress->waiting_for_approval());
    EXPECT_FALSE(progress->review().has_expires_at());
    EXPECT_THAT(progress->message(), HasSubstr("longer than it should"));
  });
  ApproveAt(20 * kDay);
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(reminded_at_, ElementsAre(5, 7, 12, 17));
  EXPECT_EQ(reminders_[1].reminder(), 0);  // says that the time is over
  EXPECT_EQ(reminders_[2].reminder(), 2);
  EXPECT_FALSE(reminders_[2].has_expires_at());
}

TEST_F(EscalationTest, ProgressSaysWhereAndUntilWhen) {
  Policy(2 * kDay, 14 * kDay, "reject");
  env_.At(3 * kDay, [this] {
    const auto progress = env_.Query<v1::CampaignProgress>(kProgressQuery, v1::CampaignProgress());
    EXPECT_THAT(progress->reviewers(), ElementsAre("U012AB3CD"));
    EXPECT_EQ(progress->review().github_pr_number(), 7);
    EXPECT_EQ(progress->review().reminders(), 1);
    EXPECT_EQ(history::FromProto(progress->review().expires_at()), env_.Now() + 11 * kDay);
  });
  ApproveAt(4 * kDay);
  ASSERT_TRUE(Run().ok());
}

TEST_F(EscalationTest, NeverRemindsWhenItShouldNot) {
  Policy(absl::ZeroDuration(), 14 * kDay, "reject");
  ApproveAt(10 * kDay);
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(reminded_at_, ElementsAre());
}

// Slack is down: the reminder hangs, the decision does not.
TEST_F(EscalationTest, AReminderUnderWayHoldsUpNothing) {
  Policy(2 * kDay, 14 * kDay, "reject");
  env_.OnActivity(kRemindReview,
                  [this](const auto&) {
                    reminded_at_.push_back(env_.Elapsed() / kDay);
                    return v1::RemindReviewOutput();
                  },
                  {.takes = 9 * kDay, .defaults = {.start_to_close_timeout = 10 * kDay}});
  ApproveAt(5 * kDay);
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(reminded_at_, ElementsAre(2));  // the next one had nothing to say yet
  EXPECT_EQ(env_.Elapsed(), 5 * kDay);
}

TEST_F(EscalationTest, ChangedTextsDoNotStartTheTimeAnew) {
  Policy(4 * kDay, 10 * kDay, "reject");
  env_.At(3 * kDay, [this] {
    v1::UpdateContentInput input;
    input.set_content_id("headline");
    input.set_new_content("Run again");
    EXPECT_TRUE(env_.Update<v1::UpdateContentOutput>(kUpdateContentUpdate, input).ok());
  });
  EXPECT_EQ(Run().failure().type, "ApprovalTimedOut");
  EXPECT_THAT(reminded_at_, ElementsAre(4, 8));
  EXPECT_EQ(env_.Elapsed(), 10 * kDay);
}

TEST_F(EscalationTest, OlderReviewsWaitAsTheyAlwaysDid) {
  Policy(absl::ZeroDuration(), absl::ZeroDuration(), "");
  EXPECT_EQ(Run().failure().type, "ApprovalTimedOut");
  EXPECT_THAT(reminded_at_, ElementsAre());
  EXPECT_EQ(env_.Elapsed(), 14 * kDay);
}

}  // namespace
}  // namespace campaign
