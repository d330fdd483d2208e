// What is too large, too long, malformed or impatient. Raw bytes over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"
#include "tests/support/await.h"

namespace gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class RestLimits : public GatewayTest {};

TEST_F(RestLimits, TwentyMegabyteBodyIsRefusedAndTheClientSeesIt) {
  HttpPeer peer(rest_->port());
  peer.Send(
      "POST /v1/campaigns HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 20000000\r\n\r\n");
  const std::string block(1 << 16, 'x');
  for (int i = 0; i < 300; ++i) {
    if (!peer.Send(block)) break;  // the server may stop listening: then its answer is there
  }
  const HttpAnswer answer = peer.Read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(json::parse(answer.body)["code"], 3);
  EXPECT_THAT(answer.body, HasSubstr("1048576"));
}

TEST_F(RestLimits, ChunkedBodyIsBoundToo) {
  HttpPeer peer(rest_->port());
  peer.Send(
      "POST /v1/campaigns HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = absl::StrCat("10000\r\n", std::string(1 << 16, 'x'), "\r\n");
  for (int i = 0; i < 40; ++i) {
    if (!peer.Send(chunk)) break;
  }
  EXPECT_EQ(peer.Read().status, 413);
}

TEST_F(RestLimits, ExpectedContinueIsRefusedBeforeTheBodyIsSent) {
  HttpPeer peer(rest_->port());
  peer.Send(
      "POST /v1/campaigns HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Length: 20000000\r\n\r\n");
  EXPECT_EQ(peer.Read().status, 413);
}

TEST_F(RestLimits, ExpectedContinueIsGranted) {
  HttpPeer peer(rest_->port());
  peer.Send(
      "POST /v1/wizards HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(peer.Read().status, 100);
  peer.Send("{}");
  EXPECT_EQ(peer.Read().status, 200);
}

TEST_F(RestLimits, LargeHeadersAre431AndLongUrlsAre414) {
  HttpPeer headers(rest_->port());
  EXPECT_EQ(headers
                .Call("GET", "/v1/workflows", "",
                      absl::StrCat("X-Big: ", std::string(20'000, 'a'), "\r\n"))
                .status,
            431);
  HttpPeer longer(rest_->port());
  EXPECT_EQ(longer.Call("GET", absl::StrCat("/v1/workflows/", std::string(9'000, 'a'))).status,
            414);
  HttpPeer longest(rest_->port());
  EXPECT_EQ(longest.Call("GET", absl::StrCat("/v1/workflows/", std::string(30'000, 'a'))).status,
            414);
}

TEST_F(RestLimits, GarbageIsA400InJson) {
  for (const char* garbage :
       {"\x16\x03\x01 tls hello\r\n\r\n", "GET /\r\n\r\n", "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nBad Header: x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"}) {
    HttpPeer peer(rest_->port());
    peer.Send(garbage);
    const HttpAnswer answer = peer.Read();
    EXPECT_EQ(answer.status, 400) << garbage;
    EXPECT_EQ(json::parse(answer.body)["code"], 3) << garbage;
  }
}

TEST_F(RestLimits, PipelinedRequestsAreAnsweredInOrder) {
  HttpPeer peer(rest_->port());
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&requests, "GET /v1/workflows/w", i, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  peer.Send(requests);
  for (int i = 0; i < 20; ++i) {
    const HttpAnswer answer = peer.Read();
    EXPECT_EQ(answer.status, 404);
    EXPECT_THAT(answer.body, HasSubstr(absl::StrCat("w", i)));
  }
}

TEST_F(RestLimits, ConnectionCloseIsHonored) {
  HttpPeer peer(rest_->port());
  const HttpAnswer answer = peer.Call("GET", "/v1/workflows", "", "Connection: close\r\n");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_EQ(peer.Read().status, 0);
}

class RestFewConnections : public GatewayTest {
 protected:
  void Configure(RestServerOptions* options) override { options->connections_max = 2; }
};

TEST_F(RestFewConnections, OneTooManyIs503) {
  HttpPeer first(rest_->port());
  HttpPeer second(rest_->port());
  EXPECT_EQ(first.Call("GET", "/v1/workflows").status, 200);
  EXPECT_EQ(second.Call("GET", "/v1/workflows").status, 200);
  HttpPeer third(rest_->port());
  const HttpAnswer answer = third.Call("GET", "/v1/workflows");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json::parse(answer.body)["code"], 14);
}

class RestFewOfOneAddress : public GatewayTest {
 protected:
  void Configure(RestServerOptions* options) override { options->connections_per_address_max = 2; }
};

TEST_F(RestFewOfOneAddress, TheThirdIs429AndOthersAreNotTroubled) {
  auto first = std::make_unique<HttpPeer>(rest_->port());
  HttpPeer second(rest_->port());
  EXPECT_EQ(first->Call("GET", "/v1/workflows").status, 200);
  EXPECT_EQ(second.Call("GET", "/v1/workflows").status, 200);
  HttpPeer third(rest_->port());
  const HttpAnswer answer = third.Call("GET", "/v1/workflows");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(json::parse(answer.body)["code"], 8);
  HttpPeer elsewhere(rest_->port(), "127.0.0.2");
  EXPECT_EQ(elsewhere.Call("GET", "/v1/workflows").status, 200);
  first.reset();
  test::Await([&] { return rest_->connections() <= 2; }, "a connection to be gone");
  EXPECT_EQ(HttpPeer(rest_->port()).Call("GET", "/v1/workflows").status, 200);
}

// Sends a byte from time to time until the server has had enough; how many it took.
int Drip(HttpPeer& peer, int bytes_max) {
  int sent = 0;
  while (sent < bytes_max && !peer.ClosedWithin(absl::Milliseconds(5)) && peer.Send("x")) ++sent;
  return sent;
}

class RestSlowHeader : public GatewayTest {
 protected:
  void Configure(RestServerOptions* options) override {
    options->header_timeout = absl::Milliseconds(200);
  }
};

TEST_F(RestSlowHeader, OneThatDripsIsCutOff) {
  HttpPeer peer(rest_->port());
  peer.Send("GET / HTTP/1.1\r\nX-Slow: ");
  EXPECT_LT(Drip(peer, 5'000), 5'000);
}

TEST_F(RestSlowHeader, AnIdleConnectionIsNotASlowOne) {
  HttpPeer idle(rest_->port());
  HttpPeer slow(rest_->port());
  slow.Send("GET / HTTP/1.1\r\nX-Slow: ");
  EXPECT_EQ(slow.Read().status, 0);  // cut off after its 200 ms
  EXPECT_EQ(idle.Call("GET", "/v1/workflows").status, 200);
}

class RestSlowBody : public GatewayTest {
 protected:
  void Configure(RestServerOptions* options) override {
    options->read_timeout = absl::Milliseconds(200);
    options->bytes_per_second_min = 10'000'000;
  }
};

TEST_F(RestSlowBody, OneThatDripsIsCutOff) {
  HttpPeer peer(rest_->port());
  peer.Send("POST /v1/wizards HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n");
  EXPECT_LT(Drip(peer, 5'000), 5'000);
}

// Each byte buys a tenth of a second.
class RestUnhurried : public RestSlowBody {
 protected:
  void Configure(RestServerOptions* options) override {
    RestSlowBody::Configure(options);
    options->bytes_per_second_min = 10;
  }
};

TEST_F(RestUnhurried, ABodyThatIsAsFastAsItMustIsTaken) {
  HttpPeer peer(rest_->port());
  const std::string begin =
      "{\"campaign\":{\"campaign_name\":\"Spring\"}" + std::string(3'000, ' ');
  // The first part comes with the header, the rest later than one without a byte might.
  peer.Send(
      absl::StrCat("POST /v1/wizards HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Type: application/json\r\nContent-Length: ",
                   begin.size() + 1, "\r\n\r\n", begin));
  EXPECT_FALSE(peer.ClosedWithin(absl::Milliseconds(400)));
  peer.Send("}");
  EXPECT_EQ(peer.Read().status, 200);
}

class RestSlowReader : public GatewayTest {
 protected:
  void Configure(RestServerOptions* options) override {
    options->write_timeout = absl::Milliseconds(200);
    options->bytes_per_second_min = 10'000'000;
  }
};

TEST_F(RestSlowReader, WhoDoesNotReadIsCutOff) {
  for (int i = 0; i < 2000; ++i) client_.AddCampaign(absl::StrCat("campaign-", i));
  HttpPeer peer(rest_->port());
  // Far more than sockets hold.
  for (int i = 0; i < 200; ++i) peer.Send("GET /v1/workflows HTTP/1.1\r\nHost: localhost\r\n\r\n");
  test::Await([&] { return rest_->connections() == 0; }, "the connection to be cut off");
}

class RestImpatient : public GatewayTest {
 protected:
  void Configure(RestServerOptions* options) override {
    options->idle_timeout = absl::Milliseconds(50);
    options->header_timeout = absl::Milliseconds(50);
    options->read_timeout = absl::Milliseconds(50);
  }
};

TEST_F(RestImpatient, ClosesIdleAndStalledConnections) {
  HttpPeer idle(rest_->port());
  EXPECT_EQ(idle.Read().status, 0);
  HttpPeer half_header(rest_->port());
  half_header.Send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(half_header.Read().status, 0);
  HttpPeer half_body(rest_->port());
  half_body.Send("POST /v1/wizards HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{");
  EXPECT_EQ(half_body.Read().status, 0);
}

class RestKeepAlive : public GatewayTest {
 protected:
  void Configure(RestServerOptions* options) override {
    options->keep_alive_interval = absl::Milliseconds(20);
  }
};

TEST_F(RestKeepAlive, SilentEventStreamsAreKeptAlive) {
  client_.AddCampaign("c1");
  HttpPeer peer(rest_->port());
  peer.Send("GET /v1/workflows/c1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(peer.ReadUntil(": keep-alive\n\n"), HasSubstr("event: progress"));
  EXPECT_NE(peer.ReadUntil(": keep-alive\n\n"), "");
}

}  // namespace
}  // namespace gateway
