#include "activities/connectors/webdriver/browser_gate.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "activities/connectors/wire/text.h"
#include "activities/outbound/address_guard.h"
#include "orchestrator/base/log.h"

namespace webdriver {
namespace {

constexpr size_t kBufferMax = 64 * 1024;
constexpr size_t kAddressesMax = 8;

// RFC 1928.
constexpr char kVersion = 5;
constexpr char kNoAuthentication = 0;
constexpr char kConnect = 1;
constexpr char kIpv4 = 1;
constexpr char kName = 3;
constexpr char kIpv6 = 4;
constexpr char kSucceeded = 0;
constexpr char kNotAllowed = 2;
constexpr char kHostUnreachable = 4;

std::string Reply(char code) { return {kVersion, code, 0, kIpv4, 0, 0, 0, 0, 0, 0}; }

int ByteAt(const std::string& text, size_t at) { return static_cast<unsigned char>(text[at]); }

struct Target {
  std::string host;
  int port = 0;
};

enum class Parsed { kMore, kWrong, kDone };

// Takes a whole request off the front of `text`.
Parsed TakeRequest(std::string& text, Target* target) {
  if (text.size() < 5) return Parsed::kMore;
  if (text[0] != kVersion || text[1] != kConnect) return Parsed::kWrong;
  size_t begin = 4;
  size_t size = 0;
  switch (text[3]) {
    case kIpv4:
      size = 4;
      break;
    case kIpv6:
      size = 16;
      break;
    case kName:
      begin = 5;
      size = ByteAt(text, 4);
      break;
    default:
      return Parsed::kWrong;
  }
  const size_t end = begin + size + 2;
  if (text.size() < end) return Parsed::kMore;
  if (text[3] == kName) {
    target->host = text.substr(begin, size);
  } else {
    char shown[INET6_ADDRSTRLEN] = "";
    inet_ntop(text[3] == kIpv4 ? AF_INET : AF_INET6, text.data() + begin, shown, sizeof shown);
    target->host = shown;
  }
  target->port = ByteAt(text, end - 2) << 8 | ByteAt(text, end - 1);
  text.erase(0, end);
  const bool readable =
      !target->host.empty() && std::all_of(target->host.begin(), target->host.end(),
                                           [](unsigned char c) { return c > ' ' && c != 0x7F; });
  return readable ? Parsed::kDone : Parsed::kWrong;
}

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

// Reads what is there; false when the other side has ended.
bool ReadSome(int fd, std::string& into) {
  char buffer[16 * 1024];
  while (into.size() < kBufferMax) {
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n < 0) return WouldBlock();
    if (n == 0) return false;
    into.append(buffer, static_cast<size_t>(n));
  }
  return true;
}

// False when the other side takes nothing any more.
bool WriteSome(int fd, std::string& from) {
  while (!from.empty()) {
    const ssize_t n = send(fd, from.data(), from.size(), MSG_NOSIGNAL);
    if (n < 0) return WouldBlock();
    from.erase(0, static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

struct BrowserGate::Connection {
  enum class State { kGreeting, kRequest, kResolving, kConnecting, kOpen, kRefused };
  State state = State::kGreeting;
  int client = -1;
  int server = -1;
  bool server_ended = false;
  std::string to_server;  // until it is open: what the client said and is not read yet
  std::string to_client;
  std::vector<Address> addresses;  // to be tried, last one first
  base::TimerId timer = 0;         // its end, at the latest
};

// What a lookup, on a thread of the C library, knows of the gate.
struct BrowserGate::Home {
  absl::Mutex mu;
  base::EpollLoop* loop ABSL_GUARDED_BY(mu) = nullptr;
  BrowserGate* gate ABSL_GUARDED_BY(mu) = nullptr;  // changed by the loop alone
};

// Ends with the C library's call, which cannot be taken back.
struct BrowserGate::Lookup {
  std::shared_ptr<Home> home;
  uint64_t id = 0;
  std::string host;
  std::string port;
  addrinfo hints{};
  gaicb request{};
  gaicb* list[1] = {};

  static void Done(sigval value) {
    const std::unique_ptr<Lookup> self(static_cast<Lookup*>(value.sival_ptr));
    std::vector<Address> found;
    if (gai_error(&self->request) == 0) {
      for (const addrinfo* each = self->request.ar_result; each != nullptr; each = each->ai_next) {
        Address address;
        address.size = std::min<socklen_t>(each->ai_addrlen, sizeof address.storage);
        std::memcpy(&address.storage, each->ai_addr, address.size);
        found.push_back(address);
      }
    }
    if (self->request.ar_result != nullptr) freeaddrinfo(self->request.ar_result);
    absl::MutexLock lock(&self->home->mu);
    if (self->home->gate == nullptr) return;
    self->home->loop->Post([home = self->home, id = self->id, found = std::move(found)]() mutable {
      BrowserGate* gate = nullptr;
      {
        absl::MutexLock lock(&home->mu);
        gate = home->gate;
      }
      if (gate != nullptr) gate->Resolved(id, std::move(found));
    });
  }
};

BrowserGate::BrowserGate(base::EpollLoop& loop, Options options)
    : loop_(loop), options_(std::move(options)), home_(std::make_shared<Home>()) {
  absl::MutexLock lock(&home_->mu);
  home_->loop = &loop;
  home_->gate = this;
}

BrowserGate::~BrowserGate() {
  {
    absl::MutexLock lock(&home_->mu);
    home_->gate = nullptr;
  }
  Close();
}

base::Outcome<int> BrowserGate::Listen() {
  if (listener_ >= 0) return port_;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, plain, size) != 0 || listen(fd, SOMAXCONN) != 0 ||
      getsockname(fd, plain, &size) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return base::Failure::Retryable("Internal",
                                    wire::Cat("no port for the browsers: ", std::strerror(error)));
  }
  listener_ = fd;
  port_ = ntohs(address.sin_port);
  loop_.WatchFd(listener_, base::kFdRead, [this](uint32_t) { Accept(); });
  return port_;
}

void BrowserGate::Close() {
  if (listener_ >= 0) {
    loop_.UnwatchFd(listener_);
    close(std::exchange(listener_, -1));
  }
  while (!connections_.empty()) End(connections_.begin()->first);
}

void BrowserGate::Accept() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (static_cast<int>(connections_.size()) >= options_.connections_max) {
      close(fd);
      continue;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const uint64_t id = ++last_id_;
    auto connection = std::make_unique<Connection>();
    connection->client = fd;
    EndAfter(options_.connect_timeout, id, *connection);
    Watch(id, *connection);
    connections_.emplace(id, std::move(connection));
  }
}

void BrowserGate::OnClient(uint64_t id, uint32_t events) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection& connection = *it->second;
  if ((events & base::kFdWrite) != 0 && !WriteSome(connection.client, connection.to_client)) {
    return End(id);
  }
  if ((events & base::kFdRead) != 0 && !ReadSome(connection.client, connection.to_server)) {
    return End(id);  // browsers close both ways at once
  }
  if (connection.state != Connection::State::kOpen) {
    if (!Negotiate(id, connection)) return End(id);
  } else if (!SendOn(connection)) {
    return End(id);
  }
  if (!WriteSome(connection.client, connection.to_client)) return End(id);
  const bool over = connection.server_ended || connection.state == Connection::State::kRefused;
  if (over && connection.to_client.empty()) return End(id);
  Watch(id, connection);
}

