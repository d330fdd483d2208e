// One HTTP connection on Beast: reads requests one after another (keep-alive, pipelining), hands
// them to the RestHandler, writes what that answers. Heavy header: server.cc and http_session.cc.
//
// Thread-safety: a session's work runs on its strand; Start, Drain, AnswerNow and Close from any
// thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "gateway/grpc/connection_counts.h"
#include "gateway/rest/http.h"
#include "gateway/rest/http_policy.h"
#include "gateway/rest/http_stream.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/rest/rest_tls.h"
#include "gateway/rest/server.h"

namespace gateway {

// What all sessions share. Sessions keep it alive: a late answer finds it stopped, not gone.
struct RestContext {
  RestContext(RestServerOptions options_in, const RestHandler& handler_in, base::Clock& clock_in);
  // Counts a connection that was closed for `reason`.
  void Refused(const char* reason);

  const RestServerOptions options;
  const RestHandler& handler;
  base::Clock& clock;
  const HttpPolicy policy;
  std::unique_ptr<RestTls> tls;  // null: without TLS
  ConnectionCounts counts;
  boost::asio::io_context io;
  std::atomic<int> refusing{0};      // connections that are being told that they are too many
  std::atomic<int> last_answers{0};  // of AnswerNow, on their way
  std::atomic<bool> draining{false};
  std::atomic<bool> stopped{false};
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  // A session whose lease is refused answers its first request with 503 or 429.
  HttpSession(std::shared_ptr<RestContext> context, boost::asio::ip::tcp::socket socket,
              ConnectionCounts::Lease lease);
  ~HttpSession();

  void Start();
  // Closes when idle, else after the response under way; ends an event stream.
  void Drain();
  // Has the request under way answered, if it is not.
  void AnswerNow();
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

  void Handshake();
  void AnswerPlainText();
  void AwaitRequest();
  void ReadHeader();
  void OnHeader(boost::beast::error_code error);
  void RefuseRead(boost::beast::error_code error);
  void Continue();
  void ReadBody();
  void ReadMoreBody();
  void OnBody(boost::beast::error_code error);
  void Dispatch();
  HttpRequest TakeRequest();

  void Refuse(int http_status, const absl::Status& status);
  void SendResponse(HttpResponse response);
  void OnResponse(boost::beast::error_code error, bool close);
  void Linger();
  void LingerOn();
  void Discard(size_t discarded);
  void CloseSlow(boost::beast::error_code error, const char* reason);

  void StartStream(HttpResponse head, std::string keep_alive, std::shared_ptr<Peer> peer);
  void Push(Piece piece);
  void WriteNext();
  void ScheduleKeepAlive();
  void WatchPeer();
  void EndPeer();

  const std::shared_ptr<RestContext> context_;
  ConnectionCounts::Lease lease_;
  const ConnectionCounts::Refusal refusal_;
  HttpStream stream_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  boost::asio::steady_timer timer_;  // of the keep-alive of a stream, before it of the deadline
  absl::Duration body_start_;        // monotonic
  size_t body_bytes_ = 0;            // read so far
  std::string address_;              // of the peer, "192.0.2.7:40112"
  std::shared_ptr<const tls::PeerCertificate> certificate_;
  RequestFacts facts_;                     // of the request under way
  uint64_t answered_ = 0;                  // requests; what an older one still sends is dropped
  absl::AnyInvocable<void()> answer_now_;  // empty when there is nothing to answer
  std::shared_ptr<void> last_answer_;      // counts in last_answers until it is written
  bool idle_ = true;                       // no request under way
  bool unread_ = false;                    // the request was refused before it was read
  bool head_only_ = false;                 // the request is a HEAD
  bool keep_alive_ = false;                // the request's wish
  unsigned version_ = 11;

  // Of an event stream.
  bool chunked_ = false;
  bool writing_ = false;
  bool broken_ = false;
  char peeked_ = 0;
  bool peeking_ = false;  // WatchPeer reads, with TLS
  std::string keep_alive_piece_;
  std::deque<Piece> pieces_;
  std::shared_ptr<Peer> peer_;  // of the request under way
};

}  // namespace gateway
