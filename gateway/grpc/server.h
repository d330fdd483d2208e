// GrpcServer: the services over gRPC, with reflection and the health service.
//
// Thread-safety: Start and Stop from one thread; the rest is thread-safe.
//
// Example:
//   GrpcServer server({.address = "127.0.0.1:7233"}, door, random, &workflows, &campaigns);
//   RETURN_IF_ERROR(server.Start());
//   server.Stop(absl::Seconds(5));
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/tls/tls_files.h"

namespace base {
class Metrics;
class Random;
}  // namespace base

namespace gateway {

class AccessServiceImpl;
class AuditServiceImpl;
class BatchServiceImpl;
class CampaignServiceImpl;
class FrontDoor;
class OperationsServiceImpl;
class ScheduleServiceImpl;
class WorkflowServiceImpl;

struct GrpcServerOptions {
  std::string address = "127.0.0.1:7233";  // port 0: any free one
  int message_bytes_max = 4 << 20;
  int metadata_bytes_max = 16 << 10;  // the headers of one call
  int connections_max = 10'000;
  int connections_per_address_max = 1'000;
  int streams_per_connection_max = 1'000;                 // calls at once on one connection
  absl::Duration handshake_timeout = absl::Seconds(10);   // of TLS and HTTP/2 together
  absl::Duration keep_alive_interval = absl::Minutes(1);  // pings, so that dead peers are noticed
  absl::Duration keep_alive_timeout = absl::Seconds(20);
  // Unary calls are answered by then (DEADLINE_EXCEEDED), or by the caller's own deadline when that
  // is nearer; 0: by the caller's own only.
  absl::Duration request_timeout = absl::Minutes(2);
  tls::TlsFiles* tls = nullptr;  // outlives the server; null: no TLS (h2c)
};

class GrpcServer {
 public:
  // `door`, `random` (thread-safe), the services, `metrics` and `operations` (both may be null)
  // outlive the server.
  GrpcServer(GrpcServerOptions options, const FrontDoor& door, base::Random& random,
             WorkflowServiceImpl* workflows, CampaignServiceImpl* campaigns,
             base::Metrics* metrics = nullptr, OperationsServiceImpl* operations = nullptr);
  ~GrpcServer();  // calls Stop without grace

  // Before Start: more services, which outlive the server.
  void Add(ScheduleServiceImpl* schedules, BatchServiceImpl* batches);
  void Add(AuditServiceImpl* audit);
  void Add(AccessServiceImpl* access);

  // UNAVAILABLE when the address cannot be listened on, INVALID_ARGUMENT when the certificate is
  // refused.
  absl::Status Start();
  // Takes no new connections and no new calls (UNAVAILABLE), and ends watches. Other calls go on.
  void Drain();
  // Drains, gives calls under way `grace`, then answers them with
  // UNAVAILABLE. What their handlers say later is dropped; the services are still used by them.
  // Idempotent.
  void Stop(absl::Duration grace);
  // What the health service says of the server and of each service; starts as serving.
  void SetServing(bool serving);
  int port() const;  // after Start
  int connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway
