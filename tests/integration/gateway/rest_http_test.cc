// What HTTP callers may count on: compression, CORS, security headers, conditional requests,
// idempotency keys, deadlines. Over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"

namespace gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kOrigin[] = "https://app.example.com";

std::string Gunzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

class RestHttp : public GatewayTest {
 protected:
  void Configure(RestServerOptions* options) override { options->policy.origins = {kOrigin}; }

  HttpAnswer Call(const std::string& method, const std::string& target,
                  const std::string& body = "", const std::string& headers = "") {
    HttpPeer peer(rest_->port());
    return peer.Call(method, target, body, headers);
  }
  void AddCampaigns(int count) {
    for (int i = 0; i < count; ++i) client_.AddCampaign(absl::StrCat("campaign-", i));
  }
};

TEST_F(RestHttp, LargeAnswersAreCompressedForThoseWhoTakeIt) {
  AddCampaigns(50);
  const HttpAnswer plain = Call("GET", "/v1/workflows");
  EXPECT_FALSE(plain.headers.contains("content-encoding"));
  EXPECT_THAT(plain.headers.at("vary"), HasSubstr("Accept-Encoding"));
  const HttpAnswer packed = Call("GET", "/v1/workflows", "", "Accept-Encoding: br, gzip;q=0.8\r\n");
  EXPECT_EQ(packed.headers.at("content-encoding"), "gzip");
  EXPECT_LT(packed.body.size(), plain.body.size() / 4);
  EXPECT_EQ(Gunzip(packed.body), plain.body);
  EXPECT_FALSE(Call("GET", "/v1/workflows", "", "Accept-Encoding: gzip;q=0\r\n")
                   .headers.contains("content-encoding"));
  // Not worth it.
  EXPECT_FALSE(Call("GET", "/v1/workflows/none", "", "Accept-Encoding: gzip\r\n")
                   .headers.contains("content-encoding"));
}

TEST_F(RestHttp, CompressedAnswersKeepTheConnectionInStep) {
  AddCampaigns(50);
  HttpPeer peer(rest_->port());
  const std::string request =
      "GET /v1/workflows HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n";
  peer.Send(absl::StrCat(
      request, request,
      "HEAD /v1/workflows HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n", request));
  const HttpAnswer first = peer.Read();
  EXPECT_EQ(peer.Read().body, first.body);
  const HttpAnswer head = peer.Read(/*head_only=*/true);
  EXPECT_EQ(head.headers.at("content-length"), absl::StrCat(first.body.size()));
  EXPECT_EQ(peer.Read().body, first.body);
}

TEST_F(RestHttp, EveryAnswerHasSecurityHeaders) {
  for (const char* target : {"/v1/workflows", "/v1/workflows/none", "/nowhere"}) {
    const HttpAnswer answer = Call("GET", target);
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff") << target;
    EXPECT_EQ(answer.headers.at("content-security-policy"),
              "default-src 'none'; frame-ancestors 'none'");
    EXPECT_EQ(answer.headers.at("referrer-policy"), "no-referrer");
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
    EXPECT_FALSE(answer.headers.contains("strict-transport-security"));  // there is no TLS
  }
  HttpPeer garbage(rest_->port());
  garbage.Send("nonsense\r\n\r\n");
  EXPECT_EQ(garbage.Read().headers.at("x-content-type-options"), "nosniff");
}

TEST_F(RestHttp, PagesOfAllowedOriginsMayCall) {
  const std::string origin = absl::StrCat("Origin: ", kOrigin, "\r\n");
  const HttpAnswer preflight =
      Call("OPTIONS", "/v1/wizards/w1", "",
           absl::StrCat(origin, "Access-Control-Request-Method: PATCH\r\n",
                        "Access-Control-Request-Headers: authorization, if-match\r\n"));
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.at("access-control-allow-origin"), kOrigin);
  EXPECT_THAT(preflight.headers.at("access-control-allow-methods"), HasSubstr("PATCH"));
  EXPECT_THAT(preflight.headers.at("access-control-allow-headers"), HasSubstr("Authorization"));
  EXPECT_THAT(preflight.headers.at("access-control-allow-headers"), HasSubstr("If-Match"));
  EXPECT_EQ(preflight.headers.at("access-control-max-age"), "600");
  EXPECT_EQ(preflight.headers.at("vary"), "Origin, Accept-Encoding");
  EXPECT_FALSE(preflight.headers.contains("access-control-allow-credentials"));
  // Errors too, or the page could not read them.
  const HttpAnswer error = Call("GET", "/v1/workflows/none", "", origin);
  EXPECT_EQ(error.headers.at("access-control-allow-origin"), kOrigin);
  EXPECT_THAT(error.headers.at("access-control-expose-headers"), HasSubstr("ETag"));
}

TEST_F(RestHttp, PagesOfOtherOriginsMayNot) {
  const HttpAnswer preflight =
      Call("OPTIONS", "/v1/wizards", "",
           "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n");
  EXPECT_FALSE(preflight.headers.contains("access-control-allow-origin"));
  // A "simple" request is sent without asking first: it is refused, not only not answered.
  client_.AddCampaign("c1");
  const HttpAnswer cancel =
      Call("POST", "/v1/workflows/c1/cancel", "", "Origin: https://evil.example\r\n");
  EXPECT_EQ(cancel.status, 403);
  EXPECT_THAT(cancel.body, HasSubstr("server.http.cors_origins"));
  EXPECT_EQ(client_.last("Cancel"), "");
  EXPECT_EQ(Call("POST", "/v1/workflows/c1/cancel", "", "Sec-Fetch-Site: cross-site\r\n").status,
            403);
}

