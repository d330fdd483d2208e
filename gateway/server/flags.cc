#include "gateway/server/flags.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "gateway/server/dev.h"

namespace server {
namespace {

constexpr char kExamples[] = R"(Examples:
  campaignd --dev                                simulated vendors, data in ./campaignd-data
  campaignd --dev --sandbox http://127.0.0.1:9100
                                                 vendors simulated by a vendor-sandbox that runs
  campaignd --config /etc/campaignd.yaml         the real vendors; tokens from the environment
  campaignd --config campaignd.yaml --check      every fault of the settings, and no more
  campaignd --config campaignd.yaml --print-settings
  campaignd --create-admin-key ops > admin.key   the first API key (docs/security.md)

Settings: flags win over the environment (GITHUB_TOKEN or GITHUB_TOKEN_FILE, ...), that wins over
the file, that over the defaults; docs/settings.md lists them. SIGTERM stops taking work, finishes
what is under way and ends with code 0.
)";

// A flag that sets the key `key`.
void AddSetting(CLI::App& app, Flags* flags, const std::string& flag, const std::string& key,
                const std::string& help) {
  app.add_option_function<std::string>(
      flag,
      [flags, flag, key](const std::string& value) {
        flags->settings.push_back({.flag = flag, .key = key, .value = value});
      },
      help);
}

}  // namespace

std::optional<int> ParseFlags(int argc, char** argv, Flags* flags) {
  CLI::App app{"campaignd: runs marketing campaigns from end to end, durably."};
  app.set_version_flag("--version", std::string("campaignd ") + kVersion);
  app.add_option("--config", flags->config, "YAML file with settings (deploy/settings.yaml)");
  AddSetting(app, flags, "--data-dir", "server.data_dir",
             "Where everything is kept [./campaignd-data]");
  AddSetting(app, flags, "--http-listen", "server.http_listen",
             "REST address; port 0: any free one [127.0.0.1:8080]");
  AddSetting(app, flags, "--grpc-listen", "server.grpc_listen",
             "gRPC address; port 0: any free one [127.0.0.1:7233]");
  AddSetting(app, flags, "--log-level", "server.log_level",
             "debug, info, warning, error or off [info]");
  CLI::Option* dev =
      app.add_flag("--dev", flags->dev, "Simulated vendors: starts vendor-sandbox if need be");
  app.add_option("--sandbox", flags->sandbox, "With --dev: URL of a vendor-sandbox that runs")
      ->needs(dev)
      ->check([](const std::string& url) { return SandboxUrlProblem(url); });
  app.add_flag("--print-settings", flags->print_settings,
               "Print the settings that hold, without secrets, and end");
  app.add_flag("--check", flags->check, "Check the settings and end");
  app.add_option("--create-admin-key", flags->admin_key,
                 "Make an API key of an admin, print it and end; the server must not run")
      ->check([](const std::string& name) {
        return name.empty() || name.size() > 100 ? "must be 1 to 100 characters" : "";
      });
  app.footer(kExamples);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace server
