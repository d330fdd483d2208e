#include "tests/sandbox/server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <csignal>
#include <optional>
#include <sstream>
#include <vector>

#include "tests/sandbox/hook_sender.h"

namespace sandbox {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr uint64_t kBodyBytesMax = 32 * 1024 * 1024;
constexpr uint32_t kHeaderBytesMax = 64 * 1024;
constexpr auto kIdleMax = std::chrono::seconds(300);
constexpr int kBacklog = 4096;

class Session;

// Hands replies to their sessions after the next commit.
class Outbox {
 public:
  Outbox(asio::io_context& loop, Sandbox& sandbox)
      : loop_(loop), sandbox_(sandbox), sender_(loop) {}

  void Send(std::shared_ptr<Session> session, Reply reply);
  const absl::Status& failure() const { return failure_; }

 private:
  void Flush();
  void SendHooks();

  asio::io_context& loop_;
  Sandbox& sandbox_;
  HookSender sender_;
  std::vector<std::pair<std::shared_ptr<Session>, Reply>> waiting_;
  absl::Status failure_;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Sandbox& sandbox, Outbox& outbox)
      : stream_(std::move(socket)),
        timer_(stream_.get_executor()),
        sandbox_(sandbox),
        outbox_(outbox) {}

  void Start() { ReadHeader(); }

  // The reply's effect is durable: now do what its delivery says.
  void Deliver(Reply reply);

 private:
  void ReadHeader();
  void OnHeader(error_code error);
  void ReadBody();
  void OnBody(error_code error);
  void Refuse(http::status status, const char* text);
  void Prepare(Response response);
  void Answer(Response response);
  void Write();
  void WritePart(bool drip);
  void Drip();
  void WriteEndless();
  void Repeat();
  void HoldUntilClientLeaves();
  void Reset();

  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  Sandbox& sandbox_;
  Outbox& outbox_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  http::response<http::empty_body> continue_;
  Reply pending_;
  std::string text_;  // of an answer that is sent in parts
  size_t text_sent_ = 0;
  bool keep_alive_ = true;
  bool is_head_ = false;
  unsigned version_ = 11;
};

void Outbox::Send(std::shared_ptr<Session> session, Reply reply) {
  waiting_.emplace_back(std::move(session), std::move(reply));
  // Posted once: every call that is ready before it runs joins the same commit.
  if (waiting_.size() == 1) asio::post(loop_, [this] { Flush(); });
}

void Outbox::Flush() {
  absl::Status status = sandbox_.Commit();
  if (!status.ok()) {
    failure_ = std::move(status);
    loop_.stop();
    return;
  }
  auto ready = std::move(waiting_);
  waiting_.clear();
  for (auto& [session, reply] : ready) session->Deliver(std::move(reply));
  SendHooks();
}

// What the commit caused goes out after it.
void Outbox::SendHooks() {
  for (HookRequest& request : sandbox_.TakeHooks()) {
    const std::string id = request.id;
    sender_.Send(std::move(request), [this, id](int status, const std::string& answer) {
      sandbox_.HookDone(id, status, answer);
    });
  }
}

void Session::ReadHeader() {
  parser_.emplace();
  parser_->body_limit(kBodyBytesMax);
  parser_->header_limit(kHeaderBytesMax);
  stream_.expires_after(kIdleMax);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, size_t) { self->OnHeader(error); });
}

void Session::OnHeader(error_code error) {
  if (error == http::error::header_limit) {
    return Refuse(http::status::request_header_fields_too_large, "headers are too large");
  }
  if (error == http::error::body_limit) {
    return Refuse(http::status::payload_too_large, "the body is too large");
  }
  if (error.category() == http::make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    return Refuse(http::status::bad_request, "not an HTTP request");
  }
  if (error) return;
  if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) return ReadBody();
  continue_ = {http::status::continue_, 11};
  http::async_write(stream_, continue_, [self = shared_from_this()](error_code failed, size_t) {
    if (!failed) self->ReadBody();
  });
}

void Session::ReadBody() {
  if (parser_->is_done()) return OnBody({});
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](error_code error, size_t) { self->OnBody(error); });
}

void Session::OnBody(error_code error) {
  if (error == http::error::body_limit) {
    return Refuse(http::status::payload_too_large, "the body is too large");
  }
  if (error) return;
  stream_.expires_never();
  http::request<http::string_body> message = parser_->release();
  keep_alive_ = message.keep_alive();
  version_ = message.version();
  Request request =
      MakeRequest(std::string(message.method_string()), std::string(message.target()));
  is_head_ = request.method == "HEAD";
  for (const auto& field : message) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  Reply reply = sandbox_.Handle(request);
  outbox_.Send(shared_from_this(), std::move(reply));
}

void Session::Deliver(Reply reply) {
  if (reply.delay_ms == 0) {
    pending_ = std::move(reply);
  } else {
    timer_.expires_after(std::chrono::milliseconds(reply.delay_ms));
    reply.delay_ms = 0;
    timer_.async_wait([self = shared_from_this(), held = std::move(reply)](error_code error) {
      if (!error) self->Deliver(held);
    });
    return;
  }
  switch (pending_.delivery) {
    case Delivery::kAnswer:
      return Answer(std::move(pending_.response));
    case Delivery::kHang:
      return HoldUntilClientLeaves();
    case Delivery::kCut:
    case Delivery::kDrip: {
      const bool drip = pending_.delivery == Delivery::kDrip;
      Prepare(std::move(pending_.response));
      return WritePart(drip);
    }
    case Delivery::kEndless:
      Prepare(std::move(pending_.response));
      return WriteEndless();
    case Delivery::kReset:
      return Reset();
    case Delivery::kLose: {
      error_code ignored;
      stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
      stream_.socket().close(ignored);
      return;
    }
  }
}

