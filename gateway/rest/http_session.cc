#include "gateway/rest/http_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <prometheus/counter.h>

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "orchestrator/base/metrics.h"

namespace gateway {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using beast::error_code;

// How much of an unwanted body is read and thrown away, so that the peer, busy sending, gets to
// read the answer instead of a reset.
constexpr size_t kDiscardBytesMax = 32 << 20;
constexpr std::chrono::milliseconds kLingerUnread(5000);
constexpr std::chrono::milliseconds kLinger(500);
constexpr size_t kFirstReadBytes = 1024;
constexpr size_t kStreamBacklogMax = 4;  // pieces; the keep-alive waits for none of them

std::chrono::milliseconds Milliseconds(absl::Duration duration) {
  return std::chrono::milliseconds(absl::ToInt64Milliseconds(duration));
}

// What `bytes` may take: `base`, and their time at the least speed.
std::chrono::milliseconds TimeFor(absl::Duration base, size_t bytes,
                                  const RestServerOptions& options) {
  return Milliseconds(
      base + absl::Seconds(static_cast<double>(bytes) / std::max(1, options.bytes_per_second_min)));
}

std::string Text(beast::string_view view) { return std::string(view.data(), view.size()); }

std::string HttpDate(absl::Time now) {  // RFC 9110 section 5.6.7
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", now, absl::UTCTimeZone());
}

}  // namespace

// The handler's side of one request. Everything it does happens on the session's strand, and
// nothing once the server has stopped.
class HttpSession::ExchangeImpl : public Exchange {
 public:
  explicit ExchangeImpl(std::shared_ptr<HttpSession> session)
      : session_(std::move(session)), peer_(session_->peer_), number_(session_->answered_) {}

  void Run(absl::AnyInvocable<void()> fn) override {
    if (session_->context_->stopped) return;
    asio::dispatch(session_->stream_.get_executor(),
                   [session = session_, fn = std::move(fn)]() mutable {
                     if (!session->context_->stopped) fn();
                   });
  }
  void Send(HttpResponse response) override {
    Run([session = session_.get(), number = number_, response = std::move(response)]() mutable {
      if (session->answered_ == number) session->SendResponse(std::move(response));
    });
  }
  void StartStream(HttpResponse head, std::string keep_alive) override {
    Run([session = session_.get(), number = number_, head = std::move(head),
         keep_alive = std::move(keep_alive), peer = peer_]() mutable {
      if (session->answered_ != number) return;
      session->StartStream(std::move(head), std::move(keep_alive), std::move(peer));
    });
  }
  void Write(std::string piece, absl::AnyInvocable<void(bool)> done) override {
    Run([session = session_.get(), number = number_, piece = std::move(piece),
         done = std::move(done)]() mutable {
      if (session->answered_ != number + 1) {  // another answer has been sent
        if (done) done(false);
        return;
      }
      session->Push({std::move(piece), std::move(done)});
    });
  }
  void EndStream() override {
    Run([session = session_.get(), number = number_] {
      if (session->answered_ == number + 1) session->Push({.last = true});
    });
  }
  void UnlessAnswered(absl::Duration delay, absl::AnyInvocable<void()> fn) override {
    Run([session = session_, number = number_, delay, fn = std::move(fn)]() mutable {
      if (session->answered_ != number) return;
      session->timer_.expires_after(Milliseconds(delay));
      session->timer_.async_wait([session, number, fn = std::move(fn)](error_code error) mutable {
        if (!error && session->answered_ == number && !session->context_->stopped) fn();
      });
    });
  }
  void UnlessAnsweredAtEnd(absl::AnyInvocable<void()> fn) override {
    Run([session = session_.get(), number = number_, fn = std::move(fn)]() mutable {
      if (session->answered_ == number) session->answer_now_ = std::move(fn);
    });
  }
  const std::shared_ptr<Peer>& peer() const override { return peer_; }

 private:
  const std::shared_ptr<HttpSession> session_;
  const std::shared_ptr<Peer> peer_;
  const uint64_t number_;  // of the request
};

RestContext::RestContext(RestServerOptions options_in, const RestHandler& handler_in,
                         base::Clock& clock_in)
    : options(std::move(options_in)),
      handler(handler_in),
      clock(clock_in),
      policy([this] {
        HttpPolicyOptions with = options.policy;
        with.tls = options.tls != nullptr;
        return with;
      }()),
      counts({.max = options.connections_max,
              .per_address_max = options.connections_per_address_max}) {}

