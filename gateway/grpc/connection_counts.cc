#include "gateway/grpc/connection_counts.h"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace gateway {

namespace {

// Whoever has one IPv6 address has the 2^64 of its network.
std::string Key(const std::string& address) {
  in6_addr v6{};
  if (inet_pton(AF_INET6, address.c_str(), &v6) != 1) return address;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    char text[INET_ADDRSTRLEN];
    return inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof text) == nullptr ? address : text;
  }
  return std::string(reinterpret_cast<const char*>(v6.s6_addr), 8);
}

}  // namespace

ConnectionCounts::Lease ConnectionCounts::Take(const std::string& address) {
  std::string key = Key(address);
  absl::MutexLock lock(&mu_);
  const int total = ++total_;
  const int here = ++by_address_[key];
  const Refusal refusal = total > options_.max              ? Refusal::kAll
                          : here > options_.per_address_max ? Refusal::kAddress
                                                            : Refusal::kNone;
  return Lease(this, std::move(key), refusal);
}

void ConnectionCounts::GiveBack(const std::string& key) {
  absl::MutexLock lock(&mu_);
  --total_;
  const auto found = by_address_.find(key);
  if (--found->second == 0) by_address_.erase(found);
}

int ConnectionCounts::total() const {
  absl::MutexLock lock(&mu_);
  return total_;
}

}  // namespace gateway
