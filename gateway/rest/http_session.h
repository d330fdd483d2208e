// One HTTP connection on Beast: reads requests one after another (keep-alive, pipelining), hands
// them to the RestHandler, writes what that answers. Heavy header: server.cc and http_session.cc.
//
// Thread-safety: a session's work runs on its strand; Start, Drain and Close from any thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "gateway/rest/http.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/rest/server.h"

namespace gateway {

// What all sessions share. Sessions keep it alive: a late answer finds it stopped, not gone.
struct RestContext {
  RestContext(RestServerOptions options_in, const RestHandler& handler_in, base::Clock& clock_in)
      : options(std::move(options_in)), handler(handler_in), clock(clock_in) {}
  const RestServerOptions options;
  const RestHandler& handler;
  base::Clock& clock;
  boost::asio::io_context io;
  std::atomic<int> connections{0};
  std::atomic<bool> draining{false};
  std::atomic<bool> stopped{false};
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  // A `refused` session answers its first request with 503.
  HttpSession(std::shared_ptr<RestContext> context, boost::asio::ip::tcp::socket socket,
              bool refused);
  ~HttpSession();

  void Start();
  // Closes when idle, else after the response under way; ends an event stream.
  void Drain();
  void Close();

 private:
  class ExchangeImpl;
  friend class ExchangeImpl;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  struct Piece {
    std::string bytes;
    absl::AnyInvocable<void(bool)> done;
    bool last = false;
  };

  void ReadHeader();
  void OnHeader(boost::beast::error_code error);
  void RefuseRead(boost::beast::error_code error);
  void Continue();
  void ReadBody();
  void OnBody(boost::beast::error_code error);
  void Dispatch();
  HttpRequest TakeRequest();

  void Refuse(int http_status, const absl::Status& status);
  void SendResponse(HttpResponse response);
  void OnResponse(boost::beast::error_code error, bool close);
  void Linger();
  void Discard(size_t discarded);

  void StartStream(HttpResponse head, std::string keep_alive, std::shared_ptr<Peer> peer);
  void Push(Piece piece);
  void WriteNext();
  void ScheduleKeepAlive();
  void WatchPeer();
  void EndPeer();

  const std::shared_ptr<RestContext> context_;
  const bool refused_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  boost::asio::steady_timer timer_;
  bool counted_ = true;      // among the context's connections
  bool idle_ = true;         // no request under way
  bool unread_ = false;      // the request was refused before it was read
  bool head_only_ = false;   // the request is a HEAD
  bool keep_alive_ = false;  // the request's wish
  unsigned version_ = 11;

  // Of an event stream.
  bool chunked_ = false;
  bool writing_ = false;
  bool broken_ = false;
  std::string keep_alive_piece_;
  std::deque<Piece> pieces_;
  std::shared_ptr<Peer> peer_;  // of the request under way
};

}  // namespace gateway
