#include "gateway/server/address.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace server {

std::optional<Address> ParseAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  absl::string_view host = text.substr(0, colon);
  const absl::string_view digits = text.substr(colon + 1);
  if (absl::StartsWith(host, "[")) {
    if (!absl::EndsWith(host, "]")) return std::nullopt;
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == absl::string_view::npos) return std::nullopt;
  } else if (host.find(':') != absl::string_view::npos) {
    return std::nullopt;  // IPv6 needs brackets
  }
  if (host.find_first_of(" \t/@") != absl::string_view::npos) return std::nullopt;
  int port = 0;
  if (digits.empty() || digits.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(digits, &port) || port > 65535) {
    return std::nullopt;
  }
  Address address;
  address.host = host.empty() ? "0.0.0.0" : std::string(host);
  if (address.host == "localhost") address.host = "127.0.0.1";
  address.port = static_cast<uint16_t>(port);
  return address;
}

std::string ConnectText(const Address& address) {
  std::string host = address.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = absl::StrCat("[", host, "]");
  return absl::StrCat(host, ":", address.port);
}

bool IsLoopback(const Address& address) {
  // An address, not a name that begins like one.
  const bool numeric = address.host.find_first_not_of("0123456789.") == std::string::npos;
  return (numeric && absl::StartsWith(address.host, "127.")) || address.host == "::1";
}

}  // namespace server
