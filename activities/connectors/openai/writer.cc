#include "activities/connectors/openai/writer.h"

#include <prometheus/counter.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/sha256.h"

namespace openai {
namespace {

// Another model may do what this one could not.
bool AnotherMayAnswer(const base::Failure& failure) {
  if (failure.not_attempted || failure.is_canceled()) return false;
  return failure.type != "BudgetExceeded" && failure.type != "Unauthorized" &&
         failure.type != "DeadlineExceeded";
}

}  // namespace

std::string CacheKey(const ChatRequest& request, const std::string& model) {
  wire::Json asked = {{"model", model},
                      {"schema", request.schema_name},
                      {"keys", request.required_keys},
                      {"tokens_max", request.tokens_max}};
  if (request.temperature.has_value()) asked["temperature"] = *request.temperature;
  if (request.seed.has_value()) asked["seed"] = *request.seed;
  for (const ChatMessage& message : request.messages) {
    asked["messages"].push_back({message.role, message.content});
  }
  return absl::BytesToHexString(base::Sha256(wire::DumpJson(asked)));
}

Writer::Writer(base::EventLoop& loop, blocking::Worker& disk, ChatClient& chat,
               std::shared_ptr<AnswerCache> cache, Prices prices, base::Metrics& metrics,
               Options options)
    : loop_(loop),
      disk_(disk),
      chat_(chat),
      cache_(std::move(cache)),
      prices_(std::move(prices)),
      metrics_(metrics),
      options_(std::move(options)) {
  CHECK(!options_.models.empty());
}

base::Task<base::Outcome<CachedAnswer>> Writer::Cached(std::string key) {
  const absl::Time now = loop_.clock().Now();
  return disk_.Run<CachedAnswer>(
      loop_, [cache = cache_, key = std::move(key), now]() -> base::Outcome<CachedAnswer> {
        std::optional<CachedAnswer> answer = cache->Get(key, now);
        if (answer.has_value()) return *std::move(answer);
        return base::Failure::Permanent("NotFound", "not in the cache");
      });
}

void Writer::Keep(std::string key, CachedAnswer answer) {
  const absl::Time now = loop_.clock().Now();
  base::Spawn(disk_.Run<base::Unit>(
                  loop_,
                  [cache = cache_, key = std::move(key), answer = std::move(answer), now,
                   ttl = options_.cache_ttl]() -> base::Done {
                    absl::Status put = cache->Put(key, answer, now, now + ttl);
                    if (!put.ok()) {
                      base::Log(base::LogLevel::kWarning, "a model's answer was not cached", {},
                                {{"status", put.ToString()}});
                    }
                    return base::Unit{};
                  }),
              [](std::exception_ptr, base::Done*) {});
}

base::Done Writer::Admit(const std::string& model, const WriteJob& job, const Spending& spending,
                         size_t prompt_bytes) {
  if (job.budget_usd <= 0) return base::Unit{};
  const double cost_max = prices_.Cost(model, TokensAtMost(prompt_bytes), job.request.tokens_max);
  if (spending.cost_usd + cost_max <= job.budget_usd) return base::Unit{};
  metrics_
      .Counter("model_budget_refusals_total",
               "Calls of models that were not made, as they could have broken a campaign's budget.")
      .Increment();
  return base::Failure::Permanent(
      "BudgetExceeded",
      absl::StrFormat(
          "a call of %s may cost up to %.4f USD; %.4f of the campaign's budget_usd %.4f "
          "are spent. Raise budget_usd, shorten the brief, or name a cheaper model",
          model, cost_max, spending.cost_usd, job.budget_usd));
}

void Writer::Count(const std::string& model, const Completion& usage, Spending* spending) {
  const double cost = prices_.Cost(model, usage.prompt_tokens, usage.completion_tokens);
  spending->prompt_tokens += usage.prompt_tokens;
  spending->completion_tokens += usage.completion_tokens;
  spending->cost_usd += cost;
  const std::string tokens_help = "Tokens that models read and wrote.";
  metrics_.Counter("model_tokens_total", tokens_help, {{"model", model}, {"kind", "prompt"}})
      .Increment(static_cast<double>(usage.prompt_tokens));
  metrics_.Counter("model_tokens_total", tokens_help, {{"model", model}, {"kind", "completion"}})
      .Increment(static_cast<double>(usage.completion_tokens));
  metrics_.Counter("model_cost_usd_total", "What calls of models cost, in USD.", {{"model", model}})
      .Increment(cost);
}

base::Task<base::Outcome<Answer>> Writer::Ask(std::string model, WriteJob job, Spending* spending,
                                              outbound::CallContext context) {
  ChatRequest request = job.request;
  request.model = model;
  request.admit = [this, &model, &job, spending](size_t prompt_bytes) {
    return Admit(model, job, *spending, prompt_bytes);
  };
  request.on_usage = [this, &model, spending](const Completion& usage) {
    Count(model, usage, spending);
  };
  base::Outcome<Completion> made =
      co_await chat_.CompleteJson(std::move(request), std::move(context));
  const bool unusable =
      !made.ok() &&
      (made.failure().type == "InvalidModelOutput" || made.failure().type == "OutputTruncated" ||
       made.failure().type == "ContentFiltered" || made.failure().type == "ModelRefused");
  metrics_
      .Counter("model_calls_total", "Calls of models by what came of them.",
               {{"model", model},
                {"outcome", made.ok()  ? "usable"
                            : unusable ? "unusable"
                                       : "failed"}})
      .Increment();
  if (!made.ok()) co_return made.failure();
  co_return Answer{.content_json = std::move(made->content_json), .model = std::move(made->model)};
}

base::Task<base::Outcome<Answer>> Writer::Write(WriteJob job, Spending* spending,
                                                outbound::CallContext context) {
  const bool caching = cache_ != nullptr && options_.cache_ttl > absl::ZeroDuration();
  const std::string key = CacheKey(job.request, options_.models.front());
  if (caching) {
    base::Outcome<CachedAnswer> cached = co_await Cached(key);
    metrics_
        .Counter("model_cache_requests_total", "Look-ups in the cache of models' answers.",
                 {{"result", cached.ok() ? "hit" : "miss"}})
        .Increment();
    if (cached.ok()) {
      co_return Answer{
          .content_json = cached->content_json, .model = cached->model, .from_cache = true};
    }
  }
  std::vector<std::string> tried;
  std::optional<base::Failure> failure;
  for (const std::string& model : options_.models) {
    tried.push_back(model);
    base::Outcome<Answer> answer = co_await Ask(model, job, spending, context);
    if (answer.ok()) {
      answer->models_tried = std::move(tried);
      if (caching) Keep(key, {.content_json = answer->content_json, .model = answer->model});
      co_return answer;
    }
    const bool next = AnotherMayAnswer(answer.failure());
    // A dear model that the budget forbids is no reason not to ask a cheaper one; its refusal
    // counts only when nothing else was tried.
    if (answer.failure().type != "BudgetExceeded" || !failure.has_value()) {
      failure = answer.failure();
    }
    if (!next && answer.failure().type != "BudgetExceeded") break;
  }
  co_return *failure;
}

}  // namespace openai
