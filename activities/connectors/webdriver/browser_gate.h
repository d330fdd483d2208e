// BrowserGate: the only way out of our browsers, a SOCKS 5 server (RFC 1928: CONNECT, no
// authentication) on the loopback address. It resolves the names that pages use, refuses addresses
// that are not public, and connects to the very addresses that it looked at. So a name that
// resolves to something else a moment later (DNS rebinding), a redirect, a part of a page and a
// WebSocket all meet the same check. While calls may not leave it lets nothing through.
//
// Thread-safety: loop thread only, except the constructor. The destructor: on the loop, or after it
// has stopped.
//
// Example:
//   webdriver::BrowserGate gate(loop, {});
//   base::Outcome<int> port = gate.Listen();
//   ... chromium --proxy-server=socks5://127.0.0.1:PORT --proxy-bypass-list='<-loopback>'
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/outcome.h"

namespace webdriver {

class BrowserGate {
 public:
  struct Options {
    bool private_addresses_allowed = false;
    // Asked before each connection and before what a page sends on one; empty: always.
    std::function<bool()> may_send;
    int connections_max = 512;
    absl::Duration connect_timeout = absl::Seconds(15);  // with the time to resolve
    absl::Duration open_max = absl::Minutes(5);          // a page takes less
  };

  BrowserGate(base::EpollLoop& loop, Options options);
  ~BrowserGate();
  BrowserGate(const BrowserGate&) = delete;
  BrowserGate& operator=(const BrowserGate&) = delete;

  // The port on 127.0.0.1; the same one until Close. Failure: "Internal".
  base::Outcome<int> Listen();
  // Ends all connections.
  void Close();

 private:
  struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
  };
  struct Connection;
  struct Home;
  struct Lookup;

  void Accept();
  void OnClient(uint64_t id, uint32_t events);
  void OnServer(uint64_t id, uint32_t events);
  // Of what the client said so far; false when the connection is over.
  bool Negotiate(uint64_t id, Connection& connection);
  bool Resolve(uint64_t id, const std::string& host, int port);
  void Resolved(uint64_t id, std::vector<Address> addresses);
  bool MaySend() const { return !options_.may_send || options_.may_send(); }
  void ConnectNext(uint64_t id, Connection& connection);
  // What waits for the server; false when it may not leave, or the server takes nothing any more.
  bool SendOn(Connection& connection) const;
  void EndAfter(absl::Duration time, uint64_t id, Connection& connection);
  void Refuse(uint64_t id, Connection& connection, char reply);
  void Watch(uint64_t id, Connection& connection);
  void End(uint64_t id);

  base::EpollLoop& loop_;
  const Options options_;
  const std::shared_ptr<Home> home_;  // where lookups find us, while we are there
  int listener_ = -1;
  int port_ = 0;
  uint64_t last_id_ = 0;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
};

}  // namespace webdriver