bool BrowserGate::SendOn(Connection& connection) const {
  if (connection.to_server.empty()) return true;
  return MaySend() && WriteSome(connection.server, connection.to_server);
}

bool BrowserGate::Negotiate(uint64_t id, Connection& connection) {
  std::string& text = connection.to_server;
  if (connection.state == Connection::State::kGreeting) {
    if (text.size() < 2) return true;
    const size_t methods = ByteAt(text, 1);
    if (text[0] != kVersion) return false;
    if (text.size() < 2 + methods) return true;
    if (text.find(kNoAuthentication, 2) >= 2 + methods) return false;
    text.erase(0, 2 + methods);
    connection.to_client += {kVersion, kNoAuthentication};
    connection.state = Connection::State::kRequest;
  }
  if (connection.state != Connection::State::kRequest) return text.size() < kBufferMax;
  Target target;
  switch (TakeRequest(text, &target)) {
    case Parsed::kMore:
      return true;
    case Parsed::kWrong:
      return false;
    case Parsed::kDone:
      break;
  }
  connection.state = Connection::State::kResolving;
  return Resolve(id, target.host, target.port);
}

bool BrowserGate::Resolve(uint64_t id, const std::string& host, int port) {
  auto lookup = std::make_unique<Lookup>();
  lookup->home = home_;
  lookup->id = id;
  lookup->host = host;
  lookup->port = std::to_string(port);
  lookup->hints.ai_socktype = SOCK_STREAM;
  lookup->hints.ai_flags = AI_NUMERICSERV;
  lookup->request.ar_name = lookup->host.c_str();
  lookup->request.ar_service = lookup->port.c_str();
  lookup->request.ar_request = &lookup->hints;
  lookup->list[0] = &lookup->request;
  sigevent when_done{};
  when_done.sigev_notify = SIGEV_THREAD;
  when_done.sigev_notify_function = &Lookup::Done;
  when_done.sigev_value.sival_ptr = lookup.get();
  if (getaddrinfo_a(GAI_NOWAIT, lookup->list, 1, &when_done) != 0) return false;
  [[maybe_unused]] Lookup* const kept = lookup.release();  // Done takes it
  return true;
}

