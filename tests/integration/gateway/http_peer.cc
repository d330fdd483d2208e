#include "tests/integration/gateway/http_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "orchestrator/base/check.h"

namespace gateway {

HttpPeer::HttpPeer(int port, const std::string& from) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in own{};
  own.sin_family = AF_INET;
  CHECK(inet_pton(AF_INET, from.c_str(), &own.sin_addr) == 1) << from;
  // The port is chosen by connect, which knows the pairs that are still in TIME_WAIT; bind does
  // not.
  const int on = 1;
  setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  CHECK(bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0) << from;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  CHECK(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0)
      << strerror(errno);
}

HttpPeer::HttpPeer(int port, SSL_CTX* context) : HttpPeer(port) {
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  if (SSL_connect(ssl_) == 1) return;
  tls_error_ = ERR_error_string(ERR_get_error(), nullptr);
  ERR_clear_error();
}

HttpPeer::~HttpPeer() {
  if (ssl_ != nullptr) SSL_free(ssl_);
  close(fd_);
}

std::string HttpPeer::server_subject() const {
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return "";
  char name[256];
  X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof name);
  X509_free(certificate);
  return name;
}

bool HttpPeer::Send(absl::string_view bytes) {
  if (ssl_ != nullptr) {
    return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
  }
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool HttpPeer::ClosedWithin(absl::Duration time) {
  pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
  return poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(time))) > 0;
}

bool HttpPeer::Fill() {
  char chunk[65536];
  const ssize_t got =
      ssl_ != nullptr ? SSL_read(ssl_, chunk, sizeof(chunk)) : recv(fd_, chunk, sizeof(chunk), 0);
  if (got <= 0) {
    const bool silent = ssl_ == nullptr
                            ? got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)
                            : SSL_get_error(ssl_, static_cast<int>(got)) == SSL_ERROR_WANT_READ;
    if (silent) throw std::runtime_error("the server neither answers nor closes");
    ERR_clear_error();
    return false;
  }
  buffer_.append(chunk, static_cast<size_t>(got));
  return true;
}

std::string HttpPeer::Take(size_t bytes) {
  while (buffer_.size() < bytes) {
    if (!Fill()) break;
  }
  std::string taken = buffer_.substr(0, bytes);
  buffer_.erase(0, taken.size());
  return taken;
}

std::string HttpPeer::ReadUntil(absl::string_view text) {
  while (true) {
    const size_t at = buffer_.find(std::string(text));
    if (at != std::string::npos) return Take(at + text.size());
    if (!Fill()) return "";
  }
}

HttpAnswer HttpPeer::Read(bool head_only) {
  HttpAnswer answer;
  const std::string head = ReadUntil("\r\n\r\n");
  if (head.empty()) return answer;
  const std::vector<std::string> lines = absl::StrSplit(head, "\r\n", absl::SkipEmpty());
  CHECK(absl::SimpleAtoi(lines[0].substr(9, 3), &answer.status)) << lines[0];
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    answer.headers[absl::AsciiStrToLower(lines[i].substr(0, colon))] =
        std::string(absl::StripAsciiWhitespace(lines[i].substr(colon + 1)));
  }
  if (head_only || answer.status == 204 || answer.status == 100) return answer;
  if (answer.headers.contains("content-length")) {
    size_t length = 0;
    CHECK(absl::SimpleAtoi(answer.headers["content-length"], &length));
    answer.body = Take(length);
  } else if (answer.headers["transfer-encoding"] == "chunked") {
    while (true) {
      const std::string line = ReadUntil("\r\n");
      const size_t length = std::strtoul(line.c_str(), nullptr, 16);
      answer.body += Take(length);
      Take(2);
      if (length == 0) break;
    }
  }
  return answer;
}

HttpAnswer HttpPeer::Call(const std::string& method, const std::string& target,
                          const std::string& body, const std::string& headers) {
  std::string request =
      absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: localhost\r\n", headers);
  if (!body.empty()) {
    absl::StrAppend(&request, "Content-Length: ", body.size(), "\r\n");
    if (headers.find("Content-Type") == std::string::npos) {
      absl::StrAppend(&request, "Content-Type: application/json\r\n");
    }
  }
  Send(absl::StrCat(request, "\r\n", body));
  return Read(method == "HEAD");
}

}  // namespace gateway
