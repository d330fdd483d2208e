#include "gateway/rest/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Url, Decodes) {
  EXPECT_EQ(PercentDecode("a%20b+c", false), "a b+c");
  EXPECT_EQ(PercentDecode("a%20b+c", true), "a b c");
  EXPECT_EQ(PercentDecode("%C3%a9", false), "é");
  for (const char* bad : {"%", "%1", "a%", "%zz", "%00"}) {
    EXPECT_FALSE(PercentDecode(bad, false).has_value()) << bad;
  }
}

TEST(Url, QueriesArePairsInOrder) {
  EXPECT_THAT(*ParseQuery("a=1&b&a=x%3Dy&&c="),
              ElementsAre(Pair("a", "1"), Pair("b", ""), Pair("a", "x=y"), Pair("c", "")));
  EXPECT_TRUE(ParseQuery("")->empty());
  EXPECT_FALSE(ParseQuery("a=%").has_value());
}

}  // namespace
}  // namespace gateway
