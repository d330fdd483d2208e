// Which addresses are public: those that a request named by a user may reach. Private, loopback,
// link-local (metadata services), shared (CGNAT), multicast, reserved and documentation networks
// are not, nor are IPv6 forms that carry such an IPv4 address (mapped, compatible, 6to4, NAT64,
// Teredo). By the IANA special-purpose registries of RFC 6890.
//
// Pure; thread-safe.
//
// Example:
//   if (!outbound::IsPublicAddress("::ffff:10.0.0.1")) return Refuse();
#pragma once

#include <sys/socket.h>

#include <string>

namespace outbound {

// An IPv4 or IPv6 address in text form; false for anything else.
bool IsPublicAddress(const std::string& address);
// Of AF_INET or AF_INET6; false for other families.
bool IsPublicAddress(const sockaddr* address);

}  // namespace outbound
