// Event streams: ids, going on where one left off, sharing the work, and their number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"
#include "tests/support/await.h"

namespace gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RestStreams : public GatewayTest {
 protected:
  std::unique_ptr<HttpPeer> Get(const std::string& target, const std::string& headers = "") {
    auto peer = std::make_unique<HttpPeer>(rest_->port());
    peer->Send(absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: localhost\r\n", headers, "\r\n"));
    return peer;
  }
  std::unique_ptr<HttpPeer> Watch(const std::string& last_event_id = "") {
    return Get("/v1/workflows/c1/watch",
               last_event_id.empty() ? "" : absl::StrCat("Last-Event-ID: ", last_event_id, "\r\n"));
  }
  std::unique_ptr<HttpPeer> History(const std::string& last_event_id = "") {
    return Get(
        "/v1/workflows/c1/history",
        absl::StrCat(
            "Accept: text/event-stream\r\n",
            last_event_id.empty() ? "" : absl::StrCat("Last-Event-ID: ", last_event_id, "\r\n")));
  }
  // The id of the next event of that name.
  static std::string NextId(HttpPeer& peer, const std::string& event = "progress") {
    const std::string text = peer.ReadUntil(absl::StrCat("\nevent: ", event));
    const size_t at = text.rfind("id: ");
    if (at == text.npos) return "";
    return text.substr(at + 4, text.find('\n', at) - at - 4);
  }
  void SetPercentage(int percentage) {
    client_.Change("c1", [&](auto& run) { run.progress.set_progress_percentage(percentage); });
  }
};

TEST_F(RestStreams, AWatchGoesOnWhereItWasLeft) {
  client_.AddCampaign("c1");
  std::string seen;
  {
    const auto peer = Watch();
    seen = NextId(*peer);
    ASSERT_NE(seen, "");
  }
  SetPercentage(70);  // while nobody is listening
  const auto peer = Watch(seen);
  const std::string now = NextId(*peer);
  EXPECT_NE(now, seen);
  EXPECT_NE(peer->ReadUntil("\"progress_percentage\":70"), "");

  // What was seen is not sent again: the next thing that comes is the next change.
  const auto again = Watch(now);
  EXPECT_THAT(again->ReadUntil("\r\n\r\n"), HasSubstr("200 OK"));
  SetPercentage(80);
  const std::string text = again->ReadUntil("\n\n");
  EXPECT_THAT(text, HasSubstr("\"progress_percentage\":80"));
  EXPECT_THAT(text, Not(HasSubstr("\"progress_percentage\":70")));
}

TEST_F(RestStreams, AWatchOfARunThatEndedMeanwhileGetsItsEnd) {
  client_.AddCampaign("c1");
  const std::string seen = NextId(*Watch());
  client_.Change("c1", [](auto& run) { run.info.set_status(v1::RunStatus::COMPLETED); });
  const auto late = Watch(seen);
  const std::string last = NextId(*late);
  EXPECT_NE(late->ReadUntil("event: end"), "");
  const auto later = Watch(last);  // it has seen everything
  EXPECT_THAT(later->ReadUntil("event: end"), Not(HasSubstr("event: progress")));
  EXPECT_EQ(
      HttpPeer(rest_->port())
          .Call("GET", "/v1/workflows/c2/watch", "", absl::StrCat("Last-Event-ID: ", seen, "\r\n"))
          .status,
      404);
}

TEST_F(RestStreams, ManyWatchersShareTheWork) {
  client_.AddCampaign("c1");
  constexpr int kWatchers = 50;
  std::vector<std::unique_ptr<HttpPeer>> peers;
  for (int i = 0; i < kWatchers; ++i) {
    peers.push_back(Watch());
    ASSERT_NE(NextId(*peers.back()), "");
  }
  EXPECT_EQ(campaign_service_->watches(), kWatchers);
  const int looks = client_.calls("Query");
  SetPercentage(75);
  for (const auto& peer : peers) {
    EXPECT_NE(peer->ReadUntil("\"progress_percentage\":75"), "");
  }
  EXPECT_EQ(client_.calls("Query"), looks + 1);  // one look for all of them
  EXPECT_LE(looks, 2);
  peers.resize(1);
  test::Await([&] { return campaign_service_->watches() == 1; }, "the other watches to end");
  SetPercentage(76);
  EXPECT_NE(peers[0]->ReadUntil("\"progress_percentage\":76"), "");
}

TEST_F(RestStreams, AHistoryIsFollowedToItsEnd) {
  client_.AddCampaign("c1");
  const auto peer = History();
  EXPECT_THAT(peer->ReadUntil("\r\n\r\n"), HasSubstr("text/event-stream"));
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(NextId(*peer, "history"), absl::StrCat("run-1/", i));
  client_.Change("c1", [](auto&) {});
  EXPECT_EQ(NextId(*peer, "history"), "run-1/11");
  client_.Change("c1", [](auto& run) { run.info.set_status(v1::RunStatus::COMPLETED); });
  EXPECT_EQ(NextId(*peer, "history"), "run-1/12");
  EXPECT_NE(peer->ReadUntil("event: end\ndata: {\"status\":\"COMPLETED\"}"), "");
}

TEST_F(RestStreams, AHistoryGoesOnBehindTheLastEventThatWasSeen) {
  client_.AddCampaign("c1");
  std::string seen;
  {
    const auto peer = History();
    for (int i = 1; i <= 4; ++i) seen = NextId(*peer, "history");
  }
  client_.Change("c1", [](auto&) {});  // while nobody is listening
  const auto peer = History(seen);
  for (int i = 5; i <= 11; ++i) EXPECT_EQ(NextId(*peer, "history"), absl::StrCat("run-1/", i));
  for (const char* wrong : {"nonsense", "/3", "run-1/", "run-1/x", "run-1/-1"}) {
    HttpPeer refused(rest_->port());
    EXPECT_EQ(refused
                  .Call("GET", "/v1/workflows/c1/history", "",
                        absl::StrCat("Accept: text/event-stream\r\nLast-Event-ID: ", wrong, "\r\n"))
                  .status,
              400)
        << wrong;
  }
  HttpPeer none(rest_->port());
  const HttpAnswer missing =
      none.Call("GET", "/v1/workflows/none/history", "", "Accept: text/event-stream\r\n");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, HasSubstr("google.rpc.ResourceInfo"));
}

