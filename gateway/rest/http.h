// HTTP requests and responses as plain values, and Exchange, the connection's side of one request.
// Nothing here knows Beast: handlers are tested without a socket.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "gateway/grpc/call_info.h"

namespace gateway {

struct HttpRequest {
  std::string method;
  std::string path;                                       // still percent-encoded
  std::string query;                                      // without the '?', still encoded
  absl::flat_hash_map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string peer_address;  // "127.0.0.1:40112"
  std::string certificate;   // the name in the peer's certificate, when TLS has verified one
  std::shared_ptr<const tls::PeerCertificate> peer_certificate;  // all of it

  std::string Header(const std::string& lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? "" : found->second;
  }
};

inline constexpr char kJsonType[] = "application/json";

struct HttpResponse {
  int status = 200;
  std::string content_type = kJsonType;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// Thread-safety: every method from any thread. Exactly one Send, or one StartStream, then Writes
// (one at a time), then one EndStream. What comes after a Send is dropped: whoever answered first,
// the handler or the deadline, has answered.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // Runs `fn` on the server's thread: work that must not burden the engine's.
  virtual void Run(absl::AnyInvocable<void()> fn) = 0;
  virtual void Send(HttpResponse response) = 0;
  // Sends the head; the body follows in pieces. A stream that is silent for a while gets
  // `keep_alive` as a piece of its own.
  virtual void StartStream(HttpResponse head, std::string keep_alive) = 0;
  virtual void Write(std::string piece, absl::AnyInvocable<void(bool ok)> done) = 0;
  virtual void EndStream() = 0;
  virtual const std::shared_ptr<Peer>& peer() const = 0;
  // Calls `fn` on the server's thread when nothing has been sent after `delay`; once a request.
  virtual void UnlessAnswered(absl::Duration delay, absl::AnyInvocable<void()> fn) = 0;
  // Calls `fn` on the server's thread when the server has to end and nothing has been sent; once a
  // request.
  virtual void UnlessAnsweredAtEnd(absl::AnyInvocable<void()> fn) = 0;
};

}  // namespace gateway
