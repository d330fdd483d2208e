#include "tests/sandbox/graphql.h"

#include <cctype>
#include <cstdlib>

namespace sandbox {
namespace {

constexpr int kDepthMax = 64;

bool IsNameChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

class Parser {
 public:
  Parser(std::string_view text, const Json& variables) : text_(text), variables_(variables) {}

  std::optional<std::vector<GraphQlField>> Parse() {
    // Skips "query Name($a: X = {..})": the operation's selection is the first '{' outside of
    // parentheses.
    Skip();
    while (at_ < text_.size() && text_[at_] != '{') {
      if (text_[at_] == '(') {
        SkipBalanced('(', ')');
      } else {
        ++at_;
      }
    }
    if (!Take('{')) return std::nullopt;
    std::vector<GraphQlField> fields;
    while (!failed_ && !Take('}')) {
      GraphQlField field;
      field.name = field.alias = Name();
      if (Take(':')) field.name = Name();
      if (Take('(')) {
        while (!failed_ && !Take(')')) {
          const std::string name = Name();
          if (!Take(':')) failed_ = true;
          field.arguments[name] = Value(0);
        }
      }
      while (Take('@')) {  // directives change nothing here
        Name();
        if (Peek() == '(') SkipBalanced('(', ')');
      }
      if (Peek() == '{') SkipBalanced('{', '}');
      fields.push_back(std::move(field));
    }
    if (failed_ || fields.empty()) return std::nullopt;
    return fields;
  }

 private:
  void Skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (std::isspace(static_cast<unsigned char>(c)) || c == ',') {
        ++at_;
      } else {
        return;
      }
    }
  }

  char Peek() {
    Skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }

  std::string Name() {
    Skip();
    const size_t start = at_;
    while (at_ < text_.size() && IsNameChar(text_[at_])) ++at_;
    if (at_ == start) failed_ = true;
    return std::string(text_.substr(start, at_ - start));
  }

  void SkipBalanced(char open, char close) {
    int depth = 0;
    do {
      const char c = Peek();
      if (c == '\0') {
        failed_ = true;
        return;
      }
      if (c == '"') {
        String();
        continue;
      }
      ++at_;
      if (c == open) ++depth;
      if (c == close) --depth;
    } while (depth > 0);
  }

  std::string String() {
    std::string out;
    ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        const char escaped = text_[++at_];
        out.push_back(escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped);
      } else {
        out.push_back(text_[at_]);
      }
      ++at_;
    }
    if (at_ >= text_.size()) failed_ = true;
    ++at_;
    return out;
  }

  Json Value(int depth) {
    const char c = Peek();
    if (depth > kDepthMax || c == '\0') {
      failed_ = true;
      return nullptr;
    }
    if (Take('$')) return Member(variables_, Name());
    if (c == '"') return String();
    if (Take('[')) {
      Json list = Json::array();
      while (!failed_ && !Take(']')) list.push_back(Value(depth + 1));
      return list;
    }
    if (Take('{')) {
      Json object = Json::object();
      while (!failed_ && !Take('}')) {
        const std::string name = Name();
        if (!Take(':')) failed_ = true;
        object[name] = Value(depth + 1);
      }
      return object;
    }
    if (c == '-' || std::isdigit(static_cast<unsigned char>(c))) return Number();
    std::string word = Name();
    if (word == "true" || word == "false") return word == "true";
    if (word == "null") return nullptr;
    return word;  // an enum value
  }

  Json Number() {
    const size_t start = at_;
    while (at_ < text_.size() && (IsNameChar(text_[at_]) || text_[at_] == '.' ||
                                  text_[at_] == '-' || text_[at_] == '+')) {
      ++at_;
    }
    Json number = Json::parse(text_.substr(start, at_ - start), nullptr, false);
    if (number.is_discarded()) failed_ = true;
    return number;
  }

  std::string_view text_;
  const Json& variables_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<std::vector<GraphQlField>> ParseGraphQl(std::string_view query,
                                                      const Json& variables) {
  return Parser(query, variables).Parse();
}

}  // namespace sandbox