void Session::Refuse(http::status status, const char* text) {
  Response response = TextResponse(static_cast<int>(status), "text/plain", text);
  keep_alive_ = false;
  Answer(std::move(response));
}

void Session::Answer(Response from) {
  Prepare(std::move(from));
  Write();
}

void Session::Prepare(Response from) {
  response_.emplace(static_cast<http::status>(from.status), version_);
  response_->set(http::field::server, "vendor-sandbox");
  if (!from.content_type.empty()) response_->set(http::field::content_type, from.content_type);
  for (const auto& [name, value] : from.headers) response_->set(name, value);
  response_->keep_alive(keep_alive_);
  const size_t length = from.body.size();
  if (!is_head_) response_->body() = std::move(from.body);
  response_->prepare_payload();
  if (from.status == 204 || from.status == 304) {
    response_->erase(http::field::content_length);
  } else if (is_head_ || length == 0) {
    response_->content_length(length);
  }
}

void Session::Write() {
  http::async_write(stream_, *response_, [self = shared_from_this()](error_code error, size_t) {
    if (error) return;
    if (self->keep_alive_) return self->ReadHeader();
    error_code ignored;
    self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  });
}

// The header, which promises the whole body, and half of it.
void Session::WritePart(bool drip) {
  keep_alive_ = false;
  std::ostringstream out;
  out << *response_;
  text_ = out.str();
  text_sent_ = text_.size() - (response_->body().size() + 1) / 2;
  asio::async_write(stream_, asio::buffer(text_.data(), text_sent_),
                    [self = shared_from_this(), drip](error_code error, size_t) {
                      if (error) return;
                      if (drip) return self->Drip();
                      error_code ignored;
                      self->stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
                      self->stream_.socket().close(ignored);
                    });
}

void Session::Drip() {
  if (text_sent_ >= text_.size()) return;
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error) return;
    asio::async_write(self->stream_, asio::buffer(self->text_.data() + self->text_sent_++, 1),
                      [self](error_code failed, size_t) {
                        if (!failed) self->Drip();
                      });
  });
}

// Without a length, so that only the client ends it.
void Session::WriteEndless() {
  keep_alive_ = false;
  response_->keep_alive(false);
  response_->erase(http::field::content_length);
  const std::string body = response_->body();
  response_->body().clear();
  std::ostringstream head;
  head << *response_;
  text_ = head.str() + body;
  asio::async_write(stream_, asio::buffer(text_),
                    [self = shared_from_this(), body](error_code error, size_t) {
                      if (error) return;
                      self->text_.clear();
                      while (self->text_.size() < 64 * 1024) self->text_ += body;
                      self->Repeat();
                    });
}

void Session::Repeat() {
  asio::async_write(stream_, asio::buffer(text_),
                    [self = shared_from_this()](error_code error, size_t) {
                      if (!error) self->Repeat();
                    });
}

void Session::HoldUntilClientLeaves() {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(4096),
                          [self = shared_from_this()](error_code error, size_t) {
                            if (!error) self->HoldUntilClientLeaves();
                          });
}

void Session::Reset() {
  error_code ignored;
  // A lingering time of zero makes close() send RST in place of FIN.
  stream_.socket().set_option(asio::socket_base::linger(true, 0), ignored);
  stream_.socket().close(ignored);
}

}  // namespace

struct Server::Impl {
  explicit Impl(Sandbox& s)
      : sandbox(s), acceptor(loop), signals(loop, SIGTERM, SIGINT), outbox(loop, s) {}

  void Accept() {
    acceptor.async_accept([this](error_code error, tcp::socket socket) {
      if (!error) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        std::make_shared<Session>(std::move(socket), sandbox, outbox)->Start();
      }
      if (error != asio::error::operation_aborted) Accept();
    });
  }

  Sandbox& sandbox;
  asio::io_context loop{1};
  tcp::acceptor acceptor;
  asio::signal_set signals;
  Outbox outbox;
};

Server::Server(Sandbox& sandbox) : impl_(std::make_unique<Impl>(sandbox)) {}
Server::~Server() = default;

absl::Status Server::Listen(const std::string& address, uint16_t port) {
  error_code error;
  const auto ip = asio::ip::make_address(address, error);
  if (error) return absl::InvalidArgumentError(address + " is not an IP address");
  const tcp::endpoint endpoint(ip, port);
  tcp::acceptor& acceptor = impl_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kBacklog, error);
  if (error) {
    return absl::UnavailableError("cannot listen on " + address + ":" + std::to_string(port) +
                                  ": " + error.message());
  }
  return absl::OkStatus();
}

uint16_t Server::port() const { return impl_->acceptor.local_endpoint().port(); }

absl::Status Server::Run() {
  impl_->signals.async_wait([this](error_code error, int) {
    if (!error) impl_->loop.stop();
  });
  impl_->Accept();
  impl_->loop.run();
  if (!impl_->outbox.failure().ok()) return impl_->outbox.failure();
  return impl_->sandbox.Commit();
}

}  // namespace sandbox
