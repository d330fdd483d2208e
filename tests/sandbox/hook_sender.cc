#include "tests/sandbox/hook_sender.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace sandbox {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

struct Address {
  tcp::endpoint endpoint;
  std::string host;
  std::string target;
};

std::optional<Address> ParseUrl(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return std::nullopt;
  const size_t slash = url.find('/', kScheme.size());
  const std::string host = url.substr(kScheme.size(), slash - kScheme.size());
  const size_t colon = host.rfind(':');
  std::string name = host.substr(0, colon);
  if (name == "localhost") name = "127.0.0.1";
  const std::string digits = colon == host.npos ? "80" : host.substr(colon + 1);
  if (digits.empty() || digits.size() > 5 ||
      digits.find_first_not_of("0123456789") != digits.npos || std::stoi(digits) > 65535) {
    return std::nullopt;
  }
  error_code error;
  const auto ip = asio::ip::make_address(name, error);
  if (error) return std::nullopt;
  return Address{.endpoint = tcp::endpoint(ip, static_cast<uint16_t>(std::stoi(digits))),
                 .host = host,
                 .target = slash == url.npos ? "/" : url.substr(slash)};
}

class Sending : public std::enable_shared_from_this<Sending> {
 public:
  Sending(asio::io_context& loop, HookRequest request, HookSender::Done done)
      : stream_(loop), request_(std::move(request)), done_(std::move(done)) {}

  void Start(const Address& address) {
    message_.method(http::verb::post);
    message_.target(address.target);
    message_.version(11);
    message_.set(http::field::host, address.host);
    for (const auto& [name, value] : request_.headers) message_.set(name, value);
    message_.keep_alive(false);
    message_.body() = std::move(request_.body);
    message_.prepare_payload();
    stream_.expires_after(std::chrono::milliseconds(request_.timeout_ms));
    stream_.async_connect(address.endpoint, [self = shared_from_this()](error_code error) {
      if (error) return self->End(0, error.message());
      self->Write();
    });
  }

 private:
  void Write() {
    http::async_write(stream_, message_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->End(0, error.message());
      self->Read();
    });
  }
  void Read() {
    http::async_read(stream_, buffer_, answer_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->End(0, error.message());
                       self->End(self->answer_.result_int(), std::move(self->answer_.body()));
                     });
  }
  void End(int status, std::string answer) {
    error_code ignored;
    stream_.socket().close(ignored);
    done_(status, std::move(answer));
  }

  beast::tcp_stream stream_;
  HookRequest request_;
  HookSender::Done done_;
  http::request<http::string_body> message_;
  beast::flat_buffer buffer_;
  http::response<http::string_body> answer_;
};

}  // namespace

void HookSender::Send(HookRequest request, Done done) {
  const std::optional<Address> address = ParseUrl(request.url);
  if (!address) {
    asio::post(loop_, [done = std::move(done)] { done(0, "no address that can be sent to"); });
    return;
  }
  std::make_shared<Sending>(loop_, std::move(request), std::move(done))->Start(*address);
}

}  // namespace sandbox