class RestFewStreams : public RestStreams {
 protected:
  RestFewStreams() : slots_({.max = 100, .per_caller_max = 2}) {}
  void ConfigureHandler(RestHandlerOptions* options) override { options->streams = &slots_; }
  StreamSlots slots_;
};

TEST_F(RestFewStreams, OneTooManyIs429AndAnEndedOneMakesRoom) {
  client_.AddCampaign("c1");
  auto first = History();
  EXPECT_NE(NextId(*first, "history"), "");
  const auto second = History();
  EXPECT_NE(NextId(*second, "history"), "");
  const auto call = [&] {
    return HttpPeer(rest_->port())
        .Call("GET", "/v1/workflows/c1/history", "", "Accept: text/event-stream\r\n");
  };
  const HttpAnswer refused = call();
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("you have 2 event streams open already"));
  EXPECT_EQ(refused.headers.at("retry-after"), "10");
  first.reset();
  test::Await([&] { return slots_.open() == 1; }, "the first stream to end");
  const auto third = History();
  EXPECT_NE(NextId(*third, "history"), "");
}

TEST_F(RestStreams, StoppingEndsThemAll) {
  client_.AddCampaign("c1");
  const auto watch = Watch();
  EXPECT_NE(NextId(*watch), "");
  const auto history = History();
  for (int i = 1; i <= 10; ++i) EXPECT_NE(NextId(*history, "history"), "");
  rest_->Stop(absl::Seconds(10));
  for (const auto& peer : {watch.get(), history.get()}) {
    EXPECT_NE(peer->ReadUntil("event: error"), "");
    EXPECT_NE(peer->ReadUntil("the server is stopping"), "");
  }
}

}  // namespace
}  // namespace gateway
