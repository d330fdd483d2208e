#include "activities/outbound/trace_context.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace outbound {
namespace {

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

bool IsValid(std::string_view text) {
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  if (!IsLowerHex(version) || version == "ff") return false;
  if (text.size() > 55 && (version == "00" || text[55] != '-')) return false;
  const std::string_view trace = text.substr(3, 32);
  const std::string_view span = text.substr(36, 16);
  return IsLowerHex(trace) && !IsZero(trace) && IsLowerHex(span) && !IsZero(span) &&
         IsLowerHex(text.substr(53, 2));
}

std::string FreshId(base::Random& random) {
  uint64_t value = 0;
  while (value == 0) value = random.Next();
  return absl::StrCat(absl::Hex(value, absl::kZeroPad16));
}

}  // namespace

std::string ChildTraceparent(std::string_view parent, base::Random& random) {
  if (IsValid(parent)) {
    return absl::StrCat("00-", std::string(parent.substr(3, 32)), "-", FreshId(random), "-",
                        std::string(parent.substr(53, 2)));
  }
  const std::string high = FreshId(random);
  const std::string low = FreshId(random);
  return absl::StrCat("00-", high, low, "-", FreshId(random), "-01");
}

std::string TraceId(std::string_view traceparent) {
  return IsValid(traceparent) ? std::string(traceparent.substr(3, 32)) : std::string();
}

}  // namespace outbound
