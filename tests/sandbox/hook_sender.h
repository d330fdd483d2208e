// HookSender: sends webhooks over HTTP on the server's loop, several at once.
// Heavy header: for server.cc and hook_sender.cc.
// Thread-safety: the loop's thread only.
//
// Example:
//   HookSender sender(loop);
//   sender.Send(request, [](int status, std::string answer) { ... });   // 0: no answer
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "tests/sandbox/hooks.h"

namespace sandbox {

class HookSender {
 public:
  using Done = std::function<void(int status, std::string answer)>;
  explicit HookSender(boost::asio::io_context& loop) : loop_(loop) {}

  // Only http:// addresses with a numeric host or localhost; `done` is called once.
  void Send(HookRequest request, Done done);

 private:
  boost::asio::io_context& loop_;
};

}  // namespace sandbox
