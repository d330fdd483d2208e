// The pipeline's policy over a scripted transport, and the HTTP client over real sockets.
#include "activities/outbound/pipeline.h"

#include <deque>

#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/raw_server.h"

namespace connector_test {
namespace {

using base::Outcome;
using outbound::HttpRequest;
using outbound::HttpResponse;
using outbound::Repeat;
using outbound::Transfer;
using outbound::TransferEnd;

class ScriptedTransport : public outbound::Transport {
 public:
  base::Task<Transfer> Send(HttpRequest request, outbound::TransferLimits limits,
                            base::CancelToken) override {
    requests.push_back(std::move(request));
    timeouts.push_back(limits.timeout);
    Transfer next = script.size() > 1 ? script.front() : script.at(0);
    if (script.size() > 1) script.pop_front();
    co_return next;
  }
  std::deque<Transfer> script;
  std::vector<HttpRequest> requests;
  std::vector<absl::Duration> timeouts;
};

Transfer Answer(int status, std::string body = "", std::string retry_after = "") {
  Transfer transfer{.end = TransferEnd::kAnswered, .sent = true};
  transfer.response.status = status;
  transfer.response.body = std::move(body);
  if (!retry_after.empty()) transfer.response.headers = {{"retry-after", retry_after}};
  return transfer;
}
Transfer Broken() { return {.end = TransferEnd::kBroken, .message = "reset", .sent = true}; }
Transfer Refused() { return {.end = TransferEnd::kNotSent, .message = "refused"}; }

const outbound::Vendor kFast{.name = "fast",
                             .tries_max = 4,
                             .backoff_initial = absl::Milliseconds(1),
                             .backoff_max = absl::Milliseconds(4)};

class PipelineTest : public LoopTest {
 protected:
  Outcome<HttpResponse> Call(Repeat repeat, outbound::CallContext context) {
    return Run(pipeline_.Call(
        kFast, {.method = "POST", .url = "http://x/", .repeat = repeat, .operation = "op"},
        std::move(context)));
  }
  std::string HeaderOf(const HttpRequest& request, const std::string& name) {
    for (const auto& [key, value] : request.headers) {
      if (key == name) return value;
    }
    return "";
  }
  ScriptedTransport transport_;
  base::SeededRandom random_{7};
  outbound::Pipeline pipeline_{loop(), transport_, random_, metrics(), {}};
};

TEST_F(PipelineTest, RetriesSafeCallsAfterUnknownOutcomes) {
  transport_.script = {Broken(), Answer(500), Answer(200, "ok")};
  const auto response = Call(Repeat::kSafe, Context("wf"));
  ASSERT_TRUE(response.ok()) << response.failure().ToString();
  EXPECT_EQ(response->body, "ok");
  EXPECT_EQ(transport_.requests.size(), 3u);
}

TEST_F(PipelineTest, GivesUnsafeCallsBackAfterAnUnknownOutcome) {
  transport_.script = {Broken(), Answer(200)};
  const auto response = Call(Repeat::kUnsafe, Context("wf"));
  ASSERT_FALSE(response.ok());
  EXPECT_TRUE(response.failure().effect_unknown);
  EXPECT_TRUE(response.failure().retryable);
  EXPECT_EQ(transport_.requests.size(), 1u);
}

TEST_F(PipelineTest, RepeatsUnsafeCallsThatHadNoEffect) {
  transport_.script = {Refused(), Answer(429), Answer(503), Answer(201)};
  const auto response = Call(Repeat::kUnsafe, Context("wf"));
  ASSERT_TRUE(response.ok()) << response.failure().ToString();
  EXPECT_EQ(response->status, 201);
}

TEST_F(PipelineTest, StopsAtTriesMax) {
  transport_.script = {Refused()};
  const auto response = Call(Repeat::kSafe, Context("wf"));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.failure().type, "VendorUnavailable");
  EXPECT_FALSE(response.failure().effect_unknown);
  EXPECT_EQ(transport_.requests.size(), 4u);
}

TEST_F(PipelineTest, NeverRetriesPermanentRefusals) {
  transport_.script = {Answer(401, R"({"error":{"message":"bad token"}})")};
  const auto response = Call(Repeat::kSafe, Context("wf"));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.failure().type, "Unauthorized");
  EXPECT_THAT(response.failure().message, testing::HasSubstr("bad token"));
  EXPECT_FALSE(response.failure().retryable);
  EXPECT_EQ(transport_.requests.size(), 1u);
}

