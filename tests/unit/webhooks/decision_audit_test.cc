// What people decide in chats and reviews is in the audit trail before it happens.
#include "gateway/webhooks/decision_audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>
#include <vector>

#include "orchestrator/base/clock.h"
#include "orchestrator/base/metrics.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/support/temporary_folder.h"

namespace webhooks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Looks at the trail when it is asked to decide.
class LookingClient : public gateway::MemoryClient {
 public:
  void Update(orchestrator::v1::UpdateWorkflowRequest request,
              client::Callback<orchestrator::v1::UpdateWorkflowResponse> done) override {
    durable_before = log == nullptr ? 0 : log->head().sequence;
    if (down) return done(absl::UnavailableError("closing"));
    MemoryClient::Update(std::move(request), std::move(done));
  }
  audit::AuditLog* log = nullptr;
  std::atomic<int64_t> durable_before = 0;
  std::atomic<bool> down = false;
};

class DecisionAuditTest : public ::testing::Test {
 protected:
  DecisionAuditTest() { client_.AddCampaign("spring"); }
  void Open(bool required = true) {
    audit::AuditLog::Options options{.directory = folder_.path()};
    options.fail_commit = [this] {
      return full_ ? absl::UnavailableError("the disk is full") : absl::OkStatus();
    };
    auto log = audit::AuditLog::Open(std::move(options), clock_, &metrics_);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
    client_.log = log_.get();
    decisions_ =
        std::make_unique<Decisions>(client_, AuditDecisions(log_.get(), required, metrics_));
  }
  DecisionAnswer Decide(const std::string& key, Verdict verdict = Verdict::kApprove) {
    std::promise<DecisionAnswer> answer;
    decisions_->Decide({.workflow_id = "spring",
                        .verdict = verdict,
                        .who = "slack:U1 (ann)",
                        .via = "slack",
                        .comment = "fine",
                        .key = key},
                       [&](DecisionAnswer given) { answer.set_value(std::move(given)); });
    return answer.get_future().get();
  }
  // "ApproveCampaign OK by slack:U1 (ann)" of all but the server's own, the oldest first.
  std::vector<std::string> Trail() {
    std::promise<std::vector<audit::Entry>> read;
    log_->Read({}, [&](absl::StatusOr<std::vector<audit::Entry>> all) {
      read.set_value(all.ok() ? *std::move(all) : std::vector<audit::Entry>());
    });
    std::vector<std::string> told;
    for (const audit::Entry& entry : read.get_future().get()) {
      const audit::Event& e = entry.event;
      if (e.subject != "workflow/spring") continue;
      if (e.outcome == audit::kStarted) started_ = entry.sequence;
      if (e.outcome != audit::kStarted) EXPECT_EQ(e.started_by, started_);
      told.push_back(e.action + " " + e.outcome + " by " + e.actor);
    }
    return told;
  }

  base::SystemClock clock_;
  base::Metrics metrics_;
  test::TemporaryFolder folder_;
  std::atomic<bool> full_ = false;
  LookingClient client_;
  std::unique_ptr<audit::AuditLog> log_;
  std::unique_ptr<Decisions> decisions_;
  int64_t started_ = 0;
};

TEST_F(DecisionAuditTest, ADecisionIsRecordedBeforeItIsMade) {
  Open();
  const int64_t before = log_->head().sequence;
  EXPECT_TRUE(Decide("1").decided());
  EXPECT_EQ(client_.durable_before, before + 1);
  EXPECT_THAT(Trail(), ElementsAre("ApproveCampaign STARTED by slack:U1 (ann)",
                                   "ApproveCampaign OK by slack:U1 (ann)"));
}

TEST_F(DecisionAuditTest, WhatCannotBeRecordedIsNotDecided) {
  Open();
  full_ = true;
  const DecisionAnswer refused = Decide("1");
  EXPECT_EQ(refused.outcome, DecisionAnswer::Outcome::kTryAgain);
  EXPECT_THAT(refused.text, HasSubstr("could not be recorded"));
  EXPECT_EQ(client_.calls("Update"), 0);
  full_ = false;
  EXPECT_TRUE(Decide("1").decided());
}

TEST_F(DecisionAuditTest, WhereTheTrailIsNotRequiredItGoesOn) {
  Open(/*required=*/false);
  full_ = true;
  EXPECT_TRUE(Decide("1").decided());
  EXPECT_THAT(metrics_.Expose(), HasSubstr("audit_events_lost_total 1"));
}

TEST_F(DecisionAuditTest, WorkThatIsRepeatedIsRecordedOnce) {
  Open();
  client_.down = true;
  EXPECT_EQ(Decide("1").outcome, DecisionAnswer::Outcome::kTryAgain);
  EXPECT_EQ(Decide("1").outcome, DecisionAnswer::Outcome::kTryAgain);
  client_.down = false;
  EXPECT_TRUE(Decide("1").decided());
  Decide("1");
  EXPECT_THAT(Trail(), ElementsAre("ApproveCampaign STARTED by slack:U1 (ann)",
                                   "ApproveCampaign OK by slack:U1 (ann)"));
  Decide("2", Verdict::kReject);
  EXPECT_EQ(Trail().size(), 4);
}

TEST_F(DecisionAuditTest, ChangedTextsAreRecordedWithoutTheText) {
  Open();
  std::promise<absl::Status> changed;
  decisions_->UpdateContent({.workflow_id = "spring",
                             .content_id = "headline",
                             .text = "Run again",
                             .who = "github:ann",
                             .via = "github",
                             .key = "1"},
                            [&](absl::StatusOr<campaign::v1::UpdateContentOutput> output) {
                              changed.set_value(output.status());
                            });
  EXPECT_TRUE(changed.get_future().get().ok());
  EXPECT_THAT(Trail(),
              ElementsAre("UpdateContent STARTED by github:ann", "UpdateContent OK by github:ann"));
}

}  // namespace
}  // namespace webhooks
