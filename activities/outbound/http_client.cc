#include "activities/outbound/http_client.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "activities/outbound/address_guard.h"
#include "orchestrator/base/check.h"

namespace outbound {
namespace {

constexpr size_t kHeaderBytesMax = 64 * 1024;
constexpr size_t kEasyHandlesKept = 64;
// Vendors close idle connections after a minute or so; a create that meets a closed one has to
// look whether it had its effect.
constexpr long kIdleSecondsMax = 30;

// libcurl's global state lives as long as the process.
void InitCurlOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    // OpenSSL writes to sockets that the other side has closed.
    signal(SIGPIPE, SIG_IGN);
  });
}

// "https://api.example.com:8443"; the URL itself when it is not one that curl understands.
struct Origin {
  std::string key;
  std::string host;
};
Origin OriginOf(const std::string& url) {
  Origin origin{.key = url, .host = ""};
  CURLU* parsed = curl_url();
  if (curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK) {
    char* scheme = nullptr;
    char* host = nullptr;
    char* port = nullptr;
    curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);
    curl_url_get(parsed, CURLUPART_HOST, &host, 0);
    curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (scheme != nullptr && host != nullptr) {
      origin.host = host;
      origin.key = absl::StrCat(scheme, "://", host, ":", port == nullptr ? "" : port);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
  }
  curl_url_cleanup(parsed);
  return origin;
}

bool HasHeader(const HttpRequest& request, const std::string& name) {
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const auto& header) {
    return absl::EqualsIgnoreCase(header.first, name);
  });
}

bool IsLoopback(std::string_view host) {
  return host == "localhost" || host.starts_with("127.") || host == "[::1]";
}

TransferEnd EndOf(CURLcode code, bool sent) {
  switch (code) {
    case CURLE_OK:
      return TransferEnd::kAnswered;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_OUT_OF_MEMORY:
      return sent ? TransferEnd::kBroken : TransferEnd::kBadRequest;
    case CURLE_OPERATION_TIMEDOUT:
      return sent ? TransferEnd::kTimedOut : TransferEnd::kNotSent;
    default:
      return sent ? TransferEnd::kBroken : TransferEnd::kNotSent;
  }
}

}  // namespace

// One transfer in flight: everything that curl points at while it runs.
struct InFlight {
  HttpRequest request;
  size_t response_bytes_max = 0;
  HttpResponse response;
  size_t header_bytes = 0;
  size_t body_sent = 0;
  bool too_large = false;
  curl_slist* headers = nullptr;
  char error[CURL_ERROR_SIZE] = {};
  bool forbidden = false;     // an address that is not public was refused
  bool request_left = false;  // a request line was written to a socket
  int sends = 0;              // how often curl went to send the request
  base::Completion<CURLcode> done;

  ~InFlight() { curl_slist_free_all(headers); }
};

struct HttpClient::Impl {
  base::EpollLoop& loop;
  const Options options;
  CURLM* multi = nullptr;
  base::TimerId timer = 0;
  bool shut_down = false;
  size_t active = 0;
  absl::flat_hash_map<CURL*, std::shared_ptr<InFlight>> running;
  std::map<std::string, base::Semaphore> turns;  // by origin; as many as the settings name
  std::vector<CURL*> spare;
  base::CancelSource shutdown;

