#include "gateway/server/schema.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "activities/outbound/rate_limits.h"
#include "gateway/server/address.h"

namespace server {
namespace {

// Levenshtein distance (one row of the usual table).
size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

absl::string_view LastPart(absl::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == absl::string_view::npos ? path : path.substr(dot + 1);
}

absl::string_view Parent(absl::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == absl::string_view::npos ? absl::string_view() : path.substr(0, dot);
}

std::string UrlProblem(absl::string_view text) {
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, "http://") && !absl::ConsumePrefix(&rest, "https://")) {
    return "must be an http:// or https:// URL";
  }
  const absl::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.empty()) return "has no host";
  if (host.find('@') != absl::string_view::npos) return "must not hold a user name or password";
  if (text.find_first_of(" \t\r\n\"<>") != absl::string_view::npos) return "holds a blank or quote";
  return "";
}

template <typename T>
void BindInteger(Key& key, T* value, T min, T max) {
  key.parse = [value, min, max](absl::string_view text) -> std::string {
    int64_t parsed = 0;
    if (!absl::SimpleAtoi(text, &parsed)) return "must be an integer";
    if (parsed < static_cast<int64_t>(min) || parsed > static_cast<int64_t>(max)) {
      return absl::StrCat("must be ", min, " to ", max);
    }
    *value = static_cast<T>(parsed);
    return "";
  };
  key.values = [value] { return std::vector<std::string>{absl::StrCat(*value)}; };
}

std::string DurationText(absl::Duration value) { return absl::FormatDuration(value); }

}  // namespace

Key& Schema::Add(std::string path, std::string type, std::string help) {
  keys_.push_back({.path = std::move(path), .type = std::move(type), .help = std::move(help)});
  return keys_.back();
}

void Schema::Section(std::string path, std::string help) {
  sections_.emplace_back(std::move(path), std::move(help));
}

void Schema::Text(std::string path, std::string* value, std::string help, std::string environment) {
  Key& key = Add(std::move(path), "text", std::move(help));
  key.environment = std::move(environment);
  key.parse = [value](absl::string_view text) {
    *value = std::string(text);
    return std::string();
  };
  key.values = [value] { return std::vector<std::string>{*value}; };
}

void Schema::Secret(std::string path, base::Secret* value, std::string environment,
                    std::string help, bool blanks) {
  Key& key = Add(std::move(path), "secret", std::move(help));
  key.environment = std::move(environment);
  key.secret = true;
  key.handle = value;
  key.blanks = blanks;
  key.parse = [value, blanks](absl::string_view text) -> std::string {
    if (!blanks && text.find_first_of(" \t\r\n") != absl::string_view::npos) {
      return "must not hold blanks or line ends";
    }
    *value = base::Secret(std::string(text));
    return "";
  };
  key.values = [value] { return std::vector<std::string>{value->value()}; };
}

void Schema::Url(std::string path, std::string* value, std::string help, std::string environment,
                 bool optional) {
  Text(std::move(path), value, std::move(help), std::move(environment));
  Key& key = keys_.back();
  key.type = optional ? "URL or empty" : "URL";
  key.parse = [value, optional](absl::string_view text) -> std::string {
    if (!(optional && text.empty())) {
      if (std::string problem = UrlProblem(text); !problem.empty()) return problem;
    }
    while (absl::EndsWith(text, "/")) text.remove_suffix(1);  // paths are appended
    *value = std::string(text);
    return "";
  };
}

void Schema::RateLimits(std::string path, std::string* value, std::string help) {
  Text(std::move(path), value, std::move(help));
  Key& key = keys_.back();
  key.type = "list of limits";
  key.parse = [value](absl::string_view text) -> std::string {
    if (absl::Status status = outbound::ParseRateLimits(text).status(); !status.ok()) {
      return absl::StrCat("is wrong: ", status.message());
    }
    *value = std::string(text);
    return "";
  };
}

void Schema::ListenAddress(std::string path, std::string* value, std::string help) {
  Text(std::move(path), value, std::move(help));
  Key& key = keys_.back();
  key.type = "address:port";
  key.parse = [value](absl::string_view text) -> std::string {
    if (!ParseAddress(text).has_value()) {
      return "must be ADDRESS:PORT, for example 127.0.0.1:8080 or [::1]:8080";
    }
    *value = std::string(text);
    return "";
  };
}

void Schema::OneOf(std::string path, std::string* value, std::vector<std::string> words,
                   std::string help) {
  Text(std::move(path), value, std::move(help));
  Key& key = keys_.back();
  key.type = absl::StrJoin(words, " | ");
  key.parse = [value, words](absl::string_view text) -> std::string {
    if (std::find(words.begin(), words.end(), text) == words.end()) {
      return absl::StrCat("must be one of ", absl::StrJoin(words, ", "));
    }
    *value = std::string(text);
    return "";
  };
}

