#include "gateway/rest/server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/strand.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gateway/rest/http_session.h"
#include "orchestrator/base/status_macros.h"

namespace gateway {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {
constexpr std::chrono::milliseconds kAcceptPause(100);
constexpr int kRefusingMax = 100;  // connections that are being told that they are too many
constexpr absl::Duration kLastAnswers = absl::Milliseconds(500);  // to go out
}  // namespace

struct RestServer::Impl {
  Impl(RestServerOptions options, const RestHandler& handler, base::Clock& clock)
      : context(std::make_shared<RestContext>(std::move(options), handler, clock)),
        acceptor(asio::make_strand(context->io)),
        pause(acceptor.get_executor()) {}

  void Accept();
  void Accepted(tcp::socket socket);
  void ForEachSession(void (HttpSession::*method)());
  // Until `holds`, or for `limit`.
  void Await(bool (*holds)(RestContext*), absl::Duration limit);

  const std::shared_ptr<RestContext> context;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::vector<std::thread> threads;
  int port = 0;
  bool running = false;

  absl::Mutex mu;
  std::vector<std::weak_ptr<HttpSession>> sessions ABSL_GUARDED_BY(mu);
  size_t sweep_at ABSL_GUARDED_BY(mu) = 64;
};

void RestServer::Impl::Accept() {
  acceptor.async_accept(asio::make_strand(context->io),
                        [this](boost::system::error_code error, tcp::socket socket) {
                          // Once stopping the acceptor is closed: another try would never end.
                          if (error == asio::error::operation_aborted || context->draining) return;
                          if (!error) {
                            Accepted(std::move(socket));
                            return Accept();
                          }
                          // Out of file descriptors, most likely: give others time to close.
                          pause.expires_after(kAcceptPause);
                          pause.async_wait([this](boost::system::error_code canceled) {
                            if (!canceled && !context->draining) Accept();
                          });
                        });
}

void RestServer::Impl::Accepted(tcp::socket socket) {
  boost::system::error_code error;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error || context->draining) return;
  ConnectionCounts::Lease lease = context->counts.Take(peer.address().to_string());
  if (lease.refusal() != ConnectionCounts::Refusal::kNone) {
    context->Refused(lease.refusal() == ConnectionCounts::Refusal::kAll ? "connections"
                                                                        : "connections_of_address");
    // Some of those beyond the limit are told so; in a flood they are only closed.
    const int most = context->options.connections_max;
    if (context->counts.total() > most + most / 10 + 10 || context->refusing >= kRefusingMax)
      return;
  }
  auto session = std::make_shared<HttpSession>(context, std::move(socket), std::move(lease));
  {
    absl::MutexLock lock(&mu);
    if (sessions.size() >= sweep_at) {
      std::erase_if(sessions, [](const auto& weak) { return weak.expired(); });
      sweep_at = 2 * sessions.size() + 64;
    }
    sessions.push_back(session);
  }
  session->Start();
}

void RestServer::Impl::ForEachSession(void (HttpSession::*method)()) {
  std::vector<std::weak_ptr<HttpSession>> all;
  {
    absl::MutexLock lock(&mu);
    all = sessions;
  }
  for (const auto& weak : all) {
    if (auto session = weak.lock()) (session.get()->*method)();
  }
}

void RestServer::Impl::Await(bool (*holds)(RestContext*), absl::Duration limit) {
  const absl::Duration deadline = context->clock.Monotonic() + limit;
  absl::Mutex wait;
  while (context->clock.Monotonic() < deadline && !holds(context.get())) {
    absl::MutexLock lock(&wait);  // woken by the clock: connections end without telling
    wait.AwaitWithTimeout(absl::Condition(holds, context.get()), absl::Milliseconds(10));
  }
}

RestServer::RestServer(RestServerOptions options, const RestHandler& handler, base::Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), handler, clock)) {}

RestServer::~RestServer() { Stop(absl::ZeroDuration()); }

absl::Status RestServer::Start() {
  const RestServerOptions& options = impl_->context->options;
  const std::string where = absl::StrCat(options.address, ":", options.port);
  if (options.tls != nullptr) {
    ASSIGN_OR_RETURN(impl_->context->tls, RestTls::Make(*options.tls));
  }
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("HTTP address ", options.address, " is not a numeric IP address"));
  }
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(options.port));
  auto& acceptor = impl_->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen for HTTP on ", where, ": ", error.message()));
  }
  impl_->port = acceptor.local_endpoint().port();
  impl_->Accept();
  impl_->running = true;
  for (int i = 0; i < options.threads; ++i) {
    impl_->threads.emplace_back([context = impl_->context] { context->io.run(); });
  }
  return absl::OkStatus();
}

void RestServer::Stop(absl::Duration grace) {
  if (!std::exchange(impl_->running, false)) return;
  RestContext& context = *impl_->context;
  context.draining = true;
  asio::post(impl_->acceptor.get_executor(), [this] {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
  });
  impl_->ForEachSession(&HttpSession::Drain);
  impl_->Await([](RestContext* c) { return c->counts.total() == 0; }, grace);
  impl_->ForEachSession(&HttpSession::AnswerNow);
  impl_->Await([](RestContext* c) { return c->last_answers == 0; }, kLastAnswers);
  impl_->ForEachSession(&HttpSession::Close);
  context.stopped = true;
  // The acceptor and every socket are closed or closing: run() ends when the last handler has run.
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

int RestServer::port() const { return impl_->port; }
int RestServer::connections() const { return impl_->context->counts.total(); }

}  // namespace gateway
