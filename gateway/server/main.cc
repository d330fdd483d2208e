// campaignd: the server's command line. What it does is in server.h, what may be set in
// settings.h.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/audit/audit_log.h"
#include "gateway/server/address.h"
#include "gateway/server/auth_parts.h"
#include "gateway/server/data_dir.h"
#include "gateway/server/dev.h"
#include "gateway/server/flags.h"
#include "gateway/server/process_clock.h"
#include "gateway/server/server.h"
#include "gateway/server/settings.h"
#include "gateway/server/stop_signal.h"
#include "orchestrator/base/log.h"

namespace {

constexpr int kExitFailed = 1;      // it did not start, or could not go on
constexpr int kExitBadRequest = 2;  // flags or settings are wrong

int Refuse(const std::string& what) {
  std::cerr << "campaignd: " << what << std::endl;
  return kExitFailed;
}

// The same in the log, of which a server's standard error consists.
int DoNotStart(const absl::Status& status) {
  base::SetLogLevel(base::LogLevel::kError);  // said even when the log is off
  base::Log(base::LogLevel::kError, "campaignd does not start", {},
            {{"error", std::string(status.message())}});
  return kExitFailed;
}

// Every connection and file takes a descriptor; the usual limit of 1,024 is too low.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void WarnOfDangers(const server::Settings& settings) {
  for (const std::string& listen : {settings.server.http_listen, settings.server.grpc_listen}) {
    const auto address = server::ParseAddress(listen);
    const bool far = address.has_value() && !server::IsLoopback(*address);
    if (far && settings.server.tls.certificate_file.empty()) {
      base::Log(base::LogLevel::kWarning,
                "listens beyond this machine without TLS: keys can be read on the way; set "
                "server.tls or put a proxy before it",
                {}, {{"address", listen}});
    }
  }
  const std::vector<std::string> missing = server::MissingKeys(settings);
  if (!missing.empty()) {
    base::Log(base::LogLevel::kWarning,
              "settings are missing: campaigns that need them are refused", {},
              {{"missing", absl::StrJoin(missing, ", ")}});
  }
}

// Prints the secret, this once.
int CreateKey(const server::Flags& flags, const server::Settings& settings) {
  auto data_dir = server::DataDir::Open(settings.server.data_dir);
  if (!data_dir.ok()) return Refuse(std::string(data_dir.status().message()));
  server::ProcessClock clock;
  const auto record = [&](audit::Event event) -> absl::StatusOr<int64_t> {
    if (!settings.audit.enabled) return 0;
    return audit::AuditLog::AppendOffline(
        {.directory = data_dir->path(), .key = settings.audit.key.value()}, clock,
        std::move(event));
  };
  audit::Event event{.actor = absl::StrCat("uid:", getuid()),
                     .credential = "server",
                     .action = "CreateApiKey",
                     .outcome = audit::kStarted,
                     .detail = absl::StrCat("name=", flags.admin_key, ", role=admin"),
                     .ns = "*"};
  const auto started = record(event);
  if (!started.ok()) return Refuse(std::string(started.status().message()));
  const auto key = server::CreateAdminKey(*data_dir, flags.admin_key, clock);
  event.started_by = *started;
  event.outcome = key.ok() ? audit::kOk : absl::StatusCodeToString(key.status().code());
  if (key.ok()) event.subject = absl::StrCat("key/", key->key.id);
  const auto ended = record(event);
  if (!key.ok()) return Refuse(std::string(key.status().message()));
  if (!ended.ok()) std::cerr << "campaignd: " << ended.status().message() << std::endl;
  std::cerr << "campaignd: made the admin key " << key->key.id << " (" << key->key.name
            << "); this is the only time it is shown:" << std::endl;
  std::cout << key->secret << std::endl;
  return EXIT_SUCCESS;
}