void Schema::Email(std::string path, std::string* value, std::string help) {
  Text(std::move(path), value, std::move(help));
  Key& key = keys_.back();
  key.type = "e-mail address or empty";
  key.parse = [value](absl::string_view text) -> std::string {
    if (text.empty()) {
      value->clear();
      return "";
    }
    const size_t at = text.find('@');
    if (at == 0 || at == absl::string_view::npos || at + 1 == text.size() ||
        text.find_first_of(" ,;<>\"") != absl::string_view::npos) {
      return "must be an e-mail address";
    }
    *value = std::string(text);
    return "";
  };
}

void Schema::Integer(std::string path, int* value, int min, int max, std::string help) {
  BindInteger(Add(std::move(path), absl::StrCat("integer, ", min, " to ", max), std::move(help)),
              value, min, max);
}

void Schema::Size(std::string path, size_t* value, size_t min, size_t max, std::string help) {
  BindInteger(Add(std::move(path), absl::StrCat("integer, ", min, " to ", max), std::move(help)),
              value, min, max);
}

void Schema::Number(std::string path, double* value, double min, double max, std::string help) {
  Key& key = Add(std::move(path), absl::StrCat("number, ", min, " to ", max), std::move(help));
  key.parse = [value, min, max](absl::string_view text) -> std::string {
    double parsed = 0;
    if (!absl::SimpleAtod(text, &parsed) || !std::isfinite(parsed)) return "must be a number";
    if (parsed < min || parsed > max) return absl::StrCat("must be ", min, " to ", max);
    *value = parsed;
    return "";
  };
  key.values = [value] { return std::vector<std::string>{absl::StrCat(*value)}; };
}

void Schema::Boolean(std::string path, bool* value, std::string help) {
  Key& key = Add(std::move(path), "true | false", std::move(help));
  key.parse = [value](absl::string_view text) -> std::string {
    if (text != "true" && text != "false") return "must be true or false";
    *value = text == "true";
    return "";
  };
  key.values = [value] { return std::vector<std::string>{*value ? "true" : "false"}; };
}

void Schema::Duration(std::string path, absl::Duration* value, absl::Duration min,
                      absl::Duration max, std::string help) {
  Key& key =
      Add(std::move(path), absl::StrCat("duration, ", DurationText(min), " to ", DurationText(max)),
          std::move(help));
  key.parse = [value, min, max](absl::string_view text) -> std::string {
    absl::Duration parsed;
    if (!absl::ParseDuration(text, &parsed)) {
      return "must be a duration with its unit, for example 500ms, 30s, 15m or 1h30m";
    }
    if (parsed < min || parsed > max) {
      return absl::StrCat("must be ", DurationText(min), " to ", DurationText(max));
    }
    *value = parsed;
    return "";
  };
  key.values = [value] { return std::vector<std::string>{DurationText(*value)}; };
}

void Schema::TextList(std::string path, std::vector<std::string>* value, std::string help) {
  Key& key = Add(std::move(path), "list of texts", std::move(help));
  key.kind = KeyKind::kList;
  key.parse = [value](absl::string_view text) -> std::string {
    if (text.empty()) return "must not hold an empty element";
    value->emplace_back(text);
    return "";
  };
  key.clear = [value] { value->clear(); };
  key.values = [value] { return *value; };
}

Key* Schema::Find(absl::string_view path) {
  for (Key& key : keys_) {
    if (key.path == path) return &key;
  }
  return nullptr;
}

bool Schema::IsSection(absl::string_view path) const {
  const std::string prefix = absl::StrCat(path, ".");
  return std::any_of(keys_.begin(), keys_.end(),
                     [&](const Key& key) { return absl::StartsWith(key.path, prefix); });
}

std::string Schema::Nearest(absl::string_view path) const {
  std::string best;
  size_t best_score = path.size();
  // Candidates: every key and every section above one.
  for (const Key& key : keys_) {
    for (absl::string_view known = key.path; !known.empty(); known = Parent(known)) {
      const bool same_place = Parent(known) == Parent(path);
      const size_t last = Distance(LastPart(known), LastPart(path));
      if (last > std::max<size_t>(2, LastPart(path).size() / 3)) continue;
      const size_t score = 2 * last + (same_place ? 0 : 1 + Distance(Parent(known), Parent(path)));
      if (best.empty() || score < best_score) {
        best = std::string(known);
        best_score = score;
      }
    }
  }
  return best;
}

}  // namespace server