  Impl(base::EpollLoop& l, Options o) : loop(l), options(std::move(o)) {
    InitCurlOnce();
    multi = curl_multi_init();
    CHECK(multi != nullptr);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::OnSocketWanted);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::OnTimerWanted);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.idle_connections_max));
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  }

  ~Impl() {
    loop.CancelTimer(timer);
    for (auto& [easy, transfer] : running) {
      curl_multi_remove_handle(multi, easy);
      curl_easy_cleanup(easy);
    }
    running.clear();
    for (CURL* easy : spare) curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);  // closes the pooled connections and so stops their watches
  }

  // --- curl asks us to watch a socket or to set a timer.

  static int OnSocketWanted(CURL*, curl_socket_t fd, int what, void* self_pointer, void*) {
    auto* self = static_cast<Impl*>(self_pointer);
    if (what == CURL_POLL_REMOVE) {
      self->loop.UnwatchFd(fd);
      return 0;
    }
    uint32_t events = 0;
    if (what & CURL_POLL_IN) events |= base::kFdRead;
    if (what & CURL_POLL_OUT) events |= base::kFdWrite;
    self->loop.WatchFd(fd, events, [self, fd](uint32_t ready) {
      int mask = 0;
      if (ready & base::kFdRead) mask |= CURL_CSELECT_IN;
      if (ready & base::kFdWrite) mask |= CURL_CSELECT_OUT;
      self->Act(fd, mask);
    });
    return 0;
  }

  static int OnTimerWanted(CURLM*, long timeout_ms, void* self_pointer) {
    auto* self = static_cast<Impl*>(self_pointer);
    self->loop.CancelTimer(std::exchange(self->timer, 0));
    if (timeout_ms >= 0) {
      self->timer = self->loop.PostAfter(absl::Milliseconds(timeout_ms), [self] {
        self->timer = 0;
        self->Act(CURL_SOCKET_TIMEOUT, 0);
      });
    }
    return 0;
  }

  void Act(curl_socket_t fd, int mask) {
    int still_running = 0;
    curl_multi_socket_action(multi, fd, mask, &still_running);
    Collect();
  }

  // Takes all finished transfers out first and resumes their coroutines afterwards: those may
  // start, cancel or shut down others.
  void Collect() {
    std::vector<std::pair<std::shared_ptr<InFlight>, CURLcode>> finished;
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      if (auto transfer = Remove(message->easy_handle)) finished.emplace_back(transfer, code);
    }
    for (auto& [transfer, code] : finished) transfer->done.Set(code);
  }

  std::shared_ptr<InFlight> Remove(CURL* easy) {
    auto it = running.find(easy);
    if (it == running.end()) return nullptr;
    std::shared_ptr<InFlight> transfer = std::move(it->second);
    running.erase(it);
    long status = 0;
    long request_bytes = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    transfer->response.status = static_cast<int>(status);
    transfer->request_left = request_bytes > 0 || transfer->sends > 1;
    curl_multi_remove_handle(multi, easy);
    if (spare.size() < kEasyHandlesKept) {
      curl_easy_reset(easy);
      spare.push_back(easy);
    } else {
      curl_easy_cleanup(easy);
    }
    return transfer;
  }

  // Called with the address that curl is about to connect to: there is no second look-up of its
  // name in between that could give another one.
  static curl_socket_t OnOpenSocket(void* pointer, curlsocktype purpose, curl_sockaddr* address) {
    auto* transfer = static_cast<InFlight*>(pointer);
    if (purpose != CURLSOCKTYPE_IPCXN || !IsPublicAddress(&address->addr)) {
      transfer->forbidden = true;
      return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  // --- curl gives us the answer, or asks for the body.

  static size_t OnHeader(char* data, size_t, size_t bytes, void* pointer) {
    auto* transfer = static_cast<InFlight*>(pointer);
    const absl::string_view line(data, bytes);
    if (absl::StartsWith(line, "HTTP/")) {  // also after a 1xx: the real answer starts over
      transfer->response.headers.clear();
      transfer->header_bytes = 0;
      return bytes;
    }
    transfer->header_bytes += bytes;
    if (transfer->header_bytes > kHeaderBytesMax) {
      transfer->too_large = true;
      return 0;
    }
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) return bytes;
    transfer->response.headers.emplace_back(
        absl::AsciiStrToLower(line.substr(0, colon)),
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1))));
    return bytes;
  }

  static size_t OnBody(char* data, size_t, size_t bytes, void* pointer) {
    auto* transfer = static_cast<InFlight*>(pointer);
    if (transfer->response.body.size() + bytes > transfer->response_bytes_max) {
      transfer->too_large = true;
      return 0;
    }
    transfer->response.body.append(data, bytes);
    return bytes;
  }

  // curl silently repeats a request, up to five times, when the reused connection dies before the
  // answer. Such a call would pass no limiter, no breaker and no kill switch: the caller repeats.
  static int OnBeforeSend(void* pointer, char*, char*, int, int) {
    auto* transfer = static_cast<InFlight*>(pointer);
    return ++transfer->sends > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
  }

  static size_t OnSendBody(char* buffer, size_t, size_t room, void* pointer) {
    auto* transfer = static_cast<InFlight*>(pointer);
    const size_t bytes = std::min(room, transfer->request.body.size() - transfer->body_sent);
    transfer->request.body.copy(buffer, bytes, transfer->body_sent);
    transfer->body_sent += bytes;
    return bytes;
  }

  // --- Setting up.

  CURL* NewEasy() {
    if (spare.empty()) return curl_easy_init();
    CURL* easy = spare.back();
    spare.pop_back();
    return easy;
  }

  CURL* Prepare(InFlight& transfer, absl::Duration timeout, const std::string& host) {
    CURL* easy = NewEasy();
    CHECK(easy != nullptr);
    const HttpRequest& request = transfer.request;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kIdleSecondsMax);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     std::max<long>(1, absl::ToInt64Milliseconds(timeout)));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(absl::ToInt64Milliseconds(options.connect_timeout)));
    if (!options.ca_file.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    }
    // A proxy of the environment is for the outside world only.
    if (IsLoopback(host)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (request.public_only) {
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
      // A pooled connection may lead where this request must not go.
      curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
      curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Impl::OnOpenSocket);
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    }
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &Impl::OnBeforeSend);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Impl::OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Impl::OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    SetMethodAndBody(easy, transfer);
    for (const auto& [name, value] : request.headers) {
      // "Name;" is curl's spelling of a header without a value.
      const std::string line =
          value.empty() ? absl::StrCat(name, ";") : absl::StrCat(name, ": ", value);
      transfer.headers = curl_slist_append(transfer.headers, line.c_str());
    }
    // Headers that curl would add by itself.
    transfer.headers = curl_slist_append(transfer.headers, "Expect:");
    if (!HasHeader(request, "content-type")) {
      transfer.headers = curl_slist_append(transfer.headers, "Content-Type:");
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
    return easy;
  }

  static void SetMethodAndBody(CURL* easy, InFlight& transfer) {
    const HttpRequest& request = transfer.request;
    if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
      return;
    }
    const bool has_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT";
    if (has_body) {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      if (request.repeat == Repeat::kSafe) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
      } else if (request.body.empty()) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
      } else {
        // curl silently repeats a request whose reused connection dies before the first byte of
        // the answer, and the vendor may have done the work by then. It cannot rewind a read
        // function that has no seek function, so it gives up with CURLE_SEND_FAIL_REWIND.
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Impl::OnSendBody);
        curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
      }
    } else {
      curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  base::Semaphore TurnsOf(const std::string& origin) {
    return turns.try_emplace(origin, options.transfers_per_origin_max).first->second;
  }

  base::Task<Transfer> Send(HttpRequest request, TransferLimits limits, base::CancelToken cancel);
};

