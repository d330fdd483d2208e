// The words of a filter: names, texts, numbers, operators and parentheses, with their places.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace filter {

struct Token {
  enum class Kind { kWord, kText, kOperator, kOpen, kClose, kMinus, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;   // of kText without quotes and escapes
  size_t place = 0;   // of its first character, from 1
  bool star = false;  // of kText and kWord: it ended with an unescaped "*", which is left out
};

// The last token is kEnd.
absl::StatusOr<std::vector<Token>> Tokenize(absl::string_view text);

// INVALID_ARGUMENT: "filter: <what> (at character <place>)".
absl::Status ErrorAt(size_t place, absl::string_view what);

}  // namespace filter
