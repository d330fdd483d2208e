#include "activities/outbound/address_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace outbound {
namespace {

struct Net4 {
  uint32_t network;
  int bits;
};
constexpr uint32_t Ip(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
// RFC 6890, RFC 5735, RFC 6598, RFC 5737, RFC 2544, RFC 7526 (the 6to4 relay).
constexpr Net4 kNotPublic[] = {
    {Ip(0, 0, 0, 0), 8},      {Ip(10, 0, 0, 0), 8},     {Ip(100, 64, 0, 0), 10},
    {Ip(127, 0, 0, 0), 8},    {Ip(169, 254, 0, 0), 16}, {Ip(172, 16, 0, 0), 12},
    {Ip(192, 0, 0, 0), 24},   {Ip(192, 0, 2, 0), 24},   {Ip(192, 88, 99, 0), 24},
    {Ip(192, 168, 0, 0), 16}, {Ip(198, 18, 0, 0), 15},  {Ip(198, 51, 100, 0), 24},
    {Ip(203, 0, 113, 0), 24}, {Ip(224, 0, 0, 0), 4},    {Ip(240, 0, 0, 0), 4}};

bool IsPublic4(uint32_t address) {
  for (const Net4& net : kNotPublic) {
    const uint32_t mask = ~uint32_t{0} << (32 - net.bits);
    if ((address & mask) == net.network) return false;
  }
  return true;
}

using Bytes = std::array<uint8_t, 16>;

bool StartsWith(const Bytes& address, std::initializer_list<uint8_t> prefix) {
  size_t i = 0;
  for (const uint8_t byte : prefix) {
    if (address[i++] != byte) return false;
  }
  return true;
}

uint32_t Embedded4(const Bytes& address, size_t at) {
  return Ip(address[at], address[at + 1], address[at + 2], address[at + 3]);
}

bool IsPublic6(const Bytes& a) {
  // IPv4-mapped ::ffff:0:0/96, and the obsolete compatible form ::/96.
  const bool zeros = StartsWith(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  if (zeros && a[10] == 0xff && a[11] == 0xff) return IsPublic4(Embedded4(a, 12));
  if (zeros) return false;
  // NAT64 64:ff9b::/96 carries the address in its end; 64:ff9b:1::/48 is of local use.
  if (StartsWith(a, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return IsPublic4(Embedded4(a, 12));
  }
  // Only global unicast 2000::/3 is public.
  if ((a[0] & 0xe0) != 0x20) return false;
  if (StartsWith(a, {0x20, 0x02})) return IsPublic4(Embedded4(a, 2));  // 6to4
  // 2001::/23: Teredo, ORCHID, benchmarking and others of the IETF.
  if (a[0] == 0x20 && a[1] == 0x01 && (a[2] & 0xfe) == 0) return false;
  if (StartsWith(a, {0x20, 0x01, 0x0d, 0xb8})) return false;            // documentation
  if (StartsWith(a, {0x3f, 0xff}) && (a[2] & 0xf0) == 0) return false;  // documentation, RFC 9637
  return true;
}

}  // namespace

bool IsPublicAddress(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, address, sizeof four);
    return IsPublic4(ntohl(four.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, address, sizeof six);
    Bytes bytes;
    std::memcpy(bytes.data(), six.sin6_addr.s6_addr, bytes.size());
    return IsPublic6(bytes);
  }
  return false;
}

bool IsPublicAddress(const std::string& address) {
  in_addr four;
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) return IsPublic4(ntohl(four.s_addr));
  in6_addr six;
  if (inet_pton(AF_INET6, address.c_str(), &six) != 1) return false;
  Bytes bytes;
  std::memcpy(bytes.data(), six.s6_addr, bytes.size());
  return IsPublic6(bytes);
}

}  // namespace outbound
