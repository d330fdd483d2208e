// A secret that may be replaced while the process runs (a rotated token). A handle: copies share
// the value, so whoever holds one sends the newest. The log redacts it and its last values.
//
// Thread-safety: thread-safe.
//
// Example:
//   base::Secret token("xoxb-1");
//   slack::SlackClient slack(outbound, {.token = token});
//   token.Replace("xoxb-2");  // the next call of `slack` sends it
#pragma once

#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"

namespace base {

class Secret {
 public:
  Secret() : Secret(std::string()) {}
  Secret(std::string value);                                 // NOLINT: a token is a secret
  Secret(const char* value) : Secret(std::string(value)) {}  // NOLINT

  std::string value() const;
  bool empty() const { return value().empty(); }
  void Replace(std::string value) const;

 private:
  struct Shared {
    mutable absl::Mutex mu;
    std::string value ABSL_GUARDED_BY(mu);
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace base
