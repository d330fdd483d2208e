#include "activities/connectors/openai/moderator.h"

#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/scripted_vendor.h"

namespace connector_test {
namespace {

class ModeratorTest : public SandboxTest, public testing::WithParamInterface<std::string> {};

TEST_P(ModeratorTest, SaysWhichTextIsFlaggedForWhat) {
  if (GetParam() != "none") {
    AddFault(R"({"vendor":"openai","count":1,"kind":")" + GetParam() + "\"}");
  }
  openai::Moderator moderator(
      outbound(),
      {.base_url = url("/openai/v1"), .api_key = "sk-test-1", .model = "omni-moderation-latest"});
  ASSERT_TRUE(moderator.enabled());
  const auto flags =
      Run(moderator.Check({"Nice shoes.", "You stupid violent thing."}, Context("wf-1")));
  ASSERT_TRUE(flags.ok()) << flags.failure().ToString();
  ASSERT_EQ(flags->size(), 2u);
  EXPECT_EQ((*flags)[0].text, 1u);
  EXPECT_EQ((*flags)[0].category, "harassment");
  EXPECT_GT((*flags)[0].score, 0.5);
  EXPECT_EQ((*flags)[1].category, "violence");
}

INSTANTIATE_TEST_SUITE_P(Kinds, ModeratorTest,
                         testing::Values("none", "error", "reset", "lost_response", "malformed",
                                         "rate_limit"),
                         [](const auto& info) { return info.param; });

class ModeratorScriptedTest : public ScriptedTest {};

TEST_F(ModeratorScriptedTest, AnAnswerThatLeavesATextOutIsRefused) {
  openai::Moderator moderator(scripted(), {.base_url = "http://host/v1", .model = "m"});
  ScriptList({Answer(200, R"({"results":[{"flagged":false,"categories":{}}]})")});
  const auto flags = Run(moderator.Check({"a", "b"}, Context("wf-1")));
  ASSERT_FALSE(flags.ok());
  EXPECT_EQ(flags.failure().type, "MalformedResponse");
}

TEST(Moderator, IsOffWithoutAModel) {
  // Nothing is called: the outbound is never looked at.
  struct Nothing : outbound::Outbound {
    base::Task<base::Outcome<outbound::HttpResponse>> Call(const outbound::Vendor&,
                                                           outbound::HttpRequest,
                                                           outbound::CallContext) override {
      ADD_FAILURE();
      co_return base::Failure::Permanent("Unexpected", "");
    }
    base::EventLoop& loop() override { std::abort(); }
  } nothing;
  EXPECT_FALSE(openai::Moderator(nothing, {}).enabled());
}

}  // namespace
}  // namespace connector_test
