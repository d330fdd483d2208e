// Text on the wire: joining, URLs, and cutting UTF-8 without breaking a character.
// Thread-safety: free functions on values.
//
// Example:
//   url = wire::JoinUrl(base_url, "/v1/files/" + wire::PercentEncode(file_key));
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace wire {

// Joins texts and integers. (Abseil's StrCat does not know std::string_view in this build.)
template <typename... Parts>
std::string Cat(const Parts&... parts) {
  std::string text;
  const auto add = [&text](const auto& part) {
    if constexpr (std::is_integral_v<std::decay_t<decltype(part)>>) {
      text += std::to_string(part);
    } else {
      text += std::string_view(part);
    }
  };
  (add(parts), ...);
  return text;
}

// RFC 3986 section 2.1: everything but unreserved characters becomes %XX, "/" as well.
std::string PercentEncode(std::string_view text);
// `base` without its trailing slashes, then `path` (which starts with "/").
std::string JoinUrl(std::string_view base, std::string_view path);
// "https://host:1234/sub/x" -> "https://host:1234"; the text itself when it is no URL.
std::string_view OriginOf(std::string_view url);
// "https://host:1234/sub/" -> "/sub"; "" when there is no path.
std::string_view PathOf(std::string_view url);

// At most `bytes_max` bytes of `text`, ending at a character; "..." marks a cut.
std::string Truncate(std::string_view text, size_t bytes_max);

// The lower-case words of `text` (letters, digits and non-ASCII bytes), each once, at most
// `words_max`.
// "Launch: the Launch, 2026" -> "launch", "the", "2026".
std::vector<std::string> Words(std::string_view text, size_t words_max);

}  // namespace wire
