// HTTP/1.1 over TCP for the sandbox: one thread, many connections, keep-alive. An answer leaves
// only after the commit that holds its effect; calls that arrive together share one commit.
// Thread-safety: construct, Listen, Run and destroy on one thread.
//
// Example:
//   Server server(sandbox);
//   absl::Status status = server.Listen("127.0.0.1", 0);
//   std::cout << server.port();
//   status = server.Run();   // until SIGTERM or SIGINT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "tests/sandbox/sandbox.h"

namespace sandbox {

class Server {
 public:
  explicit Server(Sandbox& sandbox);
  ~Server();

  // Returns INVALID_ARGUMENT for an address that is none, UNAVAILABLE when it cannot be bound.
  absl::Status Listen(const std::string& address, uint16_t port);
  uint16_t port() const;

  // Serves until SIGTERM or SIGINT; INTERNAL when state can no longer be made durable.
  absl::Status Run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sandbox
