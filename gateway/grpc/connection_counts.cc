#include "gateway/grpc/connection_counts.h"

#include "gateway/auth/call_limits.h"

namespace gateway {

ConnectionCounts::Lease ConnectionCounts::Take(const std::string& address) {
  std::string key = auth::AddressGroup(address);
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
