#include "gateway/openapi/comments.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace openapi {

std::string Sentences(absl::string_view comment) {
  std::string text;
  for (absl::string_view line : absl::StrSplit(comment, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    // A comment before the part ends before the one behind it begins.
    absl::StrAppend(&text, text.empty() ? "" : " ", line);
  }
  if (text.empty()) return text;
  // "workflow_id = ..." and the like stay as they are.
  const size_t word = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz'");
  const bool prose = word == std::string::npos || text[word] == ' ' || text[word] == ',' ||
                     text[word] == ':' || text[word] == ';' || text[word] == '-';
  if (prose) text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
  const char last = text.back();
  if (last != '.' && last != '?' && last != '!') text.push_back('.');
  return text;
}

std::string FirstSentence(absl::string_view text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const bool end = (text[i] == '.' || text[i] == ';' || text[i] == ':') && text[i + 1] == ' ';
    if (end) return std::string(text.substr(0, i));
  }
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  return std::string(text);
}

}  // namespace openapi
