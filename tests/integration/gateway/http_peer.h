// A bare HTTP/1.1 client on a blocking socket, for sending what no proper client would send.
#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace gateway {

struct HttpAnswer {
  int status = 0;                              // 0: the connection closed without an answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class HttpPeer {
 public:
  explicit HttpPeer(int port);
  ~HttpPeer();
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  // False when the peer has closed.
  bool Send(absl::string_view bytes);
  // One response, by Content-Length, chunks, or the end of the connection.
  HttpAnswer Read(bool head_only = false);
  // Reads until `text` has come; what came before it and itself. Empty at the end.
  std::string ReadUntil(absl::string_view text);
  HttpAnswer Call(const std::string& method, const std::string& target,
                  const std::string& body = "", const std::string& headers = "");

 private:
  bool Fill();
  std::string Take(size_t bytes);

  int fd_ = -1;
  std::string buffer_;
};

}  // namespace gateway
