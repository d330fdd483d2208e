#include "gateway/server/dev.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/server/address.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"

namespace server {
namespace {

constexpr absl::Duration kStartPatience = absl::Seconds(15);
constexpr char kSays[] = "listening on ";
constexpr int kUsualPort = 9100;  // deploy/demo/campaign.yaml names it
constexpr char kPortFile[] = "port";

// The program "vendor-sandbox" in our own program's folder.
std::string SandboxProgram() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "" : (self.parent_path() / "vendor-sandbox").string();
}

// The URL that the child prints on its standard output once it listens; "" when it ends or takes
// too long.
std::string ReadUrl(webdriver::ChildProcess& process) {
  base::SystemClock clock;
  const absl::Duration until = clock.Monotonic() + kStartPatience;
  std::string output;
  while (clock.Monotonic() < until) {
    pollfd wait{.fd = process.stdout_fd(), .events = POLLIN, .revents = 0};
    poll(&wait, 1, 100);
    char buffer[512];
    const ssize_t length = read(process.stdout_fd(), buffer, sizeof buffer);
    if (length > 0) output.append(buffer, static_cast<size_t>(length));
    const size_t at = output.find(kSays);
    const size_t end = at == std::string::npos ? at : output.find('\n', at);
    if (end != std::string::npos) {
      const size_t begin = at + sizeof kSays - 1;
      return output.substr(begin, end - begin);
    }
    if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) return "";
  }
  return "";
}

// The port in the file; 0 when there is none.
int ReadPort(const std::string& path) {
  int port = 0;
  std::ifstream(path) >> port;
  return port > 0 && port <= 65535 ? port : 0;
}

// Whole, or as it was: the file is replaced.
void KeepPort(const std::string& path, int port) {
  const std::string next = path + ".new";
  std::ofstream(next) << port << "\n";
  std::error_code error;
  std::filesystem::rename(next, path, error);
  if (error) {
    base::Log(base::LogLevel::kWarning, "the vendor-sandbox may have another port next time", {},
              {{"file", path}, {"error", error.message()}});
  }
}

// Whether the sandbox could listen there.
bool IsFree(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return is_free;
}

struct Started {
  webdriver::ChildProcess process;
  std::string url;  // "": it did not come up
};

base::Outcome<Started> StartOn(const std::string& program, const std::string& data_dir, int port) {
  base::Outcome<webdriver::ChildProcess> child = webdriver::ChildProcess::Start(
      {program, "--listen", absl::StrCat("127.0.0.1:", port), "--data-dir", data_dir},
      /*keep_stderr=*/true);
  if (!child.ok()) return child.failure();
  std::string url = ReadUrl(*child);
  return Started{.process = std::move(child).value(), .url = std::move(url)};
}

// "host:port" of a URL.
absl::StatusOr<Address> AddressOf(const std::string& url) {
  absl::string_view rest = url;
  const int default_port = absl::StartsWith(url, "https://") ? 443 : 80;
  if (absl::ConsumePrefix(&rest, "http://") || absl::ConsumePrefix(&rest, "https://")) {
    const std::string host(rest.substr(0, rest.find('/')));
    std::optional<Address> address = ParseAddress(host);
    if (!address.has_value()) address = ParseAddress(absl::StrCat(host, ":", default_port));
    const bool names_host = !host.empty() && host[0] != ':';  // ":80" is an address to listen on
    if (names_host && address.has_value() && address->port != 0) return *address;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--sandbox must be a URL such as http://127.0.0.1:9100, not \"", url, "\""));
}

// A connected socket, -1 when nothing listens.
int ConnectTo(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = absl::StrCat(address.port);
  if (getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found) != 0) return -1;
  int connected = -1;
  for (addrinfo* each = found; each != nullptr && connected < 0; each = each->ai_next) {
    const int fd = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
    if (fd < 0) continue;
    if (connect(fd, each->ai_addr, each->ai_addrlen) == 0) {
      connected = fd;
    } else {
      close(fd);
    }
  }
  freeaddrinfo(found);
  return connected;
}

// Whether a connection to host:port can be made.
bool Connects(const Address& address) {
  const int fd = ConnectTo(address);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

void Default(std::string* value, const char* text) {
  if (value->empty()) *value = text;
}

}  // namespace

absl::StatusOr<DevSandbox> DevSandbox::Start(const std::string& data_dir) {
  const std::string program = SandboxProgram();
  if (program.empty() || access(program.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat(
        "--dev needs the program ", program,
        "; build it with `make build`, or say where a vendor-sandbox runs with --sandbox URL"));
  }
  std::error_code error;
  std::filesystem::create_directories(data_dir, error);
  const std::string port_file = absl::StrCat(data_dir, "/", kPortFile);
  const int before = ReadPort(port_file);
  const int wanted = before != 0 ? before : kUsualPort;
  for (const int port : {wanted, kUsualPort, 0}) {
    if (port != 0 && !IsFree(port)) continue;
    base::Outcome<Started> started = StartOn(program, data_dir, port);
    if (!started.ok()) return absl::UnavailableError(started.failure().ToString());
    if (started->url.empty()) {
      if (port != 0 && !IsFree(port)) continue;  // somebody was faster
      break;
    }
    ASSIGN_OR_RETURN(const Address address, AddressOf(started->url));
    if (address.port != wanted) {
      base::Log(base::LogLevel::kWarning,
                before != 0 ? "the vendor-sandbox's port is taken: links of before do not work"
                            : "the vendor-sandbox's usual port is taken: samples that name it "
                              "need the other one",
                {}, {{"taken", wanted}, {"port", address.port}});
    }
    if (address.port != before) KeepPort(port_file, address.port);
    return DevSandbox(std::move(started->process), std::move(started->url));
  }
  return absl::UnavailableError(
      absl::StrCat(program, " did not come up; its data directory is ", data_dir));
}