std::string WizardPath(const json& wizard) {
  return absl::StrCat("/v1/wizards/", wizard["wizard_id"].get<std::string>());
}

TEST_F(RestHttp, EtagsGuardChangesAndSaveReads) {
  const HttpAnswer made = Call("POST", "/v1/wizards", R"({"campaign":{"campaign_name":"Spring"}})");
  ASSERT_EQ(made.status, 200) << made.body;
  const std::string path = WizardPath(json::parse(made.body));
  const std::string etag = made.headers.at("etag");
  EXPECT_EQ(etag, absl::StrCat("\"", json::parse(made.body)["etag"].get<std::string>(), "\""));

  const HttpAnswer same =
      Call("GET", path, "", absl::StrCat("If-None-Match: \"other\", W/", etag, "\r\n"));
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.headers.at("etag"), etag);
  EXPECT_FALSE(same.headers.contains("content-type"));

  const std::string change = R"({"campaign":{"campaign_name":"Summer"}})";
  const HttpAnswer changed = Call("PATCH", path, change, absl::StrCat("If-Match: ", etag, "\r\n"));
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_NE(changed.headers.at("etag"), etag);
  const HttpAnswer stale = Call("PATCH", path, change, absl::StrCat("If-Match: ", etag, "\r\n"));
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(json::parse(stale.body)["code"], 10);
  EXPECT_EQ(Call("GET", path, "", absl::StrCat("If-None-Match: ", etag, "\r\n")).status, 200);
  const HttpAnswer both =
      Call("PATCH", path, R"({"campaign":{"campaign_name":"Autumn"},"etag":"mine"})",
           "If-Match: \"yours\"\r\n");
  EXPECT_EQ(both.status, 400);
  EXPECT_THAT(both.body, HasSubstr("etag is mine, but the header If-Match is yours"));
  // A method that could not heed it says so instead of going on.
  client_.AddCampaign("c1");
  EXPECT_EQ(Call("POST", "/v1/workflows/c1/cancel", "", "If-Match: \"x\"\r\n").status, 400);
}

TEST_F(RestHttp, IdempotencyKeyIsTheRequestId) {
  const std::string body = R"({"campaign":{"campaign_name":"Spring"}})";
  const json first = json::parse(Call("POST", "/v1/wizards", body, "Idempotency-Key: k1\r\n").body);
  const json again =
      json::parse(Call("POST", "/v1/wizards", body, "Idempotency-Key: \"k1\"\r\n").body);
  EXPECT_EQ(first["wizard_id"], again["wizard_id"]);
  const json other = json::parse(Call("POST", "/v1/wizards", body, "Idempotency-Key: k2\r\n").body);
  EXPECT_NE(first["wizard_id"], other["wizard_id"]);
  const HttpAnswer conflict = Call("POST", "/v1/wizards", R"({"campaign":{},"request_id":"mine"})",
                                   "Idempotency-Key: yours\r\n");
  EXPECT_EQ(conflict.status, 400);
  EXPECT_THAT(conflict.body,
              HasSubstr("request_id is mine, but the header Idempotency-Key is yours"));
  // Whoever sends it to a method that needs none is not refused.
  EXPECT_EQ(Call("GET", "/v1/workflows", "", "Idempotency-Key: k1\r\n").status, 200);
}

class RestDeadline : public RestHttp {
 protected:
  void ConfigureHandler(RestHandlerOptions* options) override {
    options->request_timeout = absl::Milliseconds(200);
  }
};

TEST_F(RestDeadline, AnAnswerThatDoesNotComeIsDeadlineExceeded) {
  client_.AddCampaign("c1");
  HttpPeer peer(rest_->port());
  const std::string waits = "/v1/workflows/c1/history?after_event_id=10&wait=60s";
  const HttpAnswer late = peer.Call("GET", waits);
  EXPECT_EQ(late.status, 504);
  EXPECT_EQ(json::parse(late.body)["code"], 4);
  EXPECT_THAT(late.body, HasSubstr("200ms"));
  // The connection goes on, and what the handler says later is dropped.
  client_.Change("c1", [](auto&) {});
  EXPECT_EQ(peer.Call("GET", "/v1/workflows/c1").status, 200);
  const std::string next = "/v1/workflows/c1/history?after_event_id=11&wait=60s";
  const HttpAnswer shorter = peer.Call("GET", next, "", "X-Request-Timeout: 50ms\r\n");
  EXPECT_EQ(shorter.status, 504);
  EXPECT_THAT(shorter.body, HasSubstr("50ms"));
  // Nobody gets more time than there is.
  EXPECT_THAT(peer.Call("GET", next, "", "X-Request-Timeout: 3600\r\n").body, HasSubstr("200ms"));
  EXPECT_EQ(peer.Call("GET", next, "", "X-Request-Timeout: soon\r\n").status, 400);
}

TEST_F(RestDeadline, StreamsThatHaveBegunAreFree) {
  client_.AddCampaign("c1");
  HttpPeer peer(rest_->port());
  peer.Send(
      "GET /v1/workflows/c1/watch HTTP/1.1\r\nHost: localhost\r\nX-Request-Timeout: 30ms\r\n\r\n");
  EXPECT_NE(peer.ReadUntil("event: progress"), "");
  HttpPeer other(rest_->port());  // takes longer than the stream's 30 ms
  EXPECT_EQ(other.Call("GET", "/v1/workflows/c1/history?after_event_id=10&wait=60s").status, 504);
  client_.Change("c1", [](auto& run) { run.progress.set_progress_percentage(77); });
  EXPECT_NE(peer.ReadUntil("\"progress_percentage\":77"), "");
}

}  // namespace
}  // namespace gateway