void RestContext::Refused(const char* reason) {
  if (options.metrics == nullptr) return;
  options.metrics
      ->Counter("http_connections_refused_total",
                "HTTP connections closed because they were too many or too slow.",
                {{"reason", reason}})
      .Increment();
}

HttpSession::HttpSession(std::shared_ptr<RestContext> context, asio::ip::tcp::socket socket,
                         ConnectionCounts::Lease lease)
    : context_(std::move(context)),
      lease_(std::move(lease)),
      refusal_(lease_.refusal()),
      stream_(std::move(socket), context_->tls == nullptr ? nullptr : context_->tls->context()),
      timer_(stream_.get_executor()) {
  if (refusal_ != ConnectionCounts::Refusal::kNone) ++context_->refusing;
}

HttpSession::~HttpSession() {
  if (refusal_ != ConnectionCounts::Refusal::kNone) --context_->refusing;
}

void HttpSession::Start() {
  asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
    error_code ignored;
    self->stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    const auto peer = self->stream_.socket().remote_endpoint(ignored);
    if (!ignored) self->address_ = absl::StrCat(peer.address().to_string(), ":", peer.port());
    if (self->stream_.tls() != nullptr) return self->Handshake();
    self->AwaitRequest();
  });
}

void HttpSession::Handshake() {
  stream_.tcp().expires_after(Milliseconds(context_->options.header_timeout));
  stream_.tls()->async_handshake(
      asio::ssl::stream_base::server, [self = shared_from_this()](error_code error) {
        if (error.category() == asio::error::get_ssl_category() &&
            ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST) {
          return self->AnswerPlainText();
        }
        if (error) return self->CloseSlow(error, "handshake");
        self->certificate_ = PeerOf(self->stream_.tls()->native_handle());
        self->AwaitRequest();
      });
}

// To HTTP on a port that speaks TLS.
void HttpSession::AnswerPlainText() {
  static const std::string kAnswer =
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
      "Content-Length: 38\r\n\r\nthis port speaks HTTPS; use https://\r\n";
  asio::async_write(stream_.tcp(), asio::buffer(kAnswer),
                    [self = shared_from_this()](error_code error, size_t) {
                      if (error) return self->Close();
                      self->unread_ = true;
                      self->LingerOn();
                    });
}

void HttpSession::Drain() {
  asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
    if (self->idle_ && self->buffer_.size() == 0) return self->Close();
    if (self->peer_ != nullptr && !self->keep_alive_piece_.empty()) {
      self->peer_->SetGone(ServerStopping());
    }
  });
}

void HttpSession::AnswerNow() {
  ++context_->last_answers;
  std::shared_ptr<void> counted(nullptr, [context = context_](void*) { --context->last_answers; });
  asio::dispatch(stream_.get_executor(),
                 [self = shared_from_this(), counted = std::move(counted)]() mutable {
                   auto answer = std::exchange(self->answer_now_, nullptr);
                   if (!answer) return;
                   self->last_answer_ = std::move(counted);
                   answer();
                 });
}

void HttpSession::Close() {
  asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
    self->timer_.cancel();
    self->answer_now_ = nullptr;
    self->last_answer_ = nullptr;
    error_code ignored;
    self->stream_.socket().close(ignored);
    self->broken_ = true;
    // A handler that still works for the closed connection does not make it one.
    self->lease_.Release();
    self->EndPeer();
  });
}

void HttpSession::EndPeer() {
  if (auto peer = std::exchange(peer_, nullptr)) peer->SetGone();
}

// Until the first byte of a request the connection is idle; from it on the header has to hurry.
void HttpSession::AwaitRequest() {
  idle_ = true;
  if (buffer_.size() > 0) return ReadHeader();
  if (context_->draining) return Close();
  stream_.tcp().expires_after(Milliseconds(context_->options.idle_timeout));
  stream_.async_read_some(buffer_.prepare(kFirstReadBytes),
                          [self = shared_from_this()](error_code error, size_t bytes) {
                            if (error) return self->Close();
                            self->buffer_.commit(bytes);
                            self->ReadHeader();
                          });
}

void HttpSession::ReadHeader() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(context_->options.header_bytes_max));
  parser_->body_limit(context_->options.body_bytes_max);
  stream_.tcp().expires_after(Milliseconds(context_->options.header_timeout));
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, size_t) { self->OnHeader(error); });
}

