#include "tests/contract/connectors/raw_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <list>

#include "orchestrator/base/check.h"

namespace connector_test {

struct RawServer::Connection {
  int fd;
  std::string input;
};

RawServer::RawServer(std::vector<std::string> answers, bool ipv6)
    : answers_(std::move(answers)), ipv6_(ipv6) {
  listen_fd_ = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  stop_fd_ = eventfd(0, EFD_CLOEXEC);
  sockaddr_in6 six{.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
  sockaddr_in four{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  auto* address = ipv6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
  socklen_t length = ipv6 ? sizeof(six) : sizeof(four);
  CHECK(bind(listen_fd_, address, length) == 0);
  CHECK(listen(listen_fd_, 64) == 0);
  CHECK(getsockname(listen_fd_, address, &length) == 0);
  port_ = ntohs(ipv6 ? six.sin6_port : four.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

RawServer::~RawServer() {
  const uint64_t one = 1;
  CHECK(write(stop_fd_, &one, sizeof(one)) == sizeof(one));
  thread_.join();
  close(listen_fd_);
  close(stop_fd_);
}

std::string RawServer::url() const {
  return std::string("http://") + (ipv6_ ? "[::1]" : "127.0.0.1") + ":" + std::to_string(port_) +
         "/";
}

void RawServer::Serve() {
  std::list<Connection> open;
  while (true) {
    std::vector<pollfd> fds = {{stop_fd_, POLLIN, 0}, {listen_fd_, POLLIN, 0}};
    for (const Connection& connection : open) fds.push_back({connection.fd, POLLIN, 0});
    poll(fds.data(), fds.size(), -1);
    if (fds[0].revents != 0) break;
    size_t i = 2;
    for (auto it = open.begin(); it != open.end(); ++i) {
      if (fds[i].revents != 0 && !ReadAndAnswer(*it)) {
        close(it->fd);
        it = open.erase(it);
      } else {
        ++it;
      }
    }
    if (fds[1].revents != 0) {
      open.push_back({.fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC)});
      ++connections_;
    }
  }
  for (const Connection& connection : open) close(connection.fd);
}

bool RawServer::ReadAndAnswer(Connection& connection) {
  char buffer[4096];
  const ssize_t n = read(connection.fd, buffer, sizeof(buffer));
  if (n <= 0) return false;
  connection.input.append(buffer, n);
  const size_t end = connection.input.find("\r\n\r\n");
  if (end == std::string::npos) return true;
  const size_t length_at = connection.input.find("Content-Length: ");
  const size_t length = length_at < end ? std::atoi(connection.input.c_str() + length_at + 16) : 0;
  if (connection.input.size() < end + 4 + length) return true;
  connection.input.erase(0, end + 4 + length);
  const size_t number = requests_++;
  const std::string& answer = answers_[std::min(number, answers_.size() - 1)];
  if (answer == kHang) return true;
  if (answer.empty()) return false;
  return write(connection.fd, answer.data(), answer.size()) == static_cast<ssize_t>(answer.size());
}

}  // namespace connector_test
