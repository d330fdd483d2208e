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

TEST(UndoReport, SaysAReasonOnce) {
  UndoReport report;
  for (const char* piece : {"headline", "tagline", "blog_outline"}) {
    report.AddFailure(base::Failure::Permanent("Forbidden", "answered 403: no right to"),
                      std::string("memory: draft c1/") + piece);
  }
  const auto output = std::move(report).Finish();
  ASSERT_FALSE(output.ok());
  EXPECT_EQ(output.failure().message,
            "could not be undone: memory: draft c1/headline: answered 403: no right to; the same "
            "for 2 more: tagline, blog_outline");
  EXPECT_EQ(output.failure().cause->message,
            "memory: draft c1/headline: answered 403: no right to");
}

base::Failure Postponed(absl::Duration wait) {
  return base::Failure::NotAttempted("CircuitOpen", "not now", wait);
}

TEST(UndoReport, WaitsWithoutAnAttemptWhenOnlyBreakersAreInTheWay) {
  UndoReport report;
  report.AddFailure(Postponed(absl::Minutes(10)), "a");
  report.AddFailure(Postponed(absl::Minutes(2)), "b");
  report.AddFailure(base::Failure::Permanent("MailAlreadySent", "too late"), "c");
  const auto output = std::move(report).Finish();
  EXPECT_TRUE(output.failure().not_attempted);
  EXPECT_EQ(output.failure().retry_after, absl::Minutes(2));
}

TEST(UndoReport, AnotherVendorsBreakerHoldsNothingUp) {
  UndoReport report;
  report.AddFailure(Postponed(absl::Minutes(10)), "a");
  base::Failure refused = base::Failure::Retryable("CancelRefused", "later");
  refused.retry_after = absl::Minutes(1);
  report.AddFailure(refused, "b");
  const auto output = std::move(report).Finish();
  EXPECT_FALSE(output.failure().not_attempted);
  EXPECT_EQ(output.failure().retry_after, absl::Minutes(1));
}

}  // namespace
}  // namespace campaign