void HttpSession::OnHeader(error_code error) {
  idle_ = false;
  const auto& head = parser_->get();
  head_only_ = head.method() == http::verb::head;
  version_ = head.version();
  keep_alive_ = !error && head.keep_alive();
  if (error) return RefuseRead(error);
  if (refusal_ == ConnectionCounts::Refusal::kAll) {
    return Refuse(503, absl::UnavailableError(absl::StrCat("the server has its most connections, ",
                                                           context_->options.connections_max,
                                                           "; try again")));
  }
  if (refusal_ == ConnectionCounts::Refusal::kAddress) {
    return Refuse(429, absl::ResourceExhaustedError(
                           absl::StrCat("your address has its most connections, ",
                                        context_->options.connections_per_address_max,
                                        "; close some, or use one for many requests")));
  }
  if (head.target().size() > context_->options.target_bytes_max) {
    return Refuse(414, absl::InvalidArgumentError(
                           absl::StrCat("the URL has ", head.target().size(), " bytes, at most ",
                                        context_->options.target_bytes_max, " may be")));
  }
  if (version_ >= 11 && head.count(http::field::host) != 1) {
    return Refuse(400, absl::InvalidArgumentError("the request needs exactly one Host header"));
  }
  if (beast::iequals(head[http::field::expect], "100-continue")) return Continue();
  ReadBody();
}

// Answers what could not be read, when an answer makes sense.
void HttpSession::RefuseRead(error_code error) {
  const RestServerOptions& options = context_->options;
  if (error == beast::error::timeout) return CloseSlow(error, "header");
  if (error == http::error::body_limit) {
    return Refuse(413, absl::InvalidArgumentError(absl::StrCat("the body is larger than ",
                                                               options.body_bytes_max, " bytes")));
  }
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    // Nothing parsed yet: the request line alone was too long.
    if (parser_->get().target().empty()) {
      return Refuse(
          414, absl::InvalidArgumentError(absl::StrCat(
                   "the URL has more than the ", options.target_bytes_max, " bytes there may be")));
    }
    return Refuse(431, absl::InvalidArgumentError(absl::StrCat(
                           "the headers are larger than ", options.header_bytes_max, " bytes")));
  }
  const bool malformed = error.category() == make_error_code(http::error::bad_method).category() &&
                         error != http::error::end_of_stream &&
                         error != http::error::partial_message;
  if (!malformed) return Close();
  Refuse(400, absl::InvalidArgumentError(
                  absl::StrCat("this is not a valid HTTP request: ", error.message())));
}

void HttpSession::Continue() {
  static const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.tcp().expires_after(Milliseconds(context_->options.write_timeout));
  asio::async_write(stream_, asio::buffer(kContinue),
                    [self = shared_from_this()](error_code error, size_t) {
                      if (error) return self->Close();
                      self->ReadBody();
                    });
}

void HttpSession::ReadBody() {
  body_start_ = context_->clock.Monotonic();
  body_bytes_ = 0;
  parser_->eager(true);
  ReadMoreBody();
}

// A body may be slow, but not slower than its least speed: each byte buys a little time.
void HttpSession::ReadMoreBody() {
  if (parser_->is_done()) return OnBody({});
  const auto spent = Milliseconds(context_->clock.Monotonic() - body_start_);
  const auto allowed = TimeFor(context_->options.read_timeout, body_bytes_, context_->options);
  stream_.tcp().expires_after(std::max(allowed - spent, std::chrono::milliseconds(1)));
  http::async_read_some(stream_, buffer_, *parser_,
                        [self = shared_from_this()](error_code error, size_t bytes) {
                          if (error) return self->OnBody(error);
                          self->body_bytes_ += bytes;
                          self->ReadMoreBody();
                        });
}

void HttpSession::OnBody(error_code error) {
  if (error) {
    keep_alive_ = false;
    if (error == beast::error::timeout) return CloseSlow(error, "body");
    return RefuseRead(error);
  }
  stream_.tcp().expires_never();
  Dispatch();
}

void HttpSession::CloseSlow(error_code error, const char* reason) {
  if (error == beast::error::timeout) context_->Refused(reason);
  Close();
}

