#include "orchestrator/filter/tokens.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"

namespace filter {
namespace {

bool IsWordCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-' ||
         c == '+' || c == '/' || c == '@' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

class Tokenizer {
 public:
  explicit Tokenizer(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    while (true) {
      while (at_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) {
        ++at_;
      }
      Token token{.place = at_ + 1};
      if (at_ == text_.size()) {
        tokens.push_back(std::move(token));
        return tokens;
      }
      RETURN_IF_ERROR(Next(token));
      tokens.push_back(std::move(token));
    }
  }

 private:
  absl::Status Next(Token& token) {
    const char c = text_[at_];
    if (c == '(' || c == ')') {
      token.kind = c == '(' ? Token::Kind::kOpen : Token::Kind::kClose;
      ++at_;
      return absl::OkStatus();
    }
    if (c == '"' || c == '\'') return Text(c, token);
    if (c == '=' || c == '!' || c == '<' || c == '>' || c == ':') return Operator(token);
    if (c == '-' && !StartsNumber()) {
      token.kind = Token::Kind::kMinus;
      ++at_;
      return absl::OkStatus();
    }
    if (IsWordCharacter(c) || c == '*') {
      Word(token);
      return absl::OkStatus();
    }
    return ErrorAt(token.place, absl::StrCat("unexpected \"", std::string(1, c), "\""));
  }

  // "-5" is a number after an operator, and "-status" a negation.
  bool StartsNumber() const {
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
    return absl::ascii_isdigit(static_cast<unsigned char>(next)) || next == '.';
  }

  absl::Status Operator(Token& token) {
    token.kind = Token::Kind::kOperator;
    token.text = std::string(1, text_[at_++]);
    if (token.text != ":" && at_ < text_.size() && text_[at_] == '=') {
      token.text += text_[at_++];
    }
    if (token.text == "==") return ErrorAt(token.place, "\"==\" is not an operator; use \"=\"");
    if (token.text == "!")
      return ErrorAt(token.place, "\"!\" is not an operator; use \"!=\" or NOT");
    return absl::OkStatus();
  }

  absl::Status Text(char quote, Token& token) {
    token.kind = Token::Kind::kText;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == quote) {
        ++at_;
        return absl::OkStatus();
      }
      token.star = false;
      if (c == '\\') {
        if (++at_ == text_.size()) break;
        token.text += text_[at_];
      } else if (c == '*' && at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        token.star = true;
      } else {
        token.text += c;
      }
    }
    return ErrorAt(token.place, "this text has no closing quote");
  }

  void Word(Token& token) {
    token.kind = Token::Kind::kWord;
    while (at_ < text_.size() && IsWordCharacter(text_[at_])) token.text += text_[at_++];
    // A time without quotes: 2026-11-01T00:00:00Z. Names have no digits before a colon.
    while (at_ < text_.size() && text_[at_] == ':' && !token.text.empty() &&
           absl::ascii_isdigit(static_cast<unsigned char>(token.text[0]))) {
      do token.text += text_[at_++];
      while (at_ < text_.size() && IsWordCharacter(text_[at_]));
    }
    if (at_ < text_.size() && text_[at_] == '*') {
      token.star = true;
      ++at_;
    }
  }

  const absl::string_view text_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<Token>> Tokenize(absl::string_view text) {
  return Tokenizer(text).Run();
}

absl::Status ErrorAt(size_t place, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("filter: ", what, " (at character ", place, ")"));
}

}  // namespace filter
