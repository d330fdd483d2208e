// What calls of language models cost, by the model's name. Constant after construction;
// thread-safe.
//
// Example:
//   absl::StatusOr<Prices> prices = Prices::Parse({"gpt-4o-mini 0.15 0.60", "* 5 15"});
//   double usd = prices->Cost("gpt-4o-mini", 1200, 400);
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace openai {

struct Price {
  double prompt_usd = 0;      // of a million tokens
  double completion_usd = 0;  // of a million tokens
};

class Prices {
 public:
  // Lines "MODEL PROMPT COMPLETION", in USD a million tokens; the model "*" stands for all that no
  // line names. INVALID_ARGUMENT names every wrong line.
  static absl::StatusOr<Prices> Parse(const std::vector<std::string>& lines);

  // A dated name ("gpt-4o-mini-2024-07-18") has the price of the longest name that it begins with.
  // Zero when neither that nor "*" is there: a model of one's own.
  Price Of(std::string_view model) const;
  double Cost(std::string_view model, int64_t prompt_tokens, int64_t completion_tokens) const;

 private:
  std::map<std::string, Price, std::less<>> by_model_;
};

// At least as many tokens as a text of so many bytes has, as a rule: a token has about four bytes
// in English, fewer in other languages.
int64_t TokensAtMost(size_t bytes);

}  // namespace openai
