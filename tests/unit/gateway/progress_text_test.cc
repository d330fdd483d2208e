#include "gateway/cli/progress_text.h"

#include <gtest/gtest.h>

#include "orchestrator/history/time.h"

namespace cli {
namespace {

TEST(ProgressText, BlockShowsPhasesAndWhatToDoNext) {
  const absl::Time start = absl::FromUnixSeconds(1'800'000'000);
  campaign::v1::CampaignProgress progress;
  progress.set_workflow_id("c1");
  progress.set_campaign_name("Spring");
  progress.set_status("RUNNING");
  progress.set_progress_percentage(50);
  progress.set_waiting_for_approval(true);
  *progress.mutable_started_at() = history::ToProto(start);
  auto* research = progress.add_phases();
  research->set_phase("research");
  research->set_state("completed");
  *research->mutable_started_at() = history::ToProto(start);
  *research->mutable_completed_at() = history::ToProto(start + absl::Seconds(12));
  auto* review = progress.add_phases();
  review->set_phase("review");
  review->set_state("running");
  *review->mutable_started_at() = history::ToProto(start + absl::Seconds(12));
  progress.add_phases()->set_phase("analytics");
  EXPECT_EQ(ProgressBlock(progress, start + absl::Minutes(2), false, 200),
            "Spring  c1\n"
            "[###############---------------] 50 %  RUNNING  2m 00s\n"
            "  [x] research      completed    12s\n"
            "  [>] review        running      1m 48s\n"
            "  [ ] analytics\n"
            "next          campaignctl approve c1   (or reject, update-content)\n");
}

TEST(ProgressText, BlockShowsWhatWasNotUndone) {
  campaign::v1::CampaignProgress progress;
  progress.set_workflow_id("c1");
  progress.set_status("FAILED");
  for (const char* state : {"not_undone", "compensated", "canceled", "terminated", "failed"}) {
    auto* phase = progress.add_phases();
    phase->set_phase("design");
    phase->set_state(state);
  }
  const std::string block = ProgressBlock(progress, absl::UnixEpoch(), false, 200);
  EXPECT_EQ(block.substr(block.find("  [!]")),
            "  [!] design        not undone\n"
            "  [<] design        compensated\n"
            "  [-] design        canceled\n"
            "  [-] design        terminated\n"
            "  [!] design        failed\n");
}

}  // namespace
}  // namespace cli
