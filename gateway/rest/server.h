// RestServer: HTTP/1.1, with TLS or without, on its own threads, in front of a RestHandler.
//
// Limits: see RestServerOptions. What is over one of them is answered (413, 414, 429, 431, 503) and
// the connection closed without reading the rest. Who is too slow is closed without an answer.
//
// Thread-safety: Start and Stop from one thread.
//
// Example:
//   RestServer server({.address = "127.0.0.1", .port = 8080}, handler, clock);
//   RETURN_IF_ERROR(server.Start());
//   server.Stop(absl::Seconds(5));
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/rest/http_policy.h"
#include "gateway/tls/tls_files.h"
#include "orchestrator/base/clock.h"

namespace base {
class Metrics;
}

namespace gateway {

class RestHandler;

struct RestServerOptions {
  std::string address = "127.0.0.1";  // a numeric IPv4 or IPv6 address
  int port = 8080;                    // 0: any free one
  int threads = 2;
  size_t body_bytes_max = 1 << 20;
  size_t header_bytes_max = 16 << 10;
  size_t target_bytes_max = 8 << 10;
  int connections_max = 10'000;
  int connections_per_address_max = 1'000;
  absl::Duration idle_timeout = absl::Seconds(60);  // between requests
  absl::Duration header_timeout =
      absl::Seconds(10);  // for a whole header, and for the TLS handshake
  // A body, or an answer that is being read, may take this long and as long as its bytes take at
  // bytes_per_second_min.
  absl::Duration read_timeout = absl::Seconds(30);
  absl::Duration write_timeout = absl::Seconds(30);
  int bytes_per_second_min = 1024;
  absl::Duration keep_alive_interval = absl::Seconds(15);  // of event streams
  HttpPolicyOptions policy;                                // `tls` is set by the server
  tls::TlsFiles* tls = nullptr;                            // outlives the server; null: no TLS
  base::Metrics* metrics = nullptr;                        // may be null
};

class RestServer {
 public:
  // `handler` and `clock` outlive the server and every callback it has handed out.
  RestServer(RestServerOptions options, const RestHandler& handler, base::Clock& clock);
  ~RestServer();  // calls Stop without grace

  // UNAVAILABLE when the address cannot be listened on, INVALID_ARGUMENT when it is none or the
  // certificate is refused.
  absl::Status Start();
  // Takes no new connections, ends event streams, gives requests under way `grace`, then answers
  // them with 503 and closes all. What handlers say later is dropped. Idempotent.
  void Stop(absl::Duration grace);
  int port() const;  // after Start
  int connections() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway
