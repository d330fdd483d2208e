#include "activities/connectors/openai/prices.h"

#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "activities/connectors/wire/text.h"

namespace openai {
namespace {

constexpr double kTokensPriced = 1e6;
constexpr double kPriceMax = 1e4;

bool ReadPrice(absl::string_view text, double* price) {
  return absl::SimpleAtod(text, price) && std::isfinite(*price) && *price >= 0 &&
         *price <= kPriceMax;
}

}  // namespace

absl::StatusOr<Prices> Prices::Parse(const std::vector<std::string>& lines) {
  Prices prices;
  std::vector<std::string> faults;
  for (const std::string& line : lines) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    Price price;
    if (words.size() != 3 || !ReadPrice(words[1], &price.prompt_usd) ||
        !ReadPrice(words[2], &price.completion_usd)) {
      faults.push_back(wire::Cat("\"", line,
                                 "\": must be MODEL PROMPT_USD COMPLETION_USD, prices of a million "
                                 "tokens from 0 to ",
                                 static_cast<int>(kPriceMax), ", as in \"gpt-4o-mini 0.15 0.60\""));
      continue;
    }
    prices.by_model_[words[0]] = price;
  }
  if (!faults.empty()) return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
  return prices;
}

Price Prices::Of(std::string_view model) const {
  const Price* found = nullptr;
  size_t length = 0;
  for (const auto& [name, price] : by_model_) {
    if (name.size() >= length && model.starts_with(name)) {
      found = &price;
      length = name.size();
    }
  }
  if (found != nullptr) return *found;
  const auto other = by_model_.find("*");
  return other == by_model_.end() ? Price{} : other->second;
}

double Prices::Cost(std::string_view model, int64_t prompt_tokens,
                    int64_t completion_tokens) const {
  const Price price = Of(model);
  return (static_cast<double>(prompt_tokens) * price.prompt_usd +
          static_cast<double>(completion_tokens) * price.completion_usd) /
         kTokensPriced;
}

int64_t TokensAtMost(size_t bytes) { return static_cast<int64_t>(bytes / 2 + 16); }

}  // namespace openai
