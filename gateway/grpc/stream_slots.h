// StreamSlots: how many event streams are open, in all and for each caller. A caller is its proven
// identity, else its address (auth::AddressGroup). Thread-safe; slots may outlive the object.
//
// Example:
//   ASSIGN_OR_RETURN(StreamSlots::Slot slot, slots.Take(call));
#pragma once

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gateway/grpc/call_info.h"

namespace gateway {

class StreamSlots {
 public:
  struct Options {
    int max = 10'000;
    int per_caller_max = 1'000;
  };
  // Open until the last copy is gone.
  using Slot = std::shared_ptr<void>;

  StreamSlots() : StreamSlots(Options()) {}
  explicit StreamSlots(Options options) : options_(options) {}

  // RESOURCE_EXHAUSTED names the limit that is reached.
  absl::StatusOr<Slot> Take(const CallInfo& call);
  int open() const;

 private:
  struct State {
    absl::Mutex mu;
    int total ABSL_GUARDED_BY(mu) = 0;
    absl::flat_hash_map<std::string, int> by_caller ABSL_GUARDED_BY(mu);
  };

  const Options options_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace gateway