namespace {

Transfer Canceled(std::string reason) {
  return {.end = TransferEnd::kCanceled, .message = std::move(reason)};
}

Transfer Result(InFlight& in_flight, CURLcode code) {
  Transfer transfer;
  transfer.sent = in_flight.request_left;
  transfer.end = EndOf(code, transfer.sent);
  transfer.response = std::move(in_flight.response);
  if (in_flight.too_large) {
    transfer.end = TransferEnd::kTooLarge;
    transfer.message =
        absl::StrCat("the answer is larger than ", in_flight.response_bytes_max, " bytes");
  } else if (in_flight.forbidden && code != CURLE_OK && !transfer.sent) {
    transfer.end = TransferEnd::kForbidden;
    transfer.message = "its address is not public (setting outbound.private_networks)";
  } else if (code == CURLE_SEND_FAIL_REWIND ||
             (code == CURLE_ABORTED_BY_CALLBACK && in_flight.sends > 1)) {
    transfer.message = "the connection ended before the answer";
  } else if (code != CURLE_OK) {
    transfer.message = in_flight.error[0] != 0 ? in_flight.error : curl_easy_strerror(code);
  }
  return transfer;
}

}  // namespace

base::Task<Transfer> HttpClient::Impl::Send(HttpRequest request, TransferLimits limits,
                                            base::CancelToken cancel) {
  if (shut_down) co_return Canceled("the HTTP client is shut down");
  if (cancel.canceled()) co_return Canceled(cancel.reason());
  const Origin origin = OriginOf(request.url);
  // One source that both the caller and Shutdown can cancel.
  base::CancelSource stop;
  const auto by_caller =
      cancel.OnCancel([stop, cancel]() mutable { stop.Cancel(cancel.reason()); });
  const base::CancelToken shutdown_token = shutdown.token();
  const auto by_shutdown =
      shutdown_token.OnCancel([stop]() mutable { stop.Cancel("the HTTP client is shut down"); });

  base::Semaphore semaphore = TurnsOf(origin.key);
  const base::Semaphore::Permit permit = co_await semaphore.Acquire(stop.token());
  Transfer result;
  if (!permit.held()) {
    result = Canceled(stop.token().reason());
  } else if (options.may_send != nullptr && !options.may_send(request)) {
    result = {.end = TransferEnd::kHeld, .message = "calls are held back"};
  } else {
    const absl::Duration begin = loop.clock().Monotonic();
    auto in_flight = std::make_shared<InFlight>();
    in_flight->request = std::move(request);
    in_flight->response_bytes_max = limits.response_bytes_max;
    CURL* easy = Prepare(*in_flight, limits.timeout, origin.host);
    running.emplace(easy, in_flight);
    const base::Completion<CURLcode> done = in_flight->done;
    const auto on_stop = stop.token().OnCancel([this, easy, in_flight] {
      auto it = running.find(easy);
      if (it == running.end() || it->second != in_flight) return;
      Remove(easy);
      in_flight->done.Set(CURLE_ABORTED_BY_CALLBACK);
    });
    CHECK(curl_multi_add_handle(multi, easy) == CURLM_OK);
    const CURLcode code = co_await done;
    stop.token().Forget(on_stop);
    result = Result(*in_flight, code);
    if (stop.token().canceled() && code == CURLE_ABORTED_BY_CALLBACK) {
      result.end = TransferEnd::kCanceled;
      result.message = stop.token().reason();
    }
    result.elapsed = loop.clock().Monotonic() - begin;
  }
  cancel.Forget(by_caller);
  shutdown_token.Forget(by_shutdown);
  co_return result;
}

HttpClient::HttpClient(base::EpollLoop& loop, Options options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}

HttpClient::~HttpClient() = default;

base::Task<Transfer> HttpClient::Send(HttpRequest request, TransferLimits limits,
                                      base::CancelToken cancel) {
  ++impl_->active;
  Transfer transfer = co_await impl_->Send(std::move(request), limits, std::move(cancel));
  --impl_->active;
  co_return transfer;
}

void HttpClient::Shutdown() {
  impl_->shut_down = true;
  impl_->shutdown.Cancel("the HTTP client is shut down");
}

size_t HttpClient::active() const { return impl_->active; }

}  // namespace outbound
