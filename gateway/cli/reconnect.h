// Reconnect: for calls that wait for long, and so meet restarts of the server. Says whether such a
// call may be made again, when the server can be reached. A server that was never there is not
// waited for, and one that went away for no more than a minute.
//
// Thread-safety: one thread; it blocks. `say` is called on it.
//
// Example:
//   Reconnect reconnect(session.connection(), deadline, &Reconnect::ToStderr);
//   absl::StatusOr<Response> response;
//   do {
//     response = connection.Call(method, request);
//     if (response.ok()) reconnect.Reached();
//   } while (!response.ok() && reconnect.Again(response.status()));
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/cli/connection.h"

namespace cli {

class Reconnect {
 public:
  using Say = std::function<void(const std::string& line)>;

  // `connection` outlives this. Nothing is tried after `deadline`. `say` gets a line when the
  // server goes away, and one when it is back.
  Reconnect(Connection& connection, absl::Time deadline, Say say)
      : connection_(connection), deadline_(deadline), say_(std::move(say)) {}

  // The server has answered.
  void Reached();
  // The call has ended so: whether it is time to make it again.
  bool Again(const absl::Status& status);

  static void ToStderr(const std::string& line);

 private:
  Connection& connection_;
  const absl::Time deadline_;
  const Say say_;
  bool reached_ = false;
  std::optional<absl::Time> away_since_;
};

}  // namespace cli
