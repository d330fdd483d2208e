#include "activities/campaign/campaign_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/campaign/specs.h"

namespace campaign {
namespace {

using ::testing::HasSubstr;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

v1::ContentOutput SpringContent() {
  v1::ContentOutput content;
  *content.mutable_pieces() = SpringPieces();
  return content;
}

class CampaignStateTest : public ::testing::Test {
 protected:
  void RunUntilReview() {
    for (const Phase phase : {Phase::kResearch, Phase::kContent, Phase::kDesign}) {
      state_.StartPhase(phase, kStart);
      if (phase == Phase::kContent) state_.SetContent(SpringContent());
      state_.CompletePhase(phase, kStart + absl::Seconds(1));
    }
    state_.StartPhase(Phase::kReview, kStart + absl::Seconds(2));
  }
  static v1::DecisionInput By(const std::string& who) {
    v1::DecisionInput input;
    input.set_decided_by(who);
    input.set_via("cli");
    return input;
  }
  static v1::UpdateContentInput Change(const std::string& id, const std::string& text) {
    v1::UpdateContentInput input;
    input.set_content_id(id);
    input.set_new_content(text);
    return input;
  }
  CampaignState state_{SpringSpec(),
                       {.workflow_id = "wf-1", .key = "wf-1", .run_id = "r", .started_at = kStart}};
};

TEST_F(CampaignStateTest, ProgressGrowsWithThePhases) {
  EXPECT_EQ(state_.Progress(kStart).progress_percentage(), 0);
  EXPECT_EQ(state_.Progress(kStart).phases(0).state(), "pending");
  RunUntilReview();
  const v1::CampaignProgress asking = state_.Progress(kStart + absl::Seconds(10));
  EXPECT_EQ(asking.progress_percentage(), 50);
  EXPECT_EQ(asking.current_phase(), "review");
  EXPECT_DOUBLE_EQ(asking.elapsed_seconds(), 10);
  EXPECT_EQ(asking.phases(0).state(), "completed");
  EXPECT_EQ(asking.phases(3).state(), "running");
  EXPECT_EQ(asking.content_size(), 6);
  v1::ReviewOutput review;
  review.set_github_pr_url("https://github.com/a/b/pull/1");
  state_.SetReview(review);
  EXPECT_EQ(state_.Progress(kStart).progress_percentage(), 60);
  state_.Complete("published to email");
  EXPECT_EQ(state_.Progress(kStart).progress_percentage(), 100);
  EXPECT_EQ(state_.Progress(kStart).status(), "COMPLETED");
}

TEST_F(CampaignStateTest, NobodyDecidesBeforeTheReview) {
  const base::Done refused = state_.MayDecide(By("Ann"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().type, "NotInReview");
}

TEST_F(CampaignStateTest, TheFirstDecisionWinsAndTheSecondIsToldSo) {
  RunUntilReview();
  ASSERT_TRUE(state_.MayDecide(By("Ann")).ok());
  const v1::ApprovalDecision decision = state_.Decide(By("Ann"), true, kStart);
  EXPECT_EQ(decision.decision(), "approved");
  const base::Done refused = state_.MayDecide(By("Bob"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().type, "AlreadyDecided");
  EXPECT_THAT(refused.failure().message,
              HasSubstr("approved by Ann (cli) at 2027-01-15 08:00 UTC"));
  EXPECT_THAT(refused.failure().detail_json, HasSubstr("\"decided_by\":\"Ann\""));
}

TEST_F(CampaignStateTest, TakesChangesUntilTheDecision) {
  EXPECT_EQ(state_.MayUpdateContent(Change("headline", "x")).failure().type, "NotInReview");
  RunUntilReview();
  ASSERT_TRUE(state_.MayUpdateContent(Change("headline", "New")).ok());
  const v1::UpdateContentOutput updated = state_.UpdateContent(Change("headline", " New\nline "));
  EXPECT_EQ(updated.content_revision(), 2);
  EXPECT_EQ(updated.content(0).text(), "New line");
  state_.Decide(By("Ann"), false, kStart);
  EXPECT_EQ(state_.MayUpdateContent(Change("headline", "x")).failure().type, "AlreadyDecided");
}

TEST_F(CampaignStateTest, RefusesWrongChanges) {
  RunUntilReview();
  const base::Done unknown = state_.MayUpdateContent(Change("footer", "x"));
  EXPECT_EQ(unknown.failure().type, "UnknownContent");
  EXPECT_THAT(unknown.failure().message, HasSubstr("headline, tagline"));
  EXPECT_EQ(state_.MayUpdateContent(Change("headline", " \n")).failure().type, "InvalidContent");
  EXPECT_EQ(state_.MayUpdateContent(Change("headline", std::string(151, 'x'))).failure().type,
            "InvalidContent");
  EXPECT_TRUE(state_.MayUpdateContent(Change("headline", std::string(150, 'x'))).ok());
}

TEST_F(CampaignStateTest, ShowsWhatWasUndone) {
  RunUntilReview();
  const auto why = base::Failure::Permanent("ApprovalTimedOut", "nobody decided");
  state_.BeginUndo(why, kStart);
  EXPECT_EQ(state_.MayDecide(By("Ann")).failure().type, "NotInReview");
  state_.EndUndo(CampaignState::End::kFailed,
                 {{.phase = Phase::kContent}, {.phase = Phase::kDesign}});
  const v1::CampaignProgress progress = state_.Progress(kStart);
  EXPECT_EQ(progress.phases(0).state(), "completed");  // nothing to undo
  EXPECT_EQ(progress.phases(1).state(), "compensated");
  EXPECT_EQ(progress.phases(2).state(), "compensated");
  EXPECT_EQ(progress.phases(3).state(), "failed");
  EXPECT_EQ(progress.phases(4).state(), "pending");
  EXPECT_EQ(progress.status(), "FAILED");
  EXPECT_EQ(progress.message(), "failed and undone: nobody decided");
}

TEST_F(CampaignStateTest, APhaseThatAwaitsItsTimeHasNotBegun) {
  RunUntilReview();
  state_.CompletePhase(Phase::kReview, kStart);
  state_.AwaitPhase(Phase::kDistribution, "scheduled");
  EXPECT_EQ(state_.Progress(kStart).current_phase(), "distribution");
  EXPECT_EQ(state_.Progress(kStart).phases(4).state(), "pending");
  state_.BeginUndo(base::Failure::Canceled("budget cut"), kStart);
  EXPECT_EQ(state_.Progress(kStart).phases(4).state(), "pending");
  state_.EndUndo(CampaignState::End::kTimedOut, {{.phase = Phase::kContent}});
  EXPECT_EQ(state_.Progress(kStart).status(), "TIMED_OUT");
  EXPECT_EQ(state_.Progress(kStart).message(), "timed out and undone: budget cut");
}

}  // namespace
}  // namespace campaign
