#include "gateway/server/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <vector>

namespace server {
namespace {

using nlohmann::json;

class ReadinessTest : public ::testing::Test {
 protected:
  ReadinessTest() : loop_(clock_, "readiness"), readiness_(loop_, clock_, absl::Milliseconds(100)) {
    loop_.Start();
  }
  ~ReadinessTest() override { loop_.Stop(); }

  json Look(bool* ready) {
    std::promise<json> report;
    readiness_.Look([&](const Readiness::Report& found) {
      *ready = found.ready();
      report.set_value(json::parse(found.Json()));
    });
    return report.get_future().get();
  }

  base::SystemClock clock_;
  base::EpollLoop loop_;
  Readiness readiness_;
};

TEST_F(ReadinessTest, AllChecksThatAnswerMakeItReady) {
  readiness_.Add("store", [](Readiness::Done done) { done(absl::OkStatus()); });
  readiness_.Add("partition-0", [](Readiness::Done done) { done(absl::OkStatus()); });
  bool ready = false;
  const json report = Look(&ready);
  EXPECT_TRUE(ready);
  EXPECT_EQ(report["status"], "ready");
  EXPECT_EQ(report["checks"][1]["name"], "partition-0");
  EXPECT_EQ(report["checks"][1]["status"], "ok");
}

TEST_F(ReadinessTest, TheOneThatFailsIsNamed) {
  readiness_.Add(
      "store", [](Readiness::Done done) { done(absl::UnavailableError("the \"disk\" is\nfull")); });
  readiness_.Add("partition-0", [](Readiness::Done done) { done(absl::OkStatus()); });
  bool ready = true;
  const json report = Look(&ready);
  EXPECT_FALSE(ready);
  EXPECT_EQ(report["status"], "not ready");
  EXPECT_EQ(report["checks"][0]["status"], "UNAVAILABLE: the \"disk\" is full");
  EXPECT_EQ(report["checks"][1]["status"], "ok");
}

TEST_F(ReadinessTest, OneThatDoesNotAnswerHasFailed) {
  std::vector<Readiness::Done> kept;
  readiness_.Add("store", [&](Readiness::Done done) { kept.push_back(std::move(done)); });
  bool ready = true;
  const json report = Look(&ready);
  EXPECT_FALSE(ready);
  EXPECT_EQ(report["checks"][0]["status"], "DEADLINE_EXCEEDED: no answer within 100ms");
  kept.at(0)(absl::OkStatus());  // too late for that one; the next look asks again
  EXPECT_FALSE(Look(&ready)["checks"].empty());
}

TEST_F(ReadinessTest, ThoseWhoComeTogetherAskOnce) {
  int asked = 0;
  std::vector<Readiness::Done> waiting;
  readiness_.Add("store", [&](Readiness::Done done) {
    ++asked;
    waiting.push_back(std::move(done));
  });
  std::promise<void> both;
  int answered = 0;
  loop_.Post([&] {
    for (int i = 0; i < 2; ++i) {
      readiness_.Look([&](const Readiness::Report& report) {
        EXPECT_TRUE(report.ready());
        if (++answered == 2) both.set_value();
      });
    }
  });
  loop_.Post([&] { loop_.Post([&] { waiting.at(0)(absl::OkStatus()); }); });
  both.get_future().get();
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace server
