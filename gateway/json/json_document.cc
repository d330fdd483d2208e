#include "gateway/json/json_document.h"

#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace gateway {

namespace {

// The parser stops at a number that is too large. So that all faults of a text are found, each
// becomes a null of the same length; which nulls those are is kept.
struct Prepared {
  std::string text;        // empty: the text is good as it is
  std::set<size_t> nulls;  // of all nulls in the text, from 0
};

bool IsTooLarge(absl::string_view number) {
  if (number.find_first_of("eE") == number.npos && number.size() <= 300) return false;
  double value = 0;
  return absl::SimpleAtod(number, &value) && std::isinf(value);
}

Prepared Prepare(absl::string_view text) {
  Prepared prepared;
  size_t nulls = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\' ? 1 : 0;
    } else if (c == 'n') {
      ++nulls;
    } else if (c == '-' || absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      const size_t end = std::min(text.size(), text.find_first_not_of("0123456789+-.eE", i));
      if (IsTooLarge(text.substr(i, end - i))) {
        if (prepared.text.empty()) prepared.text = std::string(text);
        std::string null = "null";
        null.resize(end - i, ' ');
        prepared.text.replace(i, end - i, null);
        prepared.nulls.insert(nulls++);
      }
      i = end - 1;
    }
  }
  return prepared;
}

class Builder : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(const std::set<size_t>& too_large) : too_large_(too_large) {}

  bool null() override {
    return Put(too_large_.contains(nulls_++) ? Json(Json::value_t::discarded) : Json());
  }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(number_integer_t value) override { return Put(value); }
  bool number_unsigned(number_unsigned_t value) override { return Put(value); }
  bool number_float(number_float_t value, const string_t&) override { return Put(value); }
  bool string(string_t& value) override { return Put(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not in a text
  bool start_object(size_t) override { return Open(Json::object()); }
  bool key(string_t& name) override {
    // Other than emplace this looks for no item of that name.
    Object().emplace_back(std::move(name), Json());
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(Json::array()); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t byte, const std::string&, const nlohmann::detail::exception& e) override {
    error_byte = byte;
    error = e.what();
    return false;
  }

  Json root;
  size_t error_byte = 0;
  std::string error;

 private:
  Json::object_t& Object() { return open_.back()->get_ref<Json::object_t&>(); }

  Json* Add(Json value) {
    if (open_.empty()) return &(root = std::move(value));
    if (open_.back()->is_object()) return &(Object().back().second = std::move(value));
    auto& list = open_.back()->get_ref<Json::array_t&>();
    list.push_back(std::move(value));
    return &list.back();
  }
  bool Put(Json value) {
    Add(std::move(value));
    return true;
  }
  // A value's address holds while it is open: nothing is added beside it.
  bool Open(Json value) {
    open_.push_back(Add(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  const std::set<size_t>& too_large_;
  size_t nulls_ = 0;
  std::vector<Json*> open_;
};

absl::Status Malformed(absl::string_view text, size_t byte, absl::string_view what) {
  if (absl::StripAsciiWhitespace(text).empty()) {
    return absl::InvalidArgumentError("malformed JSON: the text is empty");
  }
  size_t line = 1;
  size_t column = 1;
  for (size_t i = 0; i + 1 < byte && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ..."
  if (const size_t at = what.find(": "); at != absl::string_view::npos) what.remove_prefix(at + 2);
  return absl::InvalidArgumentError(
      absl::StrCat("malformed JSON at line ", line, ", column ", column, ": ", std::string(what)));
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text) {
  const Prepared prepared = Prepare(text);
  const absl::string_view parsed = prepared.text.empty() ? text : prepared.text;
  Builder builder(prepared.nulls);
  if (!Json::sax_parse(parsed.begin(), parsed.end(), &builder)) {
    return Malformed(text, builder.error_byte, builder.error);
  }
  return std::move(builder.root);
}

}  // namespace gateway