TEST_F(PipelineTest, LeavesLongRetryAfterToTheEngine) {
  transport_.script = {Answer(429, "", "120")};
  const auto response = Call(Repeat::kUnsafe, Context("wf"));
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.failure().type, "RateLimited");
  EXPECT_EQ(response.failure().retry_after, absl::Seconds(120));
  EXPECT_FALSE(response.failure().effect_unknown);
  EXPECT_EQ(transport_.requests.size(), 1u);
}

TEST_F(PipelineTest, NoTryBeyondTheDeadline) {
  transport_.script = {Answer(429, "", "5")};
  outbound::CallContext context = Context("wf");
  context.deadline = clock().Now() + absl::Seconds(2);
  const auto response = Call(Repeat::kSafe, context);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(transport_.requests.size(), 1u);
  EXPECT_LE(transport_.timeouts.at(0), absl::Seconds(2));
  context.deadline = clock().Now() - absl::Seconds(1);
  EXPECT_EQ(Call(Repeat::kSafe, context).failure().type, "DeadlineExceeded");
  EXPECT_EQ(transport_.requests.size(), 1u);
}

TEST_F(PipelineTest, SendsTheSameKeyAndAFreshSpanWithEveryCall) {
  transport_.script = {Answer(200)};
  ASSERT_TRUE(Call(Repeat::kSafe, Context("wf-9")).ok());
  ASSERT_TRUE(Call(Repeat::kSafe, Context("wf-9")).ok());
  const HttpRequest& first = transport_.requests.at(0);
  const HttpRequest& second = transport_.requests.at(1);
  EXPECT_EQ(HeaderOf(first, "Idempotency-Key"), "wf-9/test_activity/1");
  EXPECT_EQ(HeaderOf(first, "X-Workflow-Id"), "wf-9");
  EXPECT_EQ(HeaderOf(first, "User-Agent"), "campaignd/0.1");
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-";
  EXPECT_EQ(HeaderOf(first, "traceparent").substr(0, trace.size()), trace);
  EXPECT_EQ(HeaderOf(first, "traceparent").size(), 55u);
  EXPECT_NE(HeaderOf(first, "traceparent"), HeaderOf(second, "traceparent"));
}

TEST_F(PipelineTest, CountsTriesByOutcome) {
  transport_.script = {Broken(), Answer(429), Answer(200)};
  ASSERT_TRUE(Call(Repeat::kSafe, Context("wf")).ok());
  const std::string exposed = metrics().Expose();
  for (const char* outcome : {"unknown", "rate_limited", "ok"}) {
    EXPECT_THAT(exposed, testing::HasSubstr(std::string("outbound_requests_total{operation=\"op\","
                                                        "outcome=\"") +
                                            outcome + "\",vendor=\"fast\"} 1"));
  }
}

TEST(ParseRetryAfter, ReadsSecondsAndDates) {
  const absl::Time now = absl::FromUnixSeconds(784111777);  // Sun, 06 Nov 1994 08:49:37 GMT
  EXPECT_EQ(outbound::ParseRetryAfter("7", now), absl::Seconds(7));
  EXPECT_EQ(outbound::ParseRetryAfter("Sun, 06 Nov 1994 08:50:37 GMT", now), absl::Minutes(1));
  EXPECT_EQ(outbound::ParseRetryAfter("Sun, 06 Nov 1994 08:00:00 GMT", now), absl::ZeroDuration());
  EXPECT_EQ(outbound::ParseRetryAfter("soon", now), absl::ZeroDuration());
  EXPECT_EQ(outbound::ParseRetryAfter("-3", now), absl::ZeroDuration());
  EXPECT_EQ(outbound::ParseRetryAfter("", now), absl::ZeroDuration());
}

// --- The HTTP client over real sockets.

using HttpClientTest = LoopTest;

