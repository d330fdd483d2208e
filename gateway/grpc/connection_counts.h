// ConnectionCounts: how many connections a server has, in all and from each address.
// Thread-safe; it outlives its leases.
//
// Example:
//   ConnectionCounts counts({.max = 10'000, .per_address_max = 1'000});
//   ConnectionCounts::Lease lease = counts.Take("192.0.2.7");
//   if (lease.refusal() == ConnectionCounts::Refusal::kAddress) ...
#pragma once

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace gateway {

class ConnectionCounts {
 public:
  struct Options {
    int max = 10'000;
    int per_address_max = 1'000;
  };
  enum class Refusal { kNone, kAll, kAddress };

  // Counts until it is let go of.
  class Lease {
   public:
    Lease() = default;
    Lease(ConnectionCounts* counts, std::string key, Refusal refusal)
        : counts_(counts), key_(std::move(key)), refusal_(refusal) {}
    Lease(Lease&& other) noexcept { *this = std::move(other); }
    Lease& operator=(Lease&& other) noexcept {
      Release();
      counts_ = std::exchange(other.counts_, nullptr);
      key_ = std::move(other.key_);
      refusal_ = other.refusal_;
      return *this;
    }
    ~Lease() { Release(); }
    // Idempotent.
    void Release() {
      if (ConnectionCounts* counts = std::exchange(counts_, nullptr)) counts->GiveBack(key_);
    }
    Refusal refusal() const { return refusal_; }

   private:
    ConnectionCounts* counts_ = nullptr;
    std::string key_;
    Refusal refusal_ = Refusal::kNone;
  };

  explicit ConnectionCounts(Options options) : options_(options) {}

  // `address`: "192.0.2.7" or "2001:db8::1"; of an IPv6 network of 64 bits all are one. A refused
  // connection counts too, while it is told so.
  Lease Take(const std::string& address);
  int total() const;

 private:
  void GiveBack(const std::string& key);

  const Options options_;
  mutable absl::Mutex mu_;
  int total_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<std::string, int> by_address_ ABSL_GUARDED_BY(mu_);
};

}  // namespace gateway