HttpRequest HttpSession::TakeRequest() {
  auto message = parser_->release();
  HttpRequest request;
  request.method = Text(message.method_string());
  std::string target = Text(message.target());
  if (const size_t scheme = target.find("://"); scheme != target.npos && target[0] != '/') {
    const size_t slash = target.find('/', scheme + 3);  // absolute form, as proxies send it
    target = slash == target.npos ? "/" : target.substr(slash);
  }
  if (const size_t fragment = target.find('#'); fragment != target.npos) target.resize(fragment);
  const size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != target.npos) request.query = target.substr(question + 1);
  for (const auto& field : message) {
    request.headers.emplace(absl::AsciiStrToLower(Text(field.name_string())), Text(field.value()));
  }
  request.body = std::move(message.body());
  request.peer_address = address_;
  request.peer_certificate = certificate_;
  if (certificate_ != nullptr) request.certificate = certificate_->Identity();
  facts_ = RequestFacts::Of(request);
  return request;
}

void HttpSession::Dispatch() {
  peer_ = std::make_shared<Peer>();
  HttpRequest request = TakeRequest();
  idle_ = false;
  if (const std::optional<HttpRefusal> refusal = context_->policy.Refuse(facts_)) {
    return SendResponse(context_->handler.Refuse(request, refusal->http_status, refusal->status));
  }
  context_->handler.Handle(std::move(request), std::make_shared<ExchangeImpl>(shared_from_this()));
}

// Answers without having read all of the request, so the connection cannot go on.
void HttpSession::Refuse(int http_status, const absl::Status& status) {
  keep_alive_ = false;
  unread_ = true;
  SendResponse(context_->handler.Refuse(TakeRequest(), http_status, status));
}

void HttpSession::SendResponse(HttpResponse from) {
  ++answered_;
  timer_.cancel();
  answer_now_ = nullptr;
  if (broken_) return;
  const bool encoded =
      std::any_of(from.headers.begin(), from.headers.end(),
                  [](const auto& header) { return header.first == "Content-Encoding"; });
  if (from.content_type == kJsonType && !from.body.empty() && !encoded) from.body.push_back('\n');
  context_->policy.Finish(facts_, &from);
  auto response = std::make_shared<http::response<http::string_body>>();
  response->version(version_ < 11 ? 10 : 11);
  response->result(static_cast<unsigned>(from.status));
  if (from.status == 499) response->reason("Client Closed Request");
  for (const auto& [name, value] : from.headers) response->insert(name, value);
  response->set(http::field::server, "campaignd");
  response->set(http::field::date, HttpDate(context_->clock.Now()));
  const bool close = !keep_alive_ || context_->draining;
  response->keep_alive(!close);
  size_t bytes = 0;
  if (from.status != 204 && from.status != 304) {
    bytes = from.body.size();
    response->set(http::field::content_type, from.content_type);
    response->content_length(bytes);
    if (!head_only_) response->body() = std::move(from.body);
  }
  peer_ = nullptr;
  stream_.tcp().expires_after(TimeFor(context_->options.write_timeout, bytes, context_->options));
  const auto written = [self = shared_from_this(), response, close](error_code error, size_t) {
    self->OnResponse(error, close);
  };
  http::async_write(stream_, *response, written);
}

void HttpSession::OnResponse(error_code error, bool close) {
  last_answer_ = nullptr;
  if (error) return CloseSlow(error, "write");
  if (close) return Linger();
  AwaitRequest();
}

// Closes our side, then waits a little for the peer to close its own: closing with unread bytes
// would reset the connection and could lose the answer (RFC 9112 section 9.6).
void HttpSession::Linger() {
  if (stream_.tls() == nullptr) return LingerOn();
  // A read that is under way (WatchPeer) is not bound by the stream's own time limit.
  timer_.expires_after(unread_ ? kLingerUnread : 2 * kLinger);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->Close();
  });
  stream_.tcp().expires_after(kLinger);
  // Says that this is the end; the peer's own end need not come.
  stream_.tls()->async_shutdown([self = shared_from_this()](error_code error) {
    if (error == beast::error::timeout) return self->Close();
    self->LingerOn();
  });
}

void HttpSession::LingerOn() {
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  if (peeking_) return;  // that read ends with the peer, or by the timer
  stream_.tcp().expires_after(unread_ ? kLingerUnread : kLinger);
  buffer_.clear();
  Discard(0);
}

void HttpSession::Discard(size_t discarded) {
  if (discarded > kDiscardBytesMax) return Close();
  stream_.tcp().async_read_some(buffer_.prepare(64 << 10), [self = shared_from_this(), discarded](
                                                               error_code error, size_t bytes) {
    if (error) return self->Close();
    self->Discard(discarded + bytes);
  });
}

