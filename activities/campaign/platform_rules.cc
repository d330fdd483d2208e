#include "activities/campaign/platform_rules.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "activities/campaign/names.h"

namespace campaign {
namespace {

constexpr char kEllipsis[] = "…";

// The code point at `i`, which moves on; a byte that is not UTF-8 counts as one.
uint32_t NextCodePoint(absl::string_view text, size_t* i) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(*i);
  const size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;
  if (length == 1 || *i + length > text.size()) return byte((*i)++);
  uint32_t code = first & (0xFF >> (length + 1));
  for (size_t k = 1; k < length; ++k) code = code << 6 | (byte(*i + k) & 0x3F);
  *i += length;
  return code;
}

// twitter-text's ranges of weight one; all else is two.
size_t Weight(uint32_t code) {
  const bool one = code <= 4351 || (code >= 8192 && code <= 8205) ||
                   (code >= 8208 && code <= 8223) || (code >= 8242 && code <= 8247);
  return one ? 1 : 2;
}

size_t LengthOfWord(const PlatformRules& rules, absl::string_view word) {
  const bool url = absl::StartsWith(word, "https://") || absl::StartsWith(word, "http://");
  if (url && rules.url_length > 0) return rules.url_length;
  size_t length = 0;
  for (size_t i = 0; i < word.size();) {
    const uint32_t code = NextCodePoint(word, &i);
    switch (rules.counting) {
      case Counting::kCharacters:
        length += 1;
        break;
      case Counting::kUtf16:
        length += code > 0xFFFF ? 2 : 1;
        break;
      case Counting::kWeighted:
        length += Weight(code);
        break;
    }
  }
  return length;
}

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// "#" before a word, at the start or after white space.
bool IsHashtag(absl::string_view text, size_t i) {
  return text[i] == '#' && i + 1 < text.size() && !IsSpace(text[i + 1]) && text[i + 1] != '#' &&
         (i == 0 || IsSpace(text[i - 1]));
}

std::string LimitHashtags(absl::string_view text, size_t hashtags_max) {
  std::string limited;
  size_t hashtags = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsHashtag(text, i) && ++hashtags > hashtags_max) continue;
    limited.push_back(text[i]);
  }
  return limited;
}

// The longest beginning of `text` that ends before a word and has at most `length` with "…".
std::string Cut(const PlatformRules& rules, absl::string_view text, size_t length) {
  const size_t ellipsis = LengthOfWord(rules, kEllipsis);
  size_t best = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!IsSpace(text[i]) || (i > 0 && IsSpace(text[i - 1]))) continue;
    if (PostLength(rules, text.substr(0, i)) + ellipsis > length) break;
    best = i;
  }
  if (best > 0) return absl::StrCat(text.substr(0, best), kEllipsis);
  // One word that is too long: cut inside it.
  size_t end = 0;
  for (size_t i = 0; i < text.size();) {
    size_t next = i;
    NextCodePoint(text, &next);
    if (PostLength(rules, text.substr(0, next)) + ellipsis > length) break;
    i = end = next;
  }
  return end == 0 ? "" : absl::StrCat(text.substr(0, end), kEllipsis);
}

}  // namespace

const std::vector<PlatformRules>& AllPlatformRules() {
  static const auto* const kRules = new std::vector<PlatformRules>{
      {"twitter", 280, Counting::kWeighted, 23, 2},
      {"linkedin", 3000, Counting::kUtf16, 0, 5},
      {"facebook", 5000, Counting::kCharacters, 0, 5},
      {"instagram", 2200, Counting::kUtf16, 0, 30},
      {"threads", 500, Counting::kCharacters, 0, 1},
      {"mastodon", 500, Counting::kCharacters, 23, 5},
      {"bluesky", 300, Counting::kCharacters, 0, 5},
      {"tiktok", 2200, Counting::kUtf16, 0, 5},
      {"pinterest", 500, Counting::kCharacters, 0, 5},
      {"googlebusiness", 1500, Counting::kCharacters, 0, 3},
      {"reddit", 300, Counting::kCharacters, 0, 0},
  };
  return *kRules;
}

const PlatformRules& RulesOf(absl::string_view service) {
  for (const PlatformRules& rules : AllPlatformRules()) {
    if (rules.service == service) return rules;
  }
  return AllPlatformRules().front();
}

size_t PostLength(const PlatformRules& rules, absl::string_view text) {
  size_t length = 0;
  for (size_t i = 0; i < text.size();) {
    if (IsSpace(text[i])) {
      ++length;
      ++i;
      continue;
    }
    size_t end = i;
    while (end < text.size() && !IsSpace(text[end])) ++end;
    length += LengthOfWord(rules, text.substr(i, end - i));
    i = end;
  }
  return length;
}

std::string FitPost(const PlatformRules& rules, absl::string_view post, absl::string_view link,
                    size_t length_max) {
  const size_t limit = length_max == 0 ? rules.length_max : std::min(length_max, rules.length_max);
  const std::string clean = LimitHashtags(CleanText(post, 10'000), rules.hashtags_max);
  const std::string end = link.empty() ? "" : absl::StrCat("\n\n", link);
  if (PostLength(rules, clean + end) <= limit) return clean + end;
  const size_t of_end = PostLength(rules, end);
  const std::string cut = of_end < limit ? Cut(rules, clean, limit - of_end) : "";
  return cut.empty() ? std::string(link) : cut + end;
}

std::string EscapeLinkedIn(absl::string_view text) {
  constexpr absl::string_view kReserved = "\\|{}@[]()<>#*_~";
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsHashtag(text, i)) {
      size_t end = i + 1;
      while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) ||
                                   static_cast<unsigned char>(text[end]) >= 0x80)) {
        ++end;
      }
      if (end > i + 1) {
        absl::StrAppend(&escaped, "{hashtag|\\#|", text.substr(i + 1, end - i - 1), "}");
        i = end - 1;
        continue;
      }
    }
    if (absl::StrContains(kReserved, text[i])) escaped.push_back('\\');
    escaped.push_back(text[i]);
  }
  return escaped;
}

SocialChannel ParseSocialChannel(absl::string_view line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  SocialChannel channel;
  if (!words.empty()) channel.id = words[0];
  if (words.size() > 1) channel.service = words[1] == "x" ? "twitter" : words[1];
  return channel;
}

std::string SocialChannelProblem(absl::string_view line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  const auto& all = AllPlatformRules();
  const bool known = words.size() == 2 && std::any_of(all.begin(), all.end(), [&](const auto& r) {
                       return r.service == ParseSocialChannel(line).service;
                     });
  if (known) return "";
  return absl::StrCat("must be CHANNEL_ID SERVICE, with one of the services x, ",
                      absl::StrJoin(all, ", ", [](std::string* out, const PlatformRules& rules) {
                        absl::StrAppend(out, rules.service);
                      }));
}

}  // namespace campaign
