// vendor-sandbox: one server that stands in for every vendor. See README.md.

#include <sys/resource.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/sandbox/sandbox.h"
#include "tests/sandbox/server.h"

namespace {

constexpr int kExitFailed = 1;      // it did not start, or could not go on
constexpr int kExitBadRequest = 2;  // flags are wrong

constexpr char kExamples[] = R"(Examples:
  vendor-sandbox                                       state in memory, port 9100
  vendor-sandbox --listen 127.0.0.1:0                  any free port, printed on stdout
  vendor-sandbox --data-dir /tmp/sandbox               state survives a restart

Base URLs (the port is that of --listen):
  http://127.0.0.1:9100/notion       http://127.0.0.1:9100/openai/v1  http://127.0.0.1:9100/figma
  http://127.0.0.1:9100/github       http://127.0.0.1:9100/slack/api  http://127.0.0.1:9100/sendgrid
  http://127.0.0.1:9100/buffer       http://127.0.0.1:9100/grafana    http://127.0.0.1:9100/memory
  http://127.0.0.1:9100/cms/hooks/content (secret: whsec_c2FuZGJveC1jbXMtc2VjcmV0)
  http://127.0.0.1:9100/site/acme    (pages to scrape)
  Any token is taken, except those with "invalid" in them.

Admin:
  curl localhost:9100/__sandbox/resources?alive=true     what exists, who made it, duplicates
  curl localhost:9100/__sandbox/calls?vendor=github      who called
  curl localhost:9100/__sandbox/operations               names to use in faults
  curl localhost:9100/__sandbox/faults -d '{"vendor":"github","operation":"pulls.create",
                                            "kind":"lost_response","count":1}'
  curl localhost:9100/__sandbox/faults -d '{"vendor":"*","kind":"error","rate":0.2,"seed":7}'
  curl -X DELETE localhost:9100/__sandbox/faults
  curl localhost:9100/__sandbox/clock -d '{"advance_seconds":900}'
  curl -X POST localhost:9100/__sandbox/reset

Webhooks and people (campaignd --dev sets the addresses itself):
  curl -X PUT localhost:9100/__sandbox/hooks -d '{"github":{"url":"http://127.0.0.1:8080/...",
                                                  "secret":"s"}}'
  curl localhost:9100/__sandbox/hooks                    what was sent, and what came back
  curl localhost:9100/__sandbox/hooks/redeliver -d '{"delivery_id":"..."}'
  curl localhost:9100/__sandbox/slack/press -d '{"workflow_id":"W","action":"approve",
                                                 "user":{"id":"U0REVIEWER1","name":"ann"}}'
  curl localhost:9100/__sandbox/slack/submit -d '{"values":{"reason":"not our voice"}}'
  curl localhost:9100/__sandbox/slack/command -d '{"text":"status"}'
  A token "sandbox-user-ann" makes its bearer ann on GitHub: her reviews, merges and edits through
  the API are sent as webhooks.
)";

// Splits "127.0.0.1:9100" or "[::1]:9100"; false when it is neither.
bool SplitAddress(const std::string& listen, std::string* address, uint16_t* port) {
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos || colon + 1 == listen.size()) return false;
  *address = listen.substr(0, colon);
  if (address->size() > 2 && address->front() == '[' && address->back() == ']') {
    *address = address->substr(1, address->size() - 2);
  }
  if (*address == "localhost") *address = "127.0.0.1";
  const std::string digits = listen.substr(colon + 1);
  if (digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos) {
    return false;
  }
  const int value = std::stoi(digits);
  if (value > 65535) return false;
  *port = static_cast<uint16_t>(value);
  return true;
}

// Thousands of connections need as many file descriptors.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int Fail(const std::string& message, int code = kExitFailed) {
  std::cerr << "vendor-sandbox: " << message << std::endl;
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"vendor-sandbox: a stateful simulator of the REST APIs that campaigns use."};
  std::string listen = "127.0.0.1:9100";
  std::string data_directory;
  app.add_option("--listen", listen, "Address and port; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--data-dir", data_directory,
                 "Keep state here, over restarts and SIGKILL; without it state is in memory");
  app.set_version_flag("--version", "vendor-sandbox " CAMPAIGND_VERSION);
  app.footer(kExamples);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kExitBadRequest;
  }

  std::string address;
  uint16_t port = 0;
  if (!SplitAddress(listen, &address, &port)) {
    return Fail("--listen must be ADDRESS:PORT, for example 127.0.0.1:9100; it is " + listen,
                kExitBadRequest);
  }
  std::signal(SIGPIPE, SIG_IGN);
  RaiseFileLimit();

  sandbox::Sandbox sandbox;
  absl::Status status = sandbox.Open(data_directory);
  if (!status.ok()) return Fail(std::string(status.message()));
  sandbox::Server server(sandbox);
  status = server.Listen(address, port);
  if (!status.ok()) return Fail(std::string(status.message()));
  const std::string host = address.find(':') == std::string::npos ? address : "[" + address + "]";
  std::cout << "vendor-sandbox listening on http://" << host << ":" << server.port() << std::endl;
  status = server.Run();
  if (!status.ok()) return Fail(std::string(status.message()));
  return EXIT_SUCCESS;
}
