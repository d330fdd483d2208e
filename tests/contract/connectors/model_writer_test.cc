// One answer for as little money as it takes: cache, fallback models, budget.
#include "activities/connectors/openai/writer.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/scripted_vendor.h"
#include "tests/support/temporary_folder.h"

namespace connector_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

openai::WriteJob Job(double budget_usd = 0) {
  return {.request = {.messages = {{"system", "You write copy."}, {"user", "Write about shoes."}},
                      .schema_name = "campaign_content",
                      .required_keys = {"headline"},
                      .tokens_max = 1000,
                      .temperature = 0.5},
          .budget_usd = budget_usd};
}

outbound::Transfer Said(const std::string& content, const std::string& reason = "stop") {
  return Answer(
      200, Json({{"choices",
                  {{{"index", 0},
                    {"finish_reason", reason},
                    {"message", {{"role", "assistant"}, {"content", content}}}}}},
                 {"usage",
                  {{"prompt_tokens", 1000}, {"completion_tokens", 500}, {"total_tokens", 1500}}}})
               .dump());
}
constexpr char kGood[] = R"({"headline":"h"})";

class ModelWriterTest : public ScriptedTest {
 protected:
  ModelWriterTest() { Open(absl::Hours(24)); }

  void Open(absl::Duration ttl) {
    auto cache = openai::AnswerCache::Open(folder_.File("answers.db"), {.answers_max = 100});
    CHECK(cache.ok()) << cache.status().ToString();
    writer_.emplace(loop(), disk_, chat_, *std::move(cache),
                    *openai::Prices::Parse({"dear 100 400", "cheap 1 4"}), metrics(),
                    openai::Writer::Options{.models = {"dear", "cheap"}, .cache_ttl = ttl});
  }
  base::Outcome<openai::Answer> Write(openai::WriteJob job = Job()) {
    return Run(writer_->Write(std::move(job), &spent_, Context("wf-1")));
  }
  std::vector<std::string> ModelsAsked() {
    std::vector<std::string> models;
    for (const auto& request : requests()) models.push_back(Json::parse(request.body)["model"]);
    return models;
  }

  test::TemporaryFolder folder_;
  blocking::Worker disk_{clock(), "disk"};
  openai::ChatClient chat_{scripted(), {.base_url = "http://host/v1", .api_key = "sk-test-1"}};
  std::optional<openai::Writer> writer_;
  openai::Spending spent_;
};

TEST_F(ModelWriterTest, CountsWhatEveryAnswerCosts) {
  ScriptList({Said("no JSON"), Said(kGood)});
  const auto answer = Write();
  ASSERT_TRUE(answer.ok()) << answer.failure().ToString();
  EXPECT_EQ(answer->model, "dear");
  EXPECT_THAT(ModelsAsked(), ElementsAre("dear", "dear")) << "one repair by the same model";
  EXPECT_EQ(spent_.prompt_tokens, 2000);
  EXPECT_DOUBLE_EQ(spent_.cost_usd, 2 * (1000 * 100 + 500 * 400) / 1e6);
  EXPECT_THAT(metrics().Expose(), HasSubstr("model_cost_usd_total{model=\"dear\"} 0.6"));
  EXPECT_THAT(metrics().Expose(),
              HasSubstr("model_tokens_total{kind=\"completion\",model=\"dear\"} 1000"));
}

TEST_F(ModelWriterTest, TheSameQuestionIsNotPaidForTwice) {
  ScriptList({Said(kGood)});
  ASSERT_TRUE(Write().ok());
  Open(absl::Hours(24));  // as after a restart
  const auto again = Write();
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->from_cache);
  EXPECT_EQ(again->content_json, kGood);
  EXPECT_EQ(requests().size(), 1u);
  openai::WriteJob other = Job();
  other.request.messages[1].content = "Write about hats.";
  ScriptList({Said(kGood)});
  EXPECT_FALSE(Write(other)->from_cache);
  EXPECT_THAT(metrics().Expose(), HasSubstr("model_cache_requests_total{result=\"hit\"} 1"));
  EXPECT_THAT(metrics().Expose(), HasSubstr("model_cache_requests_total{result=\"miss\"} 2"));
}

TEST_F(ModelWriterTest, AnUnusableAnswerIsNotKept) {
  ScriptList({Said("no"), Said("no"), Said("no"), Said("no")});
  EXPECT_FALSE(Write().ok());
  ScriptList({Said(kGood)});
  const auto answer = Write();
  ASSERT_TRUE(answer.ok());
  EXPECT_FALSE(answer->from_cache);
}