TEST_F(HttpClientTest, PoolsConnectionsAndReadsAnswers) {
  RawServer server({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Thing: A \r\n\r\nhi"});
  for (int i = 0; i < 3; ++i) {
    const Transfer transfer = Run(http().Send({.url = server.url()}, {}, {}));
    ASSERT_EQ(transfer.end, TransferEnd::kAnswered) << transfer.message;
    EXPECT_EQ(transfer.response.status, 200);
    EXPECT_EQ(transfer.response.body, "hi");
    EXPECT_EQ(transfer.response.Header("x-thing"), "A");
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.requests(), 3);
}

// A vendor that does the work and drops a pooled connection without an answer: curl on its own
// would send the request a second time.
TEST_F(HttpClientTest, NeverRepeatsAnUnsafePostOnADeadPooledConnection) {
  RawServer server({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "",
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"});
  ASSERT_EQ(Run(http().Send({.url = server.url()}, {}, {})).end, TransferEnd::kAnswered);
  const HttpRequest create{
      .method = "POST", .url = server.url(), .body = "{}", .repeat = Repeat::kUnsafe};
  const Transfer lost = Run(http().Send(create, {}, {}));
  EXPECT_EQ(lost.end, TransferEnd::kBroken);
  EXPECT_TRUE(lost.sent);
  EXPECT_EQ(server.requests(), 2);
}

// Found by the fault matrix: each try of a read was up to six calls, past limiter and breaker.
TEST_F(HttpClientTest, RepeatsNothingByItself) {
  RawServer server({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "",
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"});
  ASSERT_EQ(Run(http().Send({.url = server.url()}, {}, {})).end, TransferEnd::kAnswered);
  const Transfer lost = Run(http().Send({.url = server.url()}, {}, {}));
  EXPECT_EQ(lost.end, TransferEnd::kBroken) << lost.message;
  EXPECT_TRUE(lost.sent);
  EXPECT_EQ(server.requests(), 2);
  EXPECT_EQ(Run(http().Send({.url = server.url()}, {}, {})).end, TransferEnd::kAnswered);
}

TEST_F(HttpClientTest, TellsRefusedFromLost) {
  std::string url;
  {
    RawServer server({""});
    url = server.url();
    const Transfer lost = Run(http().Send({.url = url}, {}, {}));
    EXPECT_EQ(lost.end, TransferEnd::kBroken) << lost.message;
  }
  const Transfer refused = Run(http().Send({.url = url}, {}, {}));
  EXPECT_EQ(refused.end, TransferEnd::kNotSent) << refused.message;
  EXPECT_FALSE(refused.sent);
  EXPECT_EQ(Run(http().Send({.url = "file:///etc/passwd"}, {}, {})).end, TransferEnd::kBadRequest);
}

TEST_F(HttpClientTest, EndsAtTheTimeOutAndAtTheSizeLimit) {
  RawServer silent({RawServer::kHang});
  const Transfer late =
      Run(http().Send({.url = silent.url()}, {.timeout = absl::Milliseconds(50)}, {}));
  EXPECT_EQ(late.end, TransferEnd::kTimedOut);
  EXPECT_TRUE(late.sent);
  RawServer big({"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x')});
  const Transfer large = Run(http().Send({.url = big.url()}, {.response_bytes_max = 1000}, {}));
  EXPECT_EQ(large.end, TransferEnd::kTooLarge);
}

TEST_F(HttpClientTest, CancelEndsATransferAtOnce) {
  RawServer silent({RawServer::kHang});
  base::CancelSource source;
  RunOnLoop([&] { loop().PostAfter(absl::Milliseconds(20), [&] { source.Cancel("enough"); }); });
  const Transfer transfer = Run(http().Send({.url = silent.url()}, {}, source.token()));
  EXPECT_EQ(transfer.end, TransferEnd::kCanceled);
  EXPECT_EQ(transfer.message, "enough");
  RunOnLoop([this] { EXPECT_EQ(http().active(), 0u); });
}

base::Task<int> SendMany(outbound::HttpClient& http, std::string url, int count) {
  std::vector<base::Task<Transfer>> transfers;
  for (int i = 0; i < count; ++i) transfers.push_back(http.Send({.url = url}, {}, {}));
  std::vector<Transfer> done = co_await base::WhenAll(std::move(transfers));
  int answered = 0;
  for (const Transfer& transfer : done) answered += transfer.end == TransferEnd::kAnswered;
  co_return answered;
}

TEST_F(SandboxTest, TwoThousandTransfersAtOnce) {
  EXPECT_EQ(Run(SendMany(http(), url("/__sandbox/healthz"), 2000)), 2000);
}

}  // namespace
}  // namespace connector_test
