// Listen addresses: "127.0.0.1:8080", "[::1]:7233", "localhost:0", ":8080" (all interfaces).
// Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace server {

struct Address {
  std::string host;  // without brackets
  uint16_t port = 0;
};

// Empty when `text` is no address with a port.
std::optional<Address> ParseAddress(absl::string_view text);

// "host:port" as a client would connect: wildcard hosts become the loopback address.
std::string ConnectText(const Address& address);

// Whether only this machine can reach it.
bool IsLoopback(const Address& address);

}  // namespace server
