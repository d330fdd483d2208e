// A bare HTTP/1.1 client on a blocking socket, for sending what no proper client would send. What
// does not come within 20 seconds is no answer and no end: an exception says so.
#pragma once

#include <openssl/ssl.h>

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace gateway {

struct HttpAnswer {
  int status = 0;                              // 0: the connection closed without an answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class HttpPeer {
 public:
  // From `from`, an address of the loopback network.
  explicit HttpPeer(int port, const std::string& from = "127.0.0.1");
  // With TLS; `context` outlives the peer. See tls_error.
  HttpPeer(int port, SSL_CTX* context);
  ~HttpPeer();
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  // Why there is no TLS connection; empty when there is one.
  const std::string& tls_error() const { return tls_error_; }
  // The subject of the server's certificate, "CN=...".
  std::string server_subject() const;
  // False when the peer has closed.
  bool Send(absl::string_view bytes);
  // One response, by Content-Length, chunks, or the end of the connection.
  HttpAnswer Read(bool head_only = false);
  // Whether the server closes, or answers, within that time.
  bool ClosedWithin(absl::Duration time);
  // Reads until `text` has come; what came before it and itself. Empty at the end.
  std::string ReadUntil(absl::string_view text);
  HttpAnswer Call(const std::string& method, const std::string& target,
                  const std::string& body = "", const std::string& headers = "");

 private:
  bool Fill();
  std::string Take(size_t bytes);

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  std::string tls_error_;
  std::string buffer_;
};

}  // namespace gateway
