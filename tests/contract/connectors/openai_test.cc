// What comes back from a model is checked before anyone uses it.
#include "activities/connectors/openai/chat_client.h"
#include "activities/connectors/openai/model_output.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/scripted_vendor.h"

namespace connector_test {
namespace {

using testing::HasSubstr;

openai::ChatRequest Request() {
  return {.messages = {{"system", "You write campaign copy."}, {"user", "Write about shoes."}},
          .schema_name = "campaign_content",
          .required_keys = {"headline", "tagline"},
          .tokens_max = 500,
          .temperature = 0.7,
          .seed = 7};
}

class OpenAiTest : public SandboxTest, public testing::WithParamInterface<std::string> {
 protected:
  openai::ChatClient client_{
      outbound(), {.base_url = url("/openai/v1"), .api_key = "sk-test-1", .model = "gpt-4o-mini"}};
};

TEST_P(OpenAiTest, GivesTheTextsThatWereAskedFor) {
  if (GetParam() != "none") {
    AddFault(R"({"vendor":"openai","count":1,"kind":")" + GetParam() + "\"}");
  }
  const auto made = Run(client_.CompleteJson(Request(), Context("wf-1")));
  ASSERT_TRUE(made.ok()) << made.failure().ToString();
  const Json content = Json::parse(made->content_json);
  EXPECT_FALSE(content["headline"].get<std::string>().empty());
  EXPECT_FALSE(content["tagline"].get<std::string>().empty());
  EXPECT_FALSE(made->model.empty());
  EXPECT_GT(made->total_tokens, 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, OpenAiTest,
                         testing::Values("none", "error", "reset", "lost_response", "malformed",
                                         "rate_limit"),
                         [](const auto& info) { return info.param; });

outbound::Transfer Said(const std::string& content, const std::string& reason = "stop") {
  return Answer(
      200,
      Json({{"model", "m-1"},
            {"choices",
             {{{"index", 0},
               {"finish_reason", reason},
               {"message", {{"role", "assistant"}, {"content", content}}}}}},
            {"usage", {{"prompt_tokens", 10}, {"completion_tokens", 5}, {"total_tokens", 15}}}})
          .dump());
}

class OpenAiScriptedTest : public ScriptedTest {
 protected:
  base::Outcome<openai::Completion> Complete(openai::ChatClient::Options options = {}) {
    options.model = "m";
    openai::ChatClient client(scripted(), std::move(options));
    return Run(client.CompleteJson(Request(), Context("wf-1")));
  }
};

TEST_F(OpenAiScriptedTest, AsksForASchema) {
  ScriptList({Said(R"({"headline":"h","tagline":"t"})")});
  const auto made = Complete({.base_url = "http://host/v1/", .api_key = "sk-test-1"});
  ASSERT_TRUE(made.ok()) << made.failure().ToString();
  EXPECT_EQ(requests()[0].url, "http://host/v1/chat/completions");
  EXPECT_EQ(HeaderOf(requests()[0], "Authorization"), "Bearer sk-test-1");
  const Json body = Json::parse(requests()[0].body);
  EXPECT_EQ(body["response_format"]["json_schema"]["schema"]["required"],
            Json({"headline", "tagline"}));
  EXPECT_EQ(body["max_completion_tokens"], 500);
  EXPECT_EQ(body["seed"], 7);
}

TEST_F(OpenAiScriptedTest, SpeaksToLocalServers) {
  ScriptList({Said("```json\n{\"headline\":\"h\",\"tagline\":\"t\"}\n```")});
  const auto made = Complete({.base_url = "http://host/v1",
                              .format = openai::ResponseFormat::kJsonObject,
                              .legacy_max_tokens = true});
  ASSERT_TRUE(made.ok()) << made.failure().ToString();
  EXPECT_EQ(made->content_json, R"({"headline":"h","tagline":"t"})");
  EXPECT_EQ(HeaderOf(requests()[0], "Authorization"), "");
  const Json body = Json::parse(requests()[0].body);
  EXPECT_EQ(body["response_format"], Json({{"type", "json_object"}}));
  EXPECT_EQ(body["max_tokens"], 500);
  EXPECT_FALSE(body.contains("max_completion_tokens"));
}

TEST_F(OpenAiScriptedTest, AsksOnceMoreForUsableText) {
  ScriptList({Said(R"({"headline":"h"})"), Said(R"({"headline":"h","tagline":"t"})")});
  const auto made = Complete();
  ASSERT_TRUE(made.ok()) << made.failure().ToString();
  EXPECT_EQ(made->total_tokens, 30);
  ASSERT_EQ(requests().size(), 2u);
  EXPECT_EQ(Json::parse(requests()[1].body)["seed"], 8);
  EXPECT_THAT(requests()[1].body, HasSubstr("tagline"));
}

TEST_F(OpenAiScriptedTest, FailsOnTextThatStaysUnusable) {
  ScriptList({Said("I am sorry, no.")});
  const auto made = Complete();
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.failure().type, "InvalidModelOutput");
  EXPECT_EQ(requests().size(), 2u);
}

TEST_F(OpenAiScriptedTest, ATextCutOrFilteredIsAFailure) {
  ScriptList({Said(R"({"headline":"h","tagline":"t"})", "length")});
  EXPECT_EQ(Complete().failure().type, "OutputTruncated");
  ScriptList({Said("", "content_filter")});
  const auto filtered = Complete();
  ASSERT_FALSE(filtered.ok());
  EXPECT_EQ(filtered.failure().type, "ContentFiltered");
  EXPECT_FALSE(filtered.failure().retryable);
}

TEST_F(OpenAiScriptedTest, AnEmptyPurseWaitsForAPersonAndASlowDownIsTriedAgain) {
  ScriptList({Answer(429, R"({"error":{"message":"pay","type":"x","code":"insufficient_quota"}})",
                     {{"retry-after", "1"}})});
  const auto broke = Complete();
  ASSERT_FALSE(broke.ok());
  EXPECT_EQ(broke.failure().type, "QuotaExhausted");
  EXPECT_GE(broke.failure().retry_after, absl::Minutes(15));
  EXPECT_EQ(requests().size(), 1u);
  ScriptList({Answer(429, R"({"error":{"message":"slow","code":null}})", {{"retry-after-ms", "3"}}),
              Answer(409, "{}"), Said(R"({"headline":"h","tagline":"t"})")});
  EXPECT_TRUE(Complete().ok());
}

TEST_F(OpenAiScriptedTest, ReadsErrorsOfEveryDialect) {
  for (const char* body :
       {R"({"error":{"code":400,"message":"bad grammar","type":"invalid_request_error"}})",
        R"({"object":"error","message":"bad grammar","type":"BadRequestError","code":400})",
        R"({"error":"bad grammar"})"}) {
    ScriptList({Answer(400, body)});
    const auto made = Complete();
    ASSERT_FALSE(made.ok());
    EXPECT_FALSE(made.failure().retryable);
    EXPECT_THAT(made.failure().message, HasSubstr("bad grammar"));
  }
  ScriptList({Answer(404, R"({"error":{"message":"no such model","code":"model_not_found"}})")});
  const auto made = Complete();
  ASSERT_FALSE(made.ok());
  EXPECT_FALSE(made.failure().retryable);
}

TEST(ModelOutput, TakesObjectsOfTextsOnly) {
  EXPECT_TRUE(openai::CheckOutput(R"( {"a":"x","b":1} )", {"a"}).ok());
  for (const char* text : {"", "null", "[]", R"({"a":1})", R"({"a":"  "})", R"({"a":"x"} tail)",
                           "```", "```json", R"({"a":["x"]})"}) {
    const auto checked = openai::CheckOutput(text, {"a"});
    ASSERT_FALSE(checked.ok()) << text;
    EXPECT_EQ(checked.failure().type, "InvalidModelOutput");
  }
  const std::string deep =
      R"({"a":"x","b":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_FALSE(openai::CheckOutput(deep, {"a"}).ok());
  EXPECT_TRUE(openai::CheckOutput(R"({"a":"[[\"[","b":[[]]})", {"a"}).ok());
}

}  // namespace
}  // namespace connector_test
