#include "activities/campaign/undo_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace campaign {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(UndoReport, TellsUndoneFromGone) {
  UndoReport report;
  report.Add(true, "a");
  report.Add(false, "b");
  report.AddSecondLook(false, "a");
  report.AddSecondLook(true, "c");
  const auto output = std::move(report).Finish();
  ASSERT_TRUE(output.ok());
  EXPECT_THAT(output->undone(), ElementsAre("a", "c (arrived late)"));
  EXPECT_THAT(output->already_gone(), ElementsAre("b"));
}

TEST(UndoReport, NamesEverythingThatIsLeft) {
  UndoReport report;
  report.Add(true, "a");
  report.AddFailure(base::Failure::Permanent("Unauthorized", "bad token"), "b");
  report.Add(base::Failure::Retryable("VendorUnavailable", "down"), "c");
  const auto output = std::move(report).Finish();
  ASSERT_FALSE(output.ok());
  EXPECT_THAT(output.failure().message, HasSubstr("b: bad token; c: down"));
  EXPECT_TRUE(output.failure().retryable);
}

}  // namespace
}  // namespace campaign
