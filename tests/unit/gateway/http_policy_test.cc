#include "gateway/rest/http_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gateway/auth/call_limits.h"

namespace gateway {
namespace {

using ::testing::Contains;

TEST(AcceptsGzip, TakesTheCodingsOwnWeightBeforeThatOfAll) {
  for (const char* yes : {"gzip", "x-gzip", "GZIP", "br, gzip;q=0.8", "*", "*;q=0, gzip",
                          "gzip;q=0.001, *;q=0", "deflate;q=0, * ; q=0.5"}) {
    EXPECT_TRUE(AcceptsGzip(yes)) << yes;
  }
  for (const char* no : {"", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "*, gzip;q=0", "gzip;q=x",
                         "identity, br;q=1"}) {
    EXPECT_FALSE(AcceptsGzip(no)) << no;
  }
}

// What a page of an allowed origin may not read is as good as not sent.
TEST(HttpPolicy, PagesMayReadAllThatSaysWhenToComeBack) {
  const HttpPolicy policy({.origins = {"https://app.example.com"}});
  HttpResponse response;
  policy.FinishStream({.method = "GET", .origin = "https://app.example.com"}, &response);
  std::vector<std::string> exposed;
  for (const auto& [name, value] : response.headers) {
    if (name == "Access-Control-Expose-Headers") exposed = absl::StrSplit(value, ", ");
  }
  auth::CallLimits limits({.reads = {.calls = 1}});
  limits.Take(auth::CallGroup::kReads, "ann", absl::ZeroDuration());
  const auto headers =
      auth::RateLimitHeaders(limits.Take(auth::CallGroup::kReads, "ann", absl::ZeroDuration()));
  EXPECT_EQ(headers.size(), 5u);
  for (const auto& [name, value] : headers) EXPECT_THAT(exposed, Contains(name));
}

}  // namespace
}  // namespace gateway