TEST_F(ModelWriterTest, TheNextModelIsAskedWhenOneCannotAnswer) {
  ScriptList({Said("", "content_filter"), Said(kGood)});
  const auto answer = Write();
  ASSERT_TRUE(answer.ok()) << answer.failure().ToString();
  EXPECT_EQ(answer->model, "cheap");
  EXPECT_THAT(answer->models_tried, ElementsAre("dear", "cheap"));
  ScriptList({Answer(404, R"({"error":{"message":"no such model","code":"model_not_found"}})"),
              Said(kGood)});
  openai::WriteJob other = Job();
  other.request.seed = 3;
  EXPECT_EQ(Write(other)->model, "cheap");
}

TEST_F(ModelWriterTest, AWrongKeyIsNotTriedWithEveryModel) {
  ScriptList({Answer(401, R"({"error":{"message":"bad key","code":"invalid_api_key"}})")});
  const auto answer = Write();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().type, "Unauthorized");
  EXPECT_EQ(requests().size(), 1u);
}

TEST_F(ModelWriterTest, NoCallIsMadeThatCouldBreakTheBudget) {
  const auto answer = Write(Job(0.001));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.failure().type, "BudgetExceeded");
  EXPECT_FALSE(answer.failure().retryable);
  EXPECT_THAT(answer.failure().message, HasSubstr("budget_usd 0.0010"));
  EXPECT_EQ(requests().size(), 0u);
  EXPECT_THAT(metrics().Expose(), HasSubstr("model_budget_refusals_total 2"));
}

TEST_F(ModelWriterTest, ACheaperModelMayStillFitIntoTheBudget) {
  ScriptList({Said(kGood)});
  const auto answer = Write(Job(0.1));  // 1,000 tokens of "dear" cost 0.4
  ASSERT_TRUE(answer.ok()) << answer.failure().ToString();
  EXPECT_THAT(ModelsAsked(), ElementsAre("cheap"));
}

TEST_F(ModelWriterTest, TheRepairIsPaidFromTheSameBudget) {
  ScriptList({Said("no JSON"), Said(kGood)});
  const auto answer = Write(Job(0.5));  // the first call takes 0.3, a second one could take 0.4
  ASSERT_TRUE(answer.ok()) << answer.failure().ToString();
  EXPECT_THAT(ModelsAsked(), ElementsAre("dear", "cheap"));
  EXPECT_LE(spent_.cost_usd, 0.5);
}

TEST_F(ModelWriterTest, WhatWasSpentBeforeCounts) {
  spent_.cost_usd = 0.4;
  EXPECT_EQ(Write(Job(0.401)).failure().type, "BudgetExceeded");
}

TEST(Prices, ReadLinesAndNameTheWrongOnes) {
  const auto prices = openai::Prices::Parse({"a 1 2", "a-long 3 4", "* 9 9"});
  ASSERT_TRUE(prices.ok());
  EXPECT_EQ(prices->Of("a-2024").prompt_usd, 1);
  EXPECT_EQ(prices->Of("a-long-2024").prompt_usd, 3) << "the longest name counts";
  EXPECT_EQ(prices->Of("b").prompt_usd, 9);
  EXPECT_EQ(openai::Prices::Parse({})->Of("b").prompt_usd, 0);
  const absl::Status wrong = openai::Prices::Parse({"a 1", "b x 2", "c 1 2"}).status();
  EXPECT_THAT(wrong.message(), HasSubstr("\"a 1\""));
  EXPECT_THAT(wrong.message(), HasSubstr("\"b x 2\""));
  EXPECT_EQ(wrong.message().find("\"c 1 2\""), std::string::npos);
}

TEST(AnswerCache, ForgetsWhatIsOldAndWhatIsTooMuch) {
  const test::TemporaryFolder folder;
  auto cache = *openai::AnswerCache::Open(folder.File("answers.db"), {.answers_max = 3});
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(cache->Put(std::to_string(i), {"{}", "m"}, now, now + absl::Hours(i + 1)).ok());
  }
  EXPECT_FALSE(cache->Get("1", now).has_value()) << "the three that last longest stay";
  EXPECT_TRUE(cache->Get("2", now).has_value());
  EXPECT_FALSE(cache->Get("2", now + absl::Hours(3)).has_value());
}

}  // namespace
}  // namespace connector_test
