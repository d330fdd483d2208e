// HttpClient: HTTP/1.1 over TLS or plain TCP by libcurl's multi interface, driven by an EpollLoop.
// Thousands of transfers wait at once on the loop's one thread; connections are pooled by origin.
// No policy here: no retries, no redirects (a 3xx is an answer), no look at the status.
//
// A request is never re-sent by curl itself when a pooled connection turns out to be dead: such a
// transfer ends as kBroken, and the caller repeats it (Repeat::kUnsafe: looks first).
//
// Thread-safety: Send and Shutdown on the loop's thread only. Constructed anywhere; destroyed on
// the loop's thread, or after the loop has stopped.
//
// Example:
//   outbound::HttpClient http(loop, {});
//   outbound::Transfer transfer = co_await http.Send(
//       {.url = "https://example.com/"}, {.timeout = absl::Seconds(5)}, {});
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "activities/outbound/transport.h"
#include "orchestrator/base/event_loop.h"

namespace outbound {

class HttpClient : public Transport {
 public:
  struct Options {
    // Transfers at once to one origin (scheme, host, port); more wait their turn, and their
    // time-out starts when they have it.
    int transfers_per_origin_max = 128;
    // Idle connections kept for reuse, all origins together.
    int idle_connections_max = 256;
    absl::Duration connect_timeout = absl::Seconds(10);
    std::string ca_file;  // PEM bundle; empty: the system's
    // Asked when a transfer's turn has come, on the loop's thread: false ends it as kHeld.
    std::function<bool(const HttpRequest&)> may_send;
  };

  HttpClient(base::EpollLoop& loop, Options options);
  ~HttpClient() override;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  base::Task<Transfer> Send(HttpRequest request, TransferLimits limits,
                            base::CancelToken cancel) override;

  // Ends every transfer as kCanceled, and every later one at once.
  void Shutdown();
  // Transfers that hold a connection or wait for one.
  size_t active() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace outbound
