// Stopping REST while requests wait, and how long a request may wait where nothing limits it.
#include <gmock/gmock.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"
#include "tests/support/await.h"

namespace gateway {
namespace {

using ::testing::HasSubstr;

class RestWaiting : public GatewayTest {
 protected:
  // Begins a call that waits for history behind `after`, which is not there.
  std::unique_ptr<HttpPeer> BeginLongPoll(int after, const std::string& headers = "") {
    const int before = client_.calls("GetHistory");
    auto peer = std::make_unique<HttpPeer>(rest_->port());
    peer->Send(absl::StrCat("GET /v1/workflows/c1/history?wait=60s&after_event_id=", after,
                            " HTTP/1.1\r\nHost: localhost\r\n", headers, "\r\n"));
    test::Await([&] { return client_.calls("GetHistory") > before; }, "the call to wait");
    return peer;
  }
};

TEST_F(RestWaiting, WhatIsNotAnsweredInTimeIs503) {
  client_.AddCampaign("c1");
  const auto peer = BeginLongPoll(10, "X-Correlation-ID: corr-7\r\n");
  rest_->Stop(absl::ZeroDuration());
  const HttpAnswer answer = peer->Read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("\"code\":14,\"message\":\"the server is stopping"));
  EXPECT_EQ(answer.headers.at("x-correlation-id"), "corr-7");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(answer.headers.contains("retry-after"));
  client_.Change("c1", [](auto&) {});  // answered now, to nobody
}

TEST_F(RestWaiting, WhatIsAnsweredInTimeIsNotTroubled) {
  client_.AddCampaign("c1");
  const auto peer = BeginLongPoll(10);
  std::thread stop([this] { rest_->Stop(absl::Hours(1)); });
  client_.Change("c1", [](auto&) {});
  const HttpAnswer answer = peer->Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("\"event_id\":11"));
  stop.join();
}

class RestWithoutLimit : public RestWaiting {
 protected:
  void ConfigureHandler(RestHandlerOptions* options) override {
    options->request_timeout = absl::ZeroDuration();
  }
};

TEST_F(RestWithoutLimit, AnEndlessTimeIsNotOver) {
  client_.AddCampaign("c1");
  int after = 10;
  for (const char* endless : {"inf", "99999999h", "2147483647"}) {
    const auto peer = BeginLongPoll(after++, absl::StrCat("X-Request-Timeout: ", endless, "\r\n"));
    client_.Change("c1", [](auto&) {});
    EXPECT_EQ(peer->Read().status, 200) << endless;
  }
}

}  // namespace
}  // namespace gateway
