// Small text, hash, encoding and time helpers shared by the vendors.
// Thread-safety: pure functions, safe from any thread.
//
// Example:
//   std::string sha = Sha1Hex("blob 0" + std::string(1, '\0'));   // git's empty blob
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

// Wall clock in milliseconds since 1970.
int64_t SystemNowMs();
int64_t SystemNowUs();

std::string Sha1Hex(std::string_view bytes);
// FNV-1a, 64 bit: stable over runs and machines, for generated ids and content.
uint64_t HashOf(std::string_view text);
std::string Hex(uint64_t value, int digits);
// A version-4-looking UUID that depends on `seed` alone.
std::string UuidOf(std::string_view seed);

std::string Base64Encode(std::string_view bytes);
// Ignores line breaks; nullopt when the text is not base64.
std::optional<std::string> Base64Decode(std::string_view text);

std::string PercentDecode(std::string_view text, bool plus_is_space);
std::string PercentEncode(std::string_view text);

// "2026-11-20T12:00:00Z" and "2026-11-20T12:00:00.123Z".
std::string IsoSeconds(int64_t ms);
std::string IsoMillis(int64_t ms);
// RFC 3339 date-time, also without an offset (taken as UTC) or a bare date; nullopt otherwise.
std::optional<int64_t> ParseIso(std::string_view text);

std::string Lower(std::string_view text);
std::string Upper(std::string_view text);
bool Contains(std::string_view text, std::string_view part);
std::string Trim(std::string_view text);
std::vector<std::string> Split(std::string_view text, char separator);
// "Spring Sale 2026!" -> "spring-sale-2026".
std::string Slug(std::string_view text);
// Lower-case words of letters and digits.
std::vector<std::string> Words(std::string_view text);
std::string HtmlEscape(std::string_view text);
// Cuts at most `bytes_max` bytes, never inside a UTF-8 character.
std::string Clip(std::string_view text, size_t bytes_max);

}  // namespace sandbox
