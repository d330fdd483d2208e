#include "gateway/server/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "tests/support/manual_loop.h"

namespace server {
namespace {

using nlohmann::json;

class ReadinessTest : public ::testing::Test {
 protected:
  // What comes of it is in reports_.
  void Look() {
    readiness_.Look([this](const Readiness::Report& found) {
      reports_.push_back(json::parse(found.Json()));
      EXPECT_EQ(found.ready(), reports_.back()["status"] == "ready");
    });
    loop_.RunReady();
  }

  test::ManualLoop loop_;
  Readiness readiness_{loop_, loop_.clock(), absl::Seconds(2)};
  std::vector<json> reports_;
};

TEST_F(ReadinessTest, AllChecksThatAnswerMakeItReady) {
  readiness_.Add("store", [](Readiness::Done done) { done(absl::OkStatus()); });
  readiness_.Add("partition-0", [](Readiness::Done done) { done(absl::OkStatus()); });
  Look();
  ASSERT_EQ(reports_.size(), 1);
  const json& report = reports_[0];
  EXPECT_EQ(report["status"], "ready");
  EXPECT_EQ(report["checks"][1]["name"], "partition-0");
  EXPECT_EQ(report["checks"][1]["status"], "ok");
}

TEST_F(ReadinessTest, TheOneThatFailsIsNamed) {
  readiness_.Add(
      "store", [](Readiness::Done done) { done(absl::UnavailableError("the \"disk\" is\nfull")); });
  readiness_.Add("partition-0", [](Readiness::Done done) { done(absl::OkStatus()); });
  Look();
  ASSERT_EQ(reports_.size(), 1);
  const json& report = reports_[0];
  EXPECT_EQ(report["status"], "not ready");
  EXPECT_EQ(report["checks"][0]["status"], "UNAVAILABLE: the \"disk\" is full");
  EXPECT_EQ(report["checks"][1]["status"], "ok");
}

TEST_F(ReadinessTest, OneThatDoesNotAnswerHasFailedAndIsAskedAgain) {
  std::vector<Readiness::Done> kept;
  readiness_.Add("store", [&](Readiness::Done done) { kept.push_back(std::move(done)); });
  Look();
  loop_.Advance(absl::Milliseconds(1999));
  EXPECT_THAT(reports_, testing::IsEmpty());
  loop_.Advance(absl::Milliseconds(1));
  ASSERT_EQ(reports_.size(), 1);
  EXPECT_EQ(reports_[0]["status"], "not ready");
  EXPECT_EQ(reports_[0]["checks"][0]["status"], "DEADLINE_EXCEEDED: no answer within 2s");
  // The answer to the first question comes too late for that look, and is none to the next.
  Look();
  ASSERT_EQ(kept.size(), 2);
  kept[0](absl::OkStatus());
  loop_.RunReady();
  EXPECT_EQ(reports_.size(), 1);
  kept[1](absl::OkStatus());
  loop_.RunReady();
  ASSERT_EQ(reports_.size(), 2);
  EXPECT_EQ(reports_[1]["status"], "ready");
}

TEST_F(ReadinessTest, ThoseWhoComeTogetherAskOnce) {
  std::vector<Readiness::Done> asked;
  readiness_.Add("store", [&](Readiness::Done done) { asked.push_back(std::move(done)); });
  Look();
  Look();
  ASSERT_EQ(asked.size(), 1);
  EXPECT_THAT(reports_, testing::IsEmpty());
  asked[0](absl::OkStatus());
  loop_.RunReady();
  ASSERT_EQ(reports_.size(), 2);
  EXPECT_EQ(reports_[0]["status"], "ready");
  EXPECT_EQ(reports_[1], reports_[0]);
}

}  // namespace
}  // namespace server
