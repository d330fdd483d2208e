// The browsers' way out, over real sockets.
#include "activities/connectors/webdriver/browser_gate.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>

#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/raw_server.h"

namespace connector_test {
namespace {

using webdriver::BrowserGate;

// A SOCKS client, as a browser is one.
class Client {
 public:
  explicit Client(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address{.sin_family = AF_INET,
                              .sin_port = htons(static_cast<uint16_t>(port)),
                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Client() { close(fd_); }

  void Say(const std::string& text) {
    EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // Says more until nobody takes it; `rest` lets the other side have its turn.
  void SayUntilFull(const std::function<void()>& rest) {
    const std::string text(16 * 1024, 'x');
    for (int refused = 0; refused < 4; ++refused) {
      while (send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) refused = 0;
      rest();
    }
  }
  // `size` bytes; fewer when the other side has ended.
  std::string Hear(size_t size) {
    std::string text(size, '\0');
    const ssize_t n = recv(fd_, text.data(), size, MSG_WAITALL);
    text.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return text;
  }
  // The reply's code: 0 is a connection, -1 none at all.
  int Connect(const std::string& host, int port) {
    Say(std::string("\x05\x01\x00", 3));
    if (Hear(2) != std::string("\x05\x00", 2)) return -1;
    Say(std::string("\x05\x01\x00\x03", 4) + static_cast<char>(host.size()) + host +
        static_cast<char>(port >> 8) + static_cast<char>(port & 0xFF));
    const std::string reply = Hear(10);
    return reply.size() == 10 ? reply[1] : -1;
  }

 private:
  const int fd_;
};

// A server that takes connections and reads nothing until it is asked to.
class SlowServer {
 public:
  SlowServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int size = 4096;
    setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, plain, length), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, plain, &length), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SlowServer() {
    close(listener_);
    if (fd_ >= 0) close(fd_);
  }
  int port() const { return port_; }
  void Accept() { fd_ = accept(listener_, nullptr, nullptr); }
  // The bytes that its client gave away and it has not read: in the system's queues of both.
  size_t OnTheWay() const {
    std::ifstream table("/proc/net/tcp");
    std::string line;
    std::getline(table, line);
    size_t bytes = 0;
    while (std::getline(table, line)) {
      unsigned local = 0, remote = 0, state = 0, sent = 0, received = 0;
      std::sscanf(line.c_str(), " %*d: %*8x:%4x %*8x:%4x %2x %8x:%8x", &local, &remote, &state,
                  &sent, &received);
      constexpr unsigned kListens = 10;
      if (remote == static_cast<unsigned>(port_)) bytes += sent;
      if (local == static_cast<unsigned>(port_) && state != kListens) bytes += received;
    }
    return bytes;
  }
  // How much it reads until its client ends.
  size_t ReadAll() const {
    std::string buffer(1 << 16, '\0');
    size_t all = 0;
    for (ssize_t n = 1; n > 0; all += static_cast<size_t>(std::max<ssize_t>(n, 0))) {
      n = recv(fd_, buffer.data(), buffer.size(), 0);
    }
    return all;
  }

 private:
  const int listener_;
  int fd_ = -1;
  int port_ = 0;
};

class BrowserGateTest : public LoopTest {
 protected:
  void TearDown() override {
    RunOnLoop([this] { gate_.reset(); });
  }
  int Open(BrowserGate::Options options) {
    int port = 0;
    RunOnLoop([&] {
      gate_ = std::make_unique<BrowserGate>(loop(), std::move(options));
      const base::Outcome<int> listening = gate_->Listen();
      if (listening.ok()) port = *listening;
    });
    EXPECT_NE(port, 0);
    return port;
  }

 private:
  std::unique_ptr<BrowserGate> gate_;
};

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
const std::string kQuestion = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(BrowserGateTest, CarriesBothWaysToAnAllowedAddress) {
  RawServer four({kAnswer});
  RawServer six({kAnswer}, /*ipv6=*/true);
  const int gate = Open({.private_addresses_allowed = true});
  for (const auto& [host, port] :
       {std::pair("127.0.0.1", four.port()), {"localhost", four.port()}, {"::1", six.port()}}) {
    Client client(gate);
    ASSERT_EQ(client.Connect(host, port), 0) << host;
    for (int i = 0; i < 2; ++i) {  // on one connection
      client.Say(kQuestion);
      EXPECT_EQ(client.Hear(kAnswer.size()), kAnswer) << host;
    }
  }
}

TEST_F(BrowserGateTest, RefusesEveryFormOfAPrivateAddress) {
  RawServer four({kAnswer});
  RawServer six({kAnswer}, /*ipv6=*/true);
  const int gate = Open({});
  for (const char* host :
       {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0",
        "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1",
        "169.254.169.254", "10.0.0.1", "fd00::1"}) {
    Client client(gate);
    EXPECT_EQ(client.Connect(host, four.port()), 2) << host;
    Client other(gate);
    EXPECT_EQ(other.Connect(host, six.port()), 2) << host;
  }
  // Some resolvers know this one, others do not.
  EXPECT_GT(Client(gate).Connect("localhost.", four.port()), 0);
  EXPECT_EQ(four.connections() + six.connections(), 0);
}

TEST_F(BrowserGateTest, WhatIsNoAddressIsNotReached) {
  const int gate = Open({});
  EXPECT_EQ(Client(gate).Connect("no such name", 80), -1);
  EXPECT_EQ(Client(gate).Connect("name.invalid", 80), 4);
}

TEST_F(BrowserGateTest, NothingLeavesWhileCallsMayNot) {
  RawServer server({kAnswer});
  std::atomic<bool> may = true;
  const int gate =
      Open({.private_addresses_allowed = true, .may_send = [&may] { return may.load(); }});
  Client open(gate);
  ASSERT_EQ(open.Connect("127.0.0.1", server.port()), 0);
  open.Say(kQuestion);
  EXPECT_EQ(open.Hear(kAnswer.size()), kAnswer);
  may = false;
  EXPECT_EQ(Client(gate).Connect("127.0.0.1", server.port()), 2);
  open.Say(kQuestion);
  EXPECT_EQ(open.Hear(1), "");
  EXPECT_EQ(server.requests(), 1);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(BrowserGateTest, WhatWaitsForASlowServerDoesNotLeaveAnyMore) {
  SlowServer server;
  std::atomic<bool> may = true;
  const int gate =
      Open({.private_addresses_allowed = true, .may_send = [&may] { return may.load(); }});
  Client client(gate);
  ASSERT_EQ(client.Connect("127.0.0.1", server.port()), 0);
  server.Accept();
  client.SayUntilFull([this] { RunOnLoop([] {}); });
  may = false;
  RunOnLoop([] {});
  const size_t left_before = server.OnTheWay();
  EXPECT_GT(left_before, 0U);
  EXPECT_LE(server.ReadAll(), left_before);
}

TEST_F(BrowserGateTest, WhoSaysNothingIsSentAway) {
  const int gate = Open({.connect_timeout = absl::Milliseconds(1)});
  EXPECT_EQ(Client(gate).Hear(1), "");
}

TEST_F(BrowserGateTest, WhatIsNoSocksIsEnded) {
  const int gate = Open({});
  Client client(gate);
  client.Say(kQuestion);
  EXPECT_EQ(client.Hear(1), "");
}

}  // namespace
}  // namespace connector_test
