// GrpcListener: accepts the connections of the gRPC port and hands them to gRPC, which itself knows
// no limit on their number. Those beyond a limit are closed. Heavy header (grpc): server.cc only.
//
// A connection is gone when its descriptor no longer stands for the same socket. It must not be
// watched by a second descriptor: gRPC takes a socket out of its epoll set by closing it, and a
// duplicate would leave it there, with a pointer that the next connection inherits; now and then
// that one then hears nothing.
//
// Thread-safety: Listen, Start and Stop from one thread. It has a thread of its own.
#pragma once

#include <grpcpp/server_builder.h>
#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "gateway/grpc/connection_counts.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"

namespace base {
class Metrics;
}

namespace gateway {

class GrpcListener {
 public:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  // `metrics` may be null.
  GrpcListener(ConnectionCounts::Options limits, base::Metrics* metrics);
  ~GrpcListener();  // calls Stop

  // "127.0.0.1:7233" or "[::1]:0". UNAVAILABLE when it cannot be listened on.
  absl::Status Listen(const std::string& address);
  // After Listen, when the server runs: hands connections to `acceptor`.
  void Start(std::unique_ptr<Acceptor> acceptor);
  // Accepts no more. Idempotent.
  void Stop();
  int port() const { return port_; }
  int connections() const { return counts_.total(); }

 private:
  void WatchListener();
  void AcceptAll();
  // Counts a new connection; refused when there are too many.
  ConnectionCounts::Lease Count(int fd);
  // Lets go of those that gRPC has closed.
  void Sweep();
  void SweepLater();

  ConnectionCounts counts_;
  base::Metrics* const metrics_;
  std::unique_ptr<Acceptor> acceptor_;
  int port_ = 0;
  int listen_fd_ = -1;
  base::SystemClock clock_;
  struct Connection {
    ino_t socket;  // what the descriptor stood for: gRPC closes it, and its number comes again
    ConnectionCounts::Lease lease;
  };
  // By gRPC's descriptors. Touched by the loop.
  absl::flat_hash_map<int, Connection> open_;
  absl::Duration swept_at_ = -absl::InfiniteDuration();
  base::EpollLoop loop_{clock_, "grpc-accept"};
  bool started_ = false;
};

}  // namespace gateway
