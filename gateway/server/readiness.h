// Readiness: whether the server can do its work now, asked of its parts: each check is a real
// question with a time limit. What /readyz and the gRPC health service say.
//
// Thread-safety: Add before the first Look; Look from any thread. Checks run on the loop.
//
// Example:
//   readiness.Add("store", [&](Readiness::Done done) { ... done(absl::OkStatus()); });
//   readiness.Look([](const Readiness::Report& report) { Answer(report.Json()); });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"

namespace server {

class Readiness {
 public:
  using Done = std::function<void(absl::Status)>;
  using Check = std::function<void(Done)>;

  struct Result {
    std::string name;
    absl::Status status;
    absl::Duration took;
  };
  struct Report {
    std::vector<Result> results;
    bool ready() const;
    // {"status":"not ready","checks":[{"name":"store","status":"DEADLINE_EXCEEDED: ..."}]}
    std::string Json() const;
  };

  // `loop` and `clock` outlive it. A check that has not answered after `limit` has failed.
  Readiness(base::EventLoop& loop, base::Clock& clock, absl::Duration limit);

  // `check` must not block; it may answer on any thread, once, and late.
  void Add(std::string name, Check check);
  // Asks all at once. Who comes while that is under way gets the same report.
  void Look(absl::AnyInvocable<void(const Report&)> done);

 private:
  struct State;
  struct Round;
  static void Begin(const std::shared_ptr<State>& state);
  static void Answered(const std::shared_ptr<State>& state, const std::shared_ptr<Round>& round,
                       size_t index, absl::Status status);
  static void Finish(const std::shared_ptr<State>& state, const std::shared_ptr<Round>& round);

  const std::shared_ptr<State> state_;
};

}  // namespace server
