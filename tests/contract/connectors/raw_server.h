// RawServer: a TCP server on the loopback address that answers each request with the next text of a
// list (the last one again and again), byte by byte as given. "" closes the connection instead,
// kHang says nothing until the server is destroyed. For what no HTTP library would do.
//
// Thread-safety: url, connections and requests are thread-safe.
//
// Example:
//   RawServer server({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", ""});
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace connector_test {

class RawServer {
 public:
  static inline const std::string kHang = "hang";
  // On 127.0.0.1, or on ::1.
  explicit RawServer(std::vector<std::string> answers, bool ipv6 = false);
  ~RawServer();

  std::string url() const;
  int port() const { return port_; }
  int connections() const { return connections_; }
  int requests() const { return requests_; }

 private:
  struct Connection;
  void Serve();
  // False when the connection is over.
  bool ReadAndAnswer(Connection& connection);

  const std::vector<std::string> answers_;
  const bool ipv6_;
  int listen_fd_ = -1;
  int stop_fd_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

}  // namespace connector_test
