// KeySource: keys of tokens that are fetched from elsewhere (an issuer's JWKS address, a file) and
// fetched again: when they are old, and when a token names a key that is not among them, but not
// more often than once in a while. When a fetch fails, the keys that were fetched last go on being
// used.
//
// Thread-safety: thread-safe. A fetch may answer after the source is gone.
//
// Example:
//   KeySource source("https://issuer.example.com/jwks", fetch, {}, clock);
//   source.Refresh([] { ... });         // the first fetch
//   std::shared_ptr<const KeySet> keys = source.keys();
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/auth/key_set.h"
#include "orchestrator/base/clock.h"

namespace auth {

class KeySource {
 public:
  using Fetched = absl::AnyInvocable<void(absl::StatusOr<std::string> document)>;
  // Fetches the document and answers once, on any thread, within a time of its own.
  using Fetch = std::function<void(Fetched done)>;
  struct Options {
    absl::Duration refresh_after = absl::Hours(1);       // when keys are old
    absl::Duration between_fetches = absl::Seconds(10);  // at least, after a start of one
    bool shared_secrets = false;                         // whether HS256 keys in the document count
  };

  // `name` is for the log; `clock` outlives every fetch.
  KeySource(std::string name, Fetch fetch, Options options, base::Clock& clock);

  // Null before the first fetch has succeeded.
  std::shared_ptr<const KeySet> keys() const;
  // Starts a fetch in the background when the keys are old.
  void RefreshWhenOld();
  // Calls `done` after a fetch: the one under way, or a new one. At once when the last one began
  // less than `between_fetches` ago, or too many calls wait.
  void Refresh(absl::AnyInvocable<void()> done);
  // Why the last fetch failed; OK when it did not.
  absl::Status status() const;

 private:
  struct State;
  static void Start(const std::shared_ptr<State>& state);
  const std::shared_ptr<State> state_;
};

}  // namespace auth