void BrowserGate::Resolved(uint64_t id, std::vector<Address> addresses) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection& connection = *it->second;
  if (connection.state != Connection::State::kResolving) return;
  const bool allowed =
      options_.private_addresses_allowed ||
      std::all_of(addresses.begin(), addresses.end(), [](const Address& address) {
        return outbound::IsPublicAddress(reinterpret_cast<const sockaddr*>(&address.storage));
      });
  if (!allowed) return Refuse(id, connection, kNotAllowed);
  if (addresses.size() > kAddressesMax) addresses.resize(kAddressesMax);
  std::reverse(addresses.begin(), addresses.end());
  connection.addresses = std::move(addresses);
  ConnectNext(id, connection);
}

void BrowserGate::ConnectNext(uint64_t id, Connection& connection) {
  if (!MaySend()) return Refuse(id, connection, kNotAllowed);
  while (!connection.addresses.empty()) {
    const Address address = connection.addresses.back();
    connection.addresses.pop_back();
    const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto* plain = reinterpret_cast<const sockaddr*>(&address.storage);
    if (connect(fd, plain, address.size) == 0 || errno == EINPROGRESS) {
      connection.server = fd;
      connection.state = Connection::State::kConnecting;
      return Watch(id, connection);
    }
    close(fd);
  }
  Refuse(id, connection, kHostUnreachable);
}

void BrowserGate::EndAfter(absl::Duration time, uint64_t id, Connection& connection) {
  if (connection.timer != 0) loop_.CancelTimer(connection.timer);
  connection.timer = loop_.PostAfter(time, [this, id] {
    const auto it = connections_.find(id);
    if (it == connections_.end()) return;
    it->second->timer = 0;
    End(id);
  });
}

void BrowserGate::Refuse(uint64_t id, Connection& connection, char reply) {
  connection.state = Connection::State::kRefused;
  connection.to_client += Reply(reply);
  if (!WriteSome(connection.client, connection.to_client) || connection.to_client.empty()) {
    return End(id);
  }
  Watch(id, connection);
}

void BrowserGate::OnServer(uint64_t id, uint32_t events) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  Connection& connection = *it->second;
  if (connection.state == Connection::State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection.server, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      loop_.UnwatchFd(connection.server);
      close(std::exchange(connection.server, -1));
      return ConnectNext(id, connection);
    }
    EndAfter(options_.open_max, id, connection);
    connection.state = Connection::State::kOpen;
    connection.to_client += Reply(kSucceeded);
  } else {
    if ((events & base::kFdWrite) != 0 && !SendOn(connection)) return End(id);
    if ((events & base::kFdRead) != 0 && !ReadSome(connection.server, connection.to_client)) {
      connection.server_ended = true;
    }
  }
  if (!WriteSome(connection.client, connection.to_client)) return End(id);
  if (connection.server_ended && connection.to_client.empty()) return End(id);
  Watch(id, connection);
}

// A side is read while there is room for what it says.
void BrowserGate::Watch(uint64_t id, Connection& connection) {
  const bool open = connection.state == Connection::State::kOpen;
  uint32_t client = 0;
  if (connection.to_server.size() < kBufferMax) client |= base::kFdRead;
  if (!connection.to_client.empty()) client |= base::kFdWrite;
  loop_.WatchFd(connection.client, client, [this, id](uint32_t events) { OnClient(id, events); });
  if (connection.server < 0) return;
  uint32_t server = 0;
  if (connection.state == Connection::State::kConnecting) server |= base::kFdWrite;
  if (open && !connection.server_ended && connection.to_client.size() < kBufferMax) {
    server |= base::kFdRead;
  }
  if (open && !connection.to_server.empty()) server |= base::kFdWrite;
  loop_.WatchFd(connection.server, server, [this, id](uint32_t events) { OnServer(id, events); });
}

void BrowserGate::End(uint64_t id) {
  const auto it = connections_.find(id);
  if (it == connections_.end()) return;
  const std::unique_ptr<Connection> connection = std::move(it->second);
  connections_.erase(it);
  if (connection->timer != 0) loop_.CancelTimer(connection->timer);
  for (const int fd : {connection->client, connection->server}) {
    if (fd < 0) continue;
    loop_.UnwatchFd(fd);
    close(fd);
  }
}

}  // namespace webdriver
