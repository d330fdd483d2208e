#include "activities/connectors/wire/text.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace wire {
namespace {

constexpr std::string_view kCutMark = "...";

bool IsUnreserved(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Where the path of `url` begins, or npos.
size_t PathStart(std::string_view url) {
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return std::string_view::npos;
  return url.find('/', scheme_end + 3);
}

}  // namespace

std::string PercentEncode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c)) {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.push_back('%');
    encoded.push_back(kHex[byte >> 4]);
    encoded.push_back(kHex[byte & 15]);
  }
  return encoded;
}

std::string JoinUrl(std::string_view base, std::string_view path) {
  while (!base.empty() && base.back() == '/') base.remove_suffix(1);
  return Cat(base, path);
}

std::string_view OriginOf(std::string_view url) { return url.substr(0, PathStart(url)); }

std::string_view PathOf(std::string_view url) {
  const size_t start = PathStart(url);
  if (start == std::string_view::npos) return "";
  std::string_view path = url.substr(start);
  path = path.substr(0, path.find_first_of("?#"));
  while (!path.empty() && path.back() == '/') path.remove_suffix(1);
  return path;
}

std::string Truncate(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t end = bytes_max > kCutMark.size() ? bytes_max - kCutMark.size() : 0;
  while (end > 0 && IsContinuationByte(text[end])) --end;
  return Cat(text.substr(0, end), kCutMark);
}

std::vector<std::string> Words(std::string_view text, size_t words_max) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty() && std::find(words.begin(), words.end(), word) == words.end()) {
      words.push_back(word);
    }
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || byte >= 0x80) {
      word.push_back(absl::ascii_tolower(byte));
    } else {
      finish();
    }
    if (words.size() >= words_max) return words;
  }
  finish();
  return words;
}

}  // namespace wire
