#include "activities/campaign/schedule.h"

#include <gtest/gtest.h>

#include "orchestrator/history/time.h"

namespace campaign {
namespace {

constexpr absl::Duration kWindow = absl::Minutes(15);
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

v1::CampaignSpec SpecFor(std::initializer_list<const char*> channels, absl::Duration ahead) {
  v1::CampaignSpec spec;
  for (const char* channel : channels) spec.add_channels(channel);
  if (ahead != absl::ZeroDuration()) *spec.mutable_schedule_time() = history::ToProto(kNow + ahead);
  return spec;
}

TEST(SendAt, LeavesTheUndoWindowWithoutASchedule) {
  EXPECT_EQ(SendAt(SpecFor({"email"}, absl::ZeroDuration()), kNow, kWindow), kNow + kWindow);
}

TEST(SendAt, IsTheScheduleWhenThereIsTimeToUndo) {
  const v1::CampaignSpec spec = SpecFor({"email"}, absl::Hours(3));
  EXPECT_EQ(SendAt(spec, kNow, kWindow), kNow + absl::Hours(3));
}

TEST(SendAt, LeavesTheUndoWindowWhenTheScheduleIsTooNearOrPast) {
  EXPECT_EQ(SendAt(SpecFor({"email"}, absl::Minutes(5)), kNow, kWindow), kNow + kWindow);
  EXPECT_EQ(SendAt(SpecFor({"email"}, -absl::Hours(5)), kNow, kWindow), kNow + kWindow);
}

TEST(SendAt, StaysWithinWhatSendGridTakes) {
  const v1::CampaignSpec spec = SpecFor({"email"}, absl::Hours(24 * 30));
  EXPECT_LT(SendAt(spec, kNow, kWindow), kNow + kSendAheadMax);
}

TEST(SendAt, IsWholeSecondsAndNeverEarlier) {
  const absl::Time now = kNow + absl::Milliseconds(250);
  const absl::Time send_at = SendAt(SpecFor({"email"}, absl::ZeroDuration()), now, kWindow);
  EXPECT_EQ(send_at, kNow + kWindow + absl::Seconds(1));
}

TEST(DistributionStart, IsNowWithoutASchedule) {
  EXPECT_EQ(DistributionStart(SpecFor({"blog"}, absl::ZeroDuration()), kNow, kWindow), kNow);
}

TEST(DistributionStart, LeavesTheUndoWindowBeforeTheSchedule) {
  const v1::CampaignSpec spec = SpecFor({"email", "social"}, absl::Hours(3));
  const absl::Time start = DistributionStart(spec, kNow, kWindow);
  EXPECT_EQ(start, kNow + absl::Hours(3) - kWindow);
  EXPECT_EQ(SendAt(spec, start, kWindow), kNow + absl::Hours(3));
}

TEST(DistributionStart, ShowsNoBlogPageBeforeTheSchedule) {
  const v1::CampaignSpec spec = SpecFor({"email", "blog"}, absl::Hours(3));
  EXPECT_EQ(DistributionStart(spec, kNow, kWindow), kNow + absl::Hours(3));
}

TEST(DistributionStart, TellsACmsNothingBeforeTheSchedule) {
  const v1::CampaignSpec spec = SpecFor({"email", "cms"}, absl::Hours(3));
  EXPECT_EQ(DistributionStart(spec, kNow, kWindow), kNow + absl::Hours(3));
}

TEST(DistributionStart, IsNowWhenTheScheduleIsPast) {
  EXPECT_EQ(DistributionStart(SpecFor({"blog"}, -absl::Hours(1)), kNow, kWindow), kNow);
}

}  // namespace
}  // namespace campaign