std::string SandboxUrlProblem(const std::string& url) {
  return std::string(AddressOf(url).status().message());
}

absl::Status AwaitSandbox(const std::string& url, absl::Duration patience) {
  ASSIGN_OR_RETURN(const Address address, AddressOf(url));
  base::SystemClock clock;
  const absl::Duration until = clock.Monotonic() + patience;
  while (!Connects(address)) {
    if (clock.Monotonic() >= until) {
      return absl::UnavailableError(absl::StrCat("no vendor-sandbox answers at ", url));
    }
    poll(nullptr, 0, 50);
  }
  return absl::OkStatus();
}

void PointAtSandbox(const std::string& url, Settings* settings) {
  VendorsSettings& v = settings->vendors;
  v.notion.base_url = url + "/notion";
  v.notion.token = "sandbox-notion";
  v.memory = {.base_url = url + "/memory", .token = "sandbox-memory"};
  v.figma.base_url = url + "/figma";
  v.figma.token = "sandbox-figma";
  v.slack = {.base_url = url + "/slack/api", .token = "sandbox-slack"};
  v.sendgrid = {.base_url = url + "/sendgrid", .token = "sandbox-sendgrid"};
  v.buffer.base_url = url + "/buffer";
  v.buffer.token = "sandbox-buffer";
  v.openai.base_url = url + "/openai/v1";
  v.openai.token = "sandbox-openai";
  v.github.base_url = url + "/github";
  v.github.token = "sandbox-github";
  Default(&v.github.owner, "acme");
  Default(&v.github.repository, "campaigns");
  v.github.pages_branch = v.github.base_branch = "main";  // the sandbox's repositories publish it
  v.grafana.base_url = url + "/grafana";
  v.grafana.token = "sandbox-grafana";
  v.google_chat.base_url = url + "/google-chat";
  v.google_chat.token_url = url + "/google-chat/token";
  settings->webhooks.google_chat.keys_url = url + "/google-chat/oauth2/v3/certs";
  v.cms.base_url = url + "/cms/hooks/content";
  v.cms.token = "whsec_c2FuZGJveC1jbXMtc2VjcmV0";
  // The sandbox has limits of its own only when it is told to.
  for (VendorSettings* vendor : std::initializer_list<VendorSettings*>{
           &v.notion, &v.memory, &v.openai, &v.figma, &v.github, &v.slack, &v.sendgrid, &v.buffer,
           &v.grafana, &v.google_chat, &v.cms}) {
    vendor->limits.clear();
  }
  settings->outbound.private_networks = true;  // the sandbox's website is on this machine
  settings->webhooks.slack_signing_secret = "sandbox-slack-signing-secret";
  settings->webhooks.github_secret = "sandbox-github-webhook-secret";

  campaign::Settings& c = settings->campaign;
  Default(&c.figma.file_key, "SandboxBrandKit");
  Default(&c.review.slack_channel, "C0SANDBOX1");
  Default(&c.email.from_address, "campaigns@example.com");
  Default(&c.email.from_name, "Acme Campaigns");
  if (c.email.recipients.empty()) c.email.recipients = {"customer@example.com"};
  if (c.social.channels.empty()) c.social.channels = {"channel-linkedin linkedin"};
}

absl::Status ConnectSandbox(const std::string& url, const std::string& our_http_address,
                            const Settings& settings) {
  absl::string_view rest = url;
  absl::ConsumePrefix(&rest, "http://");
  const std::string host(rest.substr(0, rest.find('/')));
  const std::optional<Address> address = ParseAddress(host);
  if (!address.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the sandbox's webhooks need http://HOST:PORT, "
                     "not ",
                     url));
  }
  const std::string ours = absl::StrCat("http://", our_http_address, "/webhooks/");
  const std::string body =
      absl::StrCat(R"({"slack":{"interactions_url":")", ours,
                   R"(slack/interactions","commands_url":")", ours, R"(slack/commands","secret":")",
                   settings.webhooks.slack_signing_secret.value(), R"("},"github":{"url":")", ours,
                   R"(github","secret":")", settings.webhooks.github_secret.value(), R"("}})");
  const int fd = ConnectTo(*address);
  if (fd < 0) return absl::UnavailableError(absl::StrCat("no vendor-sandbox answers at ", url));
  const std::string request =
      absl::StrCat("PUT /__sandbox/hooks HTTP/1.1\r\nHost: ", host,
                   "\r\nContent-Type: application/json\r\nContent-Length: ", body.size(),
                   "\r\nConnection: close\r\n\r\n", body);
  size_t sent = 0;
  while (sent < request.size()) {
    const ssize_t n = send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) break;
    sent += static_cast<size_t>(n);
  }
  std::string answer;
  char buffer[512];
  for (ssize_t n = 0;
       answer.find('\n') == answer.npos && (n = recv(fd, buffer, sizeof buffer, 0)) > 0;) {
    answer.append(buffer, static_cast<size_t>(n));
  }
  close(fd);
  if (absl::StartsWith(answer, "HTTP/1.1 200")) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("the vendor-sandbox at ", url,
                   " does not send webhooks: ", answer.substr(0, answer.find('\r'))));
}

}  // namespace server
