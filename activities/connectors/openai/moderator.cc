#include "activities/connectors/openai/moderator.h"

#include <utility>

#include "activities/connectors/openai/classify.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace openai {
namespace {

constexpr char kOperation[] = "moderations.create";

}  // namespace

Moderator::Moderator(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)) {}

base::Task<base::Outcome<std::vector<ModerationFlag>>> Moderator::Check(
    std::vector<std::string> texts, outbound::CallContext context) {
  outbound::HttpRequest http =
      wire::JsonRequest("POST", wire::JoinUrl(options_.base_url, "/moderations"),
                        {{"model", options_.model}, {"input", texts}}, kOperation);
  if (!options_.api_key.empty()) {
    http.headers.emplace_back("Authorization", wire::Cat("Bearer ", options_.api_key.value()));
  }
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(OpenAiVendor(), http, std::move(context));
  if (!response.ok()) co_return response.failure();
  base::Outcome<wire::Json> answer = wire::BodyOf("openai", http, *response);
  if (!answer.ok()) co_return answer.failure();
  const wire::Json& results = wire::At(*answer, "results");
  // An answer that does not speak of every text says nothing of some.
  if (!results.is_array() || results.size() != texts.size()) {
    co_return wire::Malformed("openai", kOperation, false);
  }
  std::vector<ModerationFlag> flags;
  for (size_t i = 0; i < results.size(); ++i) {
    if (!wire::BoolAt(results[i], "flagged")) continue;
    const wire::Json& scores = wire::At(results[i], "category_scores");
    const size_t before = flags.size();
    for (const auto& [category, flagged] : wire::At(results[i], "categories").items()) {
      if (!flagged.is_boolean() || !flagged.get<bool>()) continue;
      const wire::Json& score = wire::At(scores, category);
      flags.push_back({i, category, score.is_number() ? score.get<double>() : 0});
    }
    if (flags.size() == before) flags.push_back({i, "flagged", 0});
  }
  co_return flags;
}

}  // namespace openai
