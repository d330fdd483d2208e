// UserQuotas: how many campaigns a user may start within an hour and how many posts those of a day
// may plan (requirement R3), kept in a SQLite file: a restart forgets nothing. A campaign counts
// once, by its id, however often its start is asked for; one whose start was refused does not.
//
// Thread-safety: thread-safe. `done` runs once, on the quotas' own thread, or on the caller's for
// users that are exempt and after Close, and must not block.
//
// Example:
//   ASSIGN_OR_RETURN(auto quotas, UserQuotas::Open(path, {.starts_per_hour = 20}, clock));
//   quotas->Reserve("ann@example.com", "campaign-17", 3, [](absl::StatusOr<bool> counted) { ... });
#pragma once

#include <memory>
#include <set>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "orchestrator/base/clock.h"

namespace base {
class Metrics;
}

namespace auth {

class UserQuotas {
 public:
  struct Options {
    int starts_per_hour = 20;      // zero: no limit
    int posts_per_day = 50;        // zero: no limit
    std::set<std::string> exempt;  // identities that are not counted
    int posts_per_campaign = 1;    // of one that has the channel social
  };
  // Whether it is counted now; false: it was before.
  using Done = absl::AnyInvocable<void(absl::StatusOr<bool> counted)>;

  // `clock` and `metrics` (may be null) outlive it.
  static absl::StatusOr<std::unique_ptr<UserQuotas>> Open(const std::string& path, Options options,
                                                          base::Clock& clock,
                                                          base::Metrics* metrics = nullptr);
  ~UserQuotas();  // calls Close

  // Counts the start of a campaign, durably, or refuses it: RESOURCE_EXHAUSTED, which says when it
  // is allowed again (limit_status.h). UNAVAILABLE: the disk, or closing.
  void Reserve(const std::string& user, const std::string& campaign, int posts, Done done);
  // The start that was counted did not happen after all.
  void Release(const std::string& user, const std::string& campaign);

  const Options& options() const;
  // Finishes what was asked before, then refuses. Idempotent.
  void Close();

 private:
  struct Impl;
  explicit UserQuotas(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace auth