int Serve(const server::Flags& flags, server::Settings settings, server::Provenance provenance) {
  server::StopSignal stop;
  RaiseFileLimit();
  auto data_dir = server::DataDir::Open(settings.server.data_dir);
  if (!data_dir.ok()) return DoNotStart(data_dir.status());

  std::optional<server::DevSandbox> sandbox;
  std::string sandbox_url;
  if (flags.dev) {
    std::string url = flags.sandbox;
    if (url.empty()) {
      auto started = server::DevSandbox::Start(data_dir->Path("sandbox"));
      if (!started.ok()) return DoNotStart(started.status());
      sandbox.emplace(*std::move(started));
      url = sandbox->url();
    }
    while (!url.empty() && url.back() == '/') url.pop_back();
    if (auto status = server::AwaitSandbox(url, absl::Seconds(10)); !status.ok()) {
      return DoNotStart(status);
    }
    server::PointAtSandbox(url, &settings);
    provenance.clear();  // it changed some of them
    sandbox_url = url;
    std::cout << "campaignd: vendors are simulated by " << url << std::endl;
  }
  WarnOfDangers(settings);

  std::atomic<bool> fatal = false;
  auto server =
      server::Server::Start(settings, provenance, *data_dir, [&fatal](absl::Status status) {
        base::Log(base::LogLevel::kError, "the engine cannot go on; ending", {},
                  {{"error", std::string(status.message())}});
        if (!fatal.exchange(true)) kill(getpid(), SIGTERM);
      });
  if (!server.ok()) return DoNotStart(server.status());
  if (!sandbox_url.empty()) {
    const absl::Status connected =
        server::ConnectSandbox(sandbox_url, (*server)->http_address(), settings);
    if (!connected.ok()) {
      base::Log(base::LogLevel::kWarning, "the sandbox's buttons will not reach us", {},
                {{"error", std::string(connected.message())}});
    }
  }
  base::Log(base::LogLevel::kInfo, "ready", {},
            {{"version", server::kVersion},
             {"http", (*server)->http_address()},
             {"grpc", (*server)->grpc_address()},
             {"data_dir", data_dir->path()}});
  std::cout << "campaignd ready: REST " << (*server)->http_scheme() << "://"
            << (*server)->http_address() << "  gRPC " << (*server)->grpc_address() << std::endl;

  const int signal = stop.Wait([&server] { (*server)->Reload(); });
  base::Log(base::LogLevel::kInfo, "stopping", {}, {{"signal", signal}});
  stop.LimitStop(settings.server.shutdown_timeout);
  (*server)->Stop(settings.server.shutdown_timeout);
  server->reset();
  base::Log(base::LogLevel::kInfo, "stopped");
  return fatal ? kExitFailed : EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  server::Flags flags;
  if (const std::optional<int> code = server::ParseFlags(argc, argv, &flags)) return *code;

  server::Sources sources{
      .file = flags.config, .environment = &server::ProcessEnvironment, .flags = flags.settings};
  server::Settings settings;
  server::Provenance provenance;
  const std::vector<std::string> faults = server::Load(sources, &settings, &provenance);
  if (!faults.empty()) {
    std::cerr << "campaignd: the settings have " << faults.size() << " fault(s):\n";
    for (const std::string& fault : faults) std::cerr << "  " << fault << "\n";
    return kExitBadRequest;
  }
  if (flags.check && !flags.print_settings) {
    std::cout << "campaignd: the settings are fine\n";
    for (const std::string& key : server::MissingKeys(settings)) {
      std::cout << "  not set, and campaigns need it (but for --dev): " << key << "\n";
    }
    return EXIT_SUCCESS;
  }
  if (flags.print_settings) {
    std::cout << server::PrintYaml(settings, provenance);
    return EXIT_SUCCESS;
  }
  base::LogLevel level = base::LogLevel::kInfo;
  base::ParseLogLevel(settings.server.log_level, &level);
  base::SetLogLevel(level);
  if (!flags.admin_key.empty()) return CreateKey(flags, settings);
  return Serve(flags, std::move(settings), std::move(provenance));
}
