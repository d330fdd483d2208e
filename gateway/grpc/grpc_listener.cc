#include "gateway/grpc/grpc_listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <prometheus/counter.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/metrics.h"

namespace gateway {

namespace {

constexpr int kBacklog = 1024;
constexpr absl::Duration kPause = absl::Milliseconds(100);
constexpr absl::Duration kSweepInterval = absl::Seconds(1);
constexpr absl::Duration kSweepIntervalMin = absl::Milliseconds(100);

// Which socket the descriptor stands for; 0 when for none.
ino_t SocketOf(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

std::string AddressOf(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  char host[NI_MAXHOST] = "";
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 ||
      getnameinfo(reinterpret_cast<sockaddr*>(&peer), size, host, sizeof host, nullptr, 0,
                  NI_NUMERICHOST) != 0) {
    return "";
  }
  return host;
}

}  // namespace

GrpcListener::GrpcListener(ConnectionCounts::Options limits, base::Metrics* metrics)
    : counts_(limits), metrics_(metrics) {}

GrpcListener::~GrpcListener() {
  Stop();
  if (listen_fd_ >= 0) close(listen_fd_);
}

absl::Status GrpcListener::Listen(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = colon == address.npos ? "" : address.substr(colon + 1);
  if (const int code = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); code != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen for gRPC on ", address, ": ", gai_strerror(code)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  const int fd =
      socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, found->ai_protocol);
  const int on = 1;
  const int off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // connections inherit it
  if (found->ai_family == AF_INET6) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, kBacklog) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return absl::UnavailableError(absl::StrCat("cannot listen for gRPC on ", address, ": ",
                                               std::strerror(error),
                                               "; is another server running there?"));
  }
  listen_fd_ = fd;
  port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                            : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  return absl::OkStatus();
}

void GrpcListener::Start(std::unique_ptr<Acceptor> acceptor) {
  acceptor_ = std::move(acceptor);
  started_ = true;
  loop_.Start();
  loop_.Post([this] {
    WatchListener();
    SweepLater();
  });
}

void GrpcListener::Stop() {
  if (!std::exchange(started_, false)) return;
  loop_.Stop();
  open_.clear();
  close(std::exchange(listen_fd_, -1));
  acceptor_.reset();
}

void GrpcListener::WatchListener() {
  loop_.WatchFd(listen_fd_, base::kFdRead, [this](uint32_t) { AcceptAll(); });
}

void GrpcListener::AcceptAll() {
  while (true) {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        // Gives others time to close theirs.
        loop_.UnwatchFd(listen_fd_);
        loop_.PostAfter(kPause, [this] { WatchListener(); });
      }
      return;
    }
    open_.erase(fd);  // one that ended: its number has come again
    ConnectionCounts::Lease lease = Count(fd);
    if (lease.refusal() != ConnectionCounts::Refusal::kNone) {
      if (metrics_ != nullptr) {
        metrics_
            ->Counter("grpc_connections_refused_total",
                      "gRPC connections closed because they were too many.")
            .Increment();
      }
      close(fd);
      continue;
    }
    open_.emplace(fd, Connection{.socket = SocketOf(fd), .lease = std::move(lease)});
    Acceptor::NewConnectionParameters connection;
    connection.listener_fd = listen_fd_;
    connection.fd = fd;
    acceptor_->HandleNewConnection(&connection);
  }
}

ConnectionCounts::Lease GrpcListener::Count(int fd) {
  const std::string address = AddressOf(fd);
  ConnectionCounts::Lease lease = counts_.Take(address);
  const bool refused = lease.refusal() != ConnectionCounts::Refusal::kNone;
  if (!refused || clock_.Monotonic() - swept_at_ < kSweepIntervalMin) return lease;
  lease.Release();
  Sweep();
  return counts_.Take(address);
}

void GrpcListener::Sweep() {
  swept_at_ = clock_.Monotonic();
  absl::erase_if(open_,
                 [](const auto& each) { return SocketOf(each.first) != each.second.socket; });
}

void GrpcListener::SweepLater() {
  loop_.PostAfter(kSweepInterval, [this] {
    Sweep();
    SweepLater();
  });
}

}  // namespace gateway
