#include "tests/sandbox/text.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace sandbox {
namespace {

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kHexDigits[] = "0123456789abcdef";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads `digits` decimal digits at `*at`; -1 when they are not all digits.
int ReadDigits(std::string_view text, size_t* at, int digits) {
  if (*at + digits > text.size()) return -1;
  int value = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = text[*at + i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  *at += digits;
  return value;
}

bool Take(std::string_view text, size_t* at, char c) {
  if (*at >= text.size() || text[*at] != c) return false;
  ++*at;
  return true;
}

std::string FormatUtc(int64_t ms, const char* format) {
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char buffer[64];
  const size_t length = std::strftime(buffer, sizeof(buffer), format, &parts);
  return std::string(buffer, length);
}

}  // namespace

int64_t SystemNowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t SystemNowMs() { return SystemNowUs() / 1000; }

std::string Sha1Hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha1(), nullptr);
  std::string out;
  out.reserve(length * 2);
  for (unsigned int i = 0; i < length; ++i) {
    out.push_back(kHexDigits[digest[i] >> 4]);
    out.push_back(kHexDigits[digest[i] & 15]);
  }
  return out;
}

uint64_t HashOf(std::string_view text) {
  uint64_t hash = 1469598103934665603ull;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ull;
  }
  // A last mix: FNV's low bits alone are poor for short, similar texts.
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdull;
  hash ^= hash >> 33;
  return hash;
}

std::string Hex(uint64_t value, int digits) {
  std::string out(digits, '0');
  for (int i = digits - 1; i >= 0; --i, value >>= 4) out[i] = kHexDigits[value & 15];
  return out;
}

std::string UuidOf(std::string_view seed) {
  std::string hex = Sha1Hex(seed).substr(0, 32);
  hex[12] = '4';
  hex[16] = "89ab"[HexValue(hex[16]) & 3];
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20, 12);
}

std::string Base64Encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = static_cast<unsigned char>(bytes[i]) << 16;
    if (i + 1 < bytes.size()) group |= static_cast<unsigned char>(bytes[i + 1]) << 8;
    if (i + 2 < bytes.size()) group |= static_cast<unsigned char>(bytes[i + 2]);
    out.push_back(kBase64[group >> 18]);
    out.push_back(kBase64[(group >> 12) & 63]);
    out.push_back(i + 1 < bytes.size() ? kBase64[(group >> 6) & 63] : '=');
    out.push_back(i + 2 < bytes.size() ? kBase64[group & 63] : '=');
  }
  return out;
}

std::optional<std::string> Base64Decode(std::string_view text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  bool padded = false;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      padded = true;
      continue;
    }
    const char* found = std::find(kBase64, kBase64 + 64, c);
    if (found == kBase64 + 64 || padded) return std::nullopt;
    bits = (bits << 6) | static_cast<uint32_t>(found - kBase64);
    if (++count % 4 != 1)
      out.push_back(static_cast<char>((bits >> ((4 - count % 4) % 4 * 2)) & 255));
  }
  if (count % 4 == 1) return std::nullopt;
  return out;
}

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
        HexValue(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2])));
      i += 2;
    } else if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      out += '%';
      out.push_back("0123456789ABCDEF"[byte >> 4]);
      out.push_back("0123456789ABCDEF"[byte & 15]);
    }
  }
  return out;
}

std::string IsoSeconds(int64_t ms) { return FormatUtc(ms, "%Y-%m-%dT%H:%M:%SZ"); }

std::string IsoMillis(int64_t ms) {
  char fraction[8];
  std::snprintf(fraction, sizeof(fraction), ".%03dZ", static_cast<int>(ms % 1000));
  return FormatUtc(ms, "%Y-%m-%dT%H:%M:%S") + fraction;
}

std::optional<int64_t> ParseIso(std::string_view text) {
  size_t at = 0;
  std::tm parts{};
  parts.tm_year = ReadDigits(text, &at, 4) - 1900;
  if (parts.tm_year < -1000 || !Take(text, &at, '-')) return std::nullopt;
  parts.tm_mon = ReadDigits(text, &at, 2) - 1;
  if (parts.tm_mon < 0 || parts.tm_mon > 11 || !Take(text, &at, '-')) return std::nullopt;
  parts.tm_mday = ReadDigits(text, &at, 2);
  if (parts.tm_mday < 1 || parts.tm_mday > 31) return std::nullopt;
  if (at == text.size()) return static_cast<int64_t>(timegm(&parts)) * 1000;
  if (!Take(text, &at, 'T') && !Take(text, &at, 't') && !Take(text, &at, ' ')) return std::nullopt;
  parts.tm_hour = ReadDigits(text, &at, 2);
  if (parts.tm_hour < 0 || parts.tm_hour > 23 || !Take(text, &at, ':')) return std::nullopt;
  parts.tm_min = ReadDigits(text, &at, 2);
  if (parts.tm_min < 0 || parts.tm_min > 59) return std::nullopt;
  if (Take(text, &at, ':')) {
    parts.tm_sec = ReadDigits(text, &at, 2);
    if (parts.tm_sec < 0 || parts.tm_sec > 60) return std::nullopt;
  }
  int64_t ms = 0;
  if (Take(text, &at, '.')) {
    int64_t scale = 100;
    const size_t start = at;
    for (; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])); ++at) {
      ms += (text[at] - '0') * scale;
      scale /= 10;
    }
    if (at == start) return std::nullopt;
  }
  int64_t offset_minutes = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    const int sign = text[at++] == '+' ? 1 : -1;
    const int hours = ReadDigits(text, &at, 2);
    Take(text, &at, ':');
    const int minutes = ReadDigits(text, &at, 2);
    if (hours < 0 || minutes < 0) return std::nullopt;
    offset_minutes = sign * (hours * 60 + minutes);
  } else if (at < text.size() && !Take(text, &at, 'Z') && !Take(text, &at, 'z')) {
    return std::nullopt;
  }
  if (at != text.size()) return std::nullopt;
  return (static_cast<int64_t>(timegm(&parts)) - offset_minutes * 60) * 1000 + ms;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string Trim(std::string_view text) {
  constexpr char kSpace[] = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kSpace) - first + 1));
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> out;
  size_t start = 0;
  while (true) {
    const size_t end = text.find(separator, start);
    out.emplace_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return out;
    start = end + 1;
  }
}

std::string Slug(std::string_view text) {
  std::string out;
  for (const std::string& word : Words(text)) out += (out.empty() ? "" : "-") + word;
  return out;
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

std::string HtmlEscape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string Clip(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

}  // namespace sandbox
