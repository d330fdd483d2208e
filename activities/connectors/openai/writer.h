// Writer: an answer of a language model for as little money as it takes. It looks into the cache,
// asks the models in their order until one gives usable text, counts what that cost, and makes no
// call that could break the budget (requirements P3, P12).
//
// Metrics: model_tokens_total{model,kind=prompt|completion}, model_cost_usd_total{model},
// model_calls_total{model,outcome=usable|unusable|failed},
// model_cache_requests_total{result=hit|miss}, model_budget_refusals_total.
//
// Thread-safety: loop thread only.
//
// Example:
//   openai::Writer writer(loop, disk, chat, cache, prices, metrics,
//                         {.models = {"gpt-4o-mini", "gpt-4.1-nano"}});
//   base::Outcome<openai::Answer> answer =
//       co_await writer.Write({.request = request, .budget_usd = 2}, &spent, context);
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "activities/connectors/blocking/worker.h"
#include "activities/connectors/openai/answer_cache.h"
#include "activities/connectors/openai/chat_client.h"
#include "activities/connectors/openai/prices.h"
#include "orchestrator/base/metrics.h"

namespace openai {

// What was used so far, unusable answers included. The caller keeps it over attempts.
struct Spending {
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  double cost_usd = 0;
};

struct WriteJob {
  ChatRequest request;    // its model is not looked at
  double budget_usd = 0;  // of all that Spending counts; 0: no limit
};

struct Answer {
  std::string content_json;
  std::string model;
  bool from_cache = false;
  std::vector<std::string> models_tried;
};

class Writer {
 public:
  struct Options {
    std::vector<std::string> models;             // at least one; the first is asked first
    absl::Duration cache_ttl = absl::Hours(24);  // zero: no cache
  };
  // `cache` may be null. The others must outlive the writer.
  Writer(base::EventLoop& loop, blocking::Worker& disk, ChatClient& chat,
         std::shared_ptr<AnswerCache> cache, Prices prices, base::Metrics& metrics,
         Options options);

  // Failures: "BudgetExceeded" (permanent: before a call that could cost more than is left; the
  // message says what and how much), ChatClient's of the last model that was asked. A model that
  // cannot answer (unusable or refused text, unknown model, no quota, vendor down) is followed by
  // the next; a put-off call is not, as all models have one vendor. `spending` must live until the
  // call has ended; it grows also when the call fails.
  base::Task<base::Outcome<Answer>> Write(WriteJob job, Spending* spending,
                                          outbound::CallContext context);

 private:
  base::Task<base::Outcome<Answer>> Ask(std::string model, WriteJob job, Spending* spending,
                                        outbound::CallContext context);
  base::Done Admit(const std::string& model, const WriteJob& job, const Spending& spending,
                   size_t prompt_bytes);
  void Count(const std::string& model, const Completion& usage, Spending* spending);
  base::Task<base::Outcome<CachedAnswer>> Cached(std::string key);
  void Keep(std::string key, CachedAnswer answer);

  base::EventLoop& loop_;
  blocking::Worker& disk_;
  ChatClient& chat_;
  const std::shared_ptr<AnswerCache> cache_;
  const Prices prices_;
  base::Metrics& metrics_;
  const Options options_;
};

// SHA-256 of all that decides the answer: model, messages, schema, temperature, length.
std::string CacheKey(const ChatRequest& request, const std::string& model);

}  // namespace openai
