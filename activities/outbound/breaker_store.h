// BreakerStore: what circuit breakers keep over restarts, and share when several processes call
// the same vendors: which are open, until when, and whose turn the probe is.
//
// Thread-safety: one thread at a time (Breakers calls it on the loop that it was given). Calls may
// block. Several stores may be open on the same data; a probe is given to one of them.
//
// Example:
//   ASSIGN_OR_RETURN(auto store, gateway::BreakerDatabase::Open(path));
//   RETURN_IF_ERROR(breakers.Share(*store, loop));
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace outbound {

// Times are of the wall clock.
struct StoredBreaker {
  std::string service;  // a vendor, or vendor@host
  bool open = false;
  std::string reason;
  absl::Time opened_at;
  absl::Time probe_at;
  int opened_in_a_row = 0;
  absl::Time changed_at;  // also the record's version
};

class BreakerStore {
 public:
  struct Probe {
    bool granted = false;
    std::optional<StoredBreaker> current;
  };

  virtual ~BreakerStore() = default;
  virtual absl::StatusOr<std::vector<StoredBreaker>> Load() = 0;
  // Replaces the service's record, and frees its probe. Forgets hosts that are gone and, beyond
  // kStoredHostsMax, those that changed longest ago.
  virtual absl::Status Save(const StoredBreaker& breaker) = 0;
  // Gives the probe to `owner` until `until`, unless another has it (and its time is not over),
  // the breaker is closed, or its record is no longer of `version`. A service without a record is
  // granted. `now` and `until` are at most kProbeTakenMax apart.
  virtual absl::StatusOr<Probe> TakeProbe(const std::string& service, absl::Time version,
                                          const std::string& owner, absl::Time now,
                                          absl::Time until) = 0;
};

inline constexpr absl::Duration kProbeTakenMax = absl::Minutes(10);
// Of all vendors together.
inline constexpr int kStoredHostsMax = 256;
// A host that nobody called for so long after its probe was due is gone: a port of a driver that
// has ended, a server of images whose address changed.
inline constexpr absl::Duration kHostGoneAfter = absl::Hours(24);

}  // namespace outbound
