// GrpcServer: the services over gRPC, with reflection and the health service.
//
// Thread-safety: Start and Stop from one thread; the rest is thread-safe.
//
// Example:
//   GrpcServer server({.address = "127.0.0.1:7233"}, &workflow_service, &campaign_service);
//   RETURN_IF_ERROR(server.Start());
//   server.Stop(absl::Seconds(5));
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace base {
class Metrics;
}

namespace gateway {

class BatchServiceImpl;
class CampaignServiceImpl;
class OperationsServiceImpl;
class ScheduleServiceImpl;
class WorkflowServiceImpl;

struct GrpcServerOptions {
  std::string address = "127.0.0.1:7233";  // port 0: any free one
  int message_bytes_max = 4 << 20;
};

class GrpcServer {
 public:
  // The services, `metrics` and `operations` (both may be null) outlive the server.
  GrpcServer(GrpcServerOptions options, WorkflowServiceImpl* workflows,
             CampaignServiceImpl* campaigns, base::Metrics* metrics = nullptr,
             OperationsServiceImpl* operations = nullptr);
  ~GrpcServer();  // calls Stop without grace

  // Before Start: more services, which outlive the server.
  void Add(ScheduleServiceImpl* schedules, BatchServiceImpl* batches);

  // UNAVAILABLE when the address cannot be listened on.
  absl::Status Start();
  // Takes no new calls, ends watches, gives calls under way `grace`, then cancels them. Returns
  // when all their handlers have answered, so the services and what is behind them must still work.
  // Idempotent.
  void Stop(absl::Duration grace);
  // What the health service says of the server and of each service; starts as serving.
  void SetServing(bool serving);
  int port() const;  // after Start

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway
