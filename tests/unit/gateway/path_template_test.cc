#include "gateway/rest/path_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway {
namespace {

using Fields = std::map<std::string, std::string>;

TEST(PathTemplate, MatchesSegmentsAndDecodesThem) {
  const PathTemplate path = *PathTemplate::Parse("/v1/workflows/{workflow_id}/saga/{step}/skip");
  Fields fields;
  EXPECT_TRUE(path.Match("/v1/workflows/a%2Fb/saga/step%232/skip", &fields));
  EXPECT_EQ(fields, (Fields{{"workflow_id", "a/b"}, {"step", "step#2"}}));
  for (const char* other :
       {"/v1/workflows//saga/s/skip", "/v1/workflows/a/saga/s", "/v1/workflows/a/saga/s/skip/",
        "/v1/workflows/a/saga/s/skip/x", "v1/workflows/a/saga/s/skip", "/", "",
        "/v1/workflows/%zz/saga/s/skip", "/v1/workflows/%00/saga/s/skip"}) {
    EXPECT_FALSE(path.Match(other, &fields)) << other;
  }
}

TEST(PathTemplate, RestTakesAllThatFollows) {
  const PathTemplate path = *PathTemplate::Parse("/assets/{key...}");
  Fields fields;
  EXPECT_TRUE(path.Match("/assets/a/b/c.png", &fields));
  EXPECT_EQ(fields["key"], "a/b/c.png");
  EXPECT_FALSE(path.Match("/assets/", &fields));
  EXPECT_FALSE(path.Match("/assets", &fields));
}

TEST(PathTemplate, RefusesWhatItDoesNotUnderstand) {
  for (const char* bad : {"v1", "", "/a/{b", "/a/x{b}", "/a/{}", "/a/{b=*}", "/{a...}/b"}) {
    EXPECT_FALSE(PathTemplate::Parse(bad).ok()) << bad;
  }
}

TEST(PathTemplate, CountsLiteralsForPrecedence) {
  EXPECT_EQ(PathTemplate::Parse("/v1/workflows/{id}/watch")->literals(), 3);
}

}  // namespace
}  // namespace gateway