void HttpSession::StartStream(HttpResponse head, std::string keep_alive,
                              std::shared_ptr<Peer> peer) {
  ++answered_;
  timer_.cancel();
  answer_now_ = nullptr;
  context_->policy.FinishStream(facts_, &head);
  facts_ = {};
  parser_.reset();  // a stream may be idle for long: it keeps nothing it does not need
  if (buffer_.size() == 0) buffer_ = {};
  chunked_ = version_ >= 11;
  keep_alive_piece_ = std::move(keep_alive);
  peer_ = std::move(peer);
  http::response<http::empty_body> response;
  response.version(chunked_ ? 11 : 10);
  response.result(static_cast<unsigned>(head.status));
  for (const auto& [name, value] : head.headers) response.insert(name, value);
  response.set(http::field::content_type, head.content_type);
  response.set(http::field::server, "campaignd");
  response.set(http::field::date, HttpDate(context_->clock.Now()));
  response.set(http::field::connection, "close");
  if (chunked_) response.set(http::field::transfer_encoding, "chunked");
  std::ostringstream text;
  text << response.base();
  Piece piece;
  piece.bytes = text.str();
  pieces_.push_back(std::move(piece));
  WriteNext();
  WatchPeer();
  ScheduleKeepAlive();
}

void HttpSession::Push(Piece piece) {
  if (broken_) {
    if (piece.done) piece.done(false);
    return;
  }
  if (chunked_) {
    piece.bytes = piece.last
                      ? "0\r\n\r\n"
                      : absl::StrCat(absl::Hex(piece.bytes.size()), "\r\n", piece.bytes, "\r\n");
  }
  pieces_.push_back(std::move(piece));
  if (!writing_) WriteNext();
}

void HttpSession::WriteNext() {
  if (pieces_.empty()) return;
  if (pieces_.front().bytes.empty()) {  // the end of a stream that is not chunked
    pieces_.clear();
    return Linger();
  }
  writing_ = true;
  stream_.tcp().expires_after(
      TimeFor(context_->options.write_timeout, pieces_.front().bytes.size(), context_->options));
  asio::async_write(stream_, asio::buffer(pieces_.front().bytes),
                    [self = shared_from_this()](error_code error, size_t) {
                      self->writing_ = false;
                      Piece piece = std::move(self->pieces_.front());
                      self->pieces_.pop_front();
                      if (error) {
                        auto left = std::exchange(self->pieces_, {});
                        self->Close();
                        if (piece.done) piece.done(false);
                        for (Piece& other : left) {
                          if (other.done) other.done(false);
                        }
                        return;
                      }
                      self->stream_.tcp().expires_never();
                      if (piece.last) {
                        self->timer_.cancel();
                        self->keep_alive_piece_.clear();
                        return self->Linger();
                      }
                      self->WriteNext();
                      if (piece.done) piece.done(true);
                    });
}

void HttpSession::ScheduleKeepAlive() {
  timer_.expires_after(Milliseconds(context_->options.keep_alive_interval));
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->broken_ || self->keep_alive_piece_.empty()) return;
    if (self->pieces_.size() < kStreamBacklogMax) {
      Piece piece;
      piece.bytes = self->keep_alive_piece_;
      self->Push(std::move(piece));
    }
    self->ScheduleKeepAlive();
  });
}

// Notices a peer that closes while nothing is being written to it.
void HttpSession::WatchPeer() {
  if (stream_.tls() != nullptr) {
    // Of TLS bytes that come nothing can be said before they are read.
    peeking_ = true;
    stream_.async_read_some(asio::buffer(&peeked_, 1),
                            [self = shared_from_this()](error_code error, size_t) {
                              self->peeking_ = false;
                              if (error) self->Close();
                            });
    return;
  }
  stream_.socket().async_wait(
      asio::ip::tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
        if (error) return self->EndPeer();
        char byte = 0;
        error_code peek_error;
        self->stream_.socket().non_blocking(true, peek_error);
        const size_t bytes = self->stream_.socket().receive(
            asio::buffer(&byte, 1), asio::ip::tcp::socket::message_peek, peek_error);
        // The event of bytes that were read before: nothing has come.
        if (peek_error == asio::error::would_block) return self->WatchPeer();
        // Bytes in the middle of a stream are a pipelined request, which will not be answered.
        if (peek_error || bytes == 0) self->Close();
      });
}

}  // namespace gateway
