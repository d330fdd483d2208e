// Session: what the command line and the user's contexts say, and how commands answer.
#include <cstdlib>
#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gateway/cli/command.h"
#include "gateway/cli/text_file.h"
#include "gateway/json/json_writer.h"

namespace cli {

namespace {

constexpr absl::Duration kTimeoutDefault = absl::Seconds(30);

CLI::ValidationError Wrong(const char* option, const absl::Status& status) {
  return CLI::ValidationError(option, std::string(status.message()));
}

}  // namespace

absl::Duration Session::timeout() const {
  absl::Duration duration = kTimeoutDefault;
  if (timeout_given()) absl::ParseDuration(timeout_text, &duration);
  return duration;
}

Contexts& Session::contexts() {
  if (contexts_ == nullptr) {
    auto loaded = Contexts::Load(Contexts::Directory());
    if (!loaded.ok()) throw Wrong("--context", loaded.status());
    contexts_ = std::make_unique<Contexts>(*std::move(loaded));
  }
  return *contexts_;
}

ConnectionOptions Session::Options() {
  const std::string name = context.empty() ? contexts().current() : context;
  const Context* known = contexts().Find(name);
  if (known == nullptr && !name.empty()) {
    throw CLI::ValidationError("--context",
                               absl::StrCat("there is no context ", name,
                                            "; `campaignctl context list` shows "
                                            "those there are, `context set` makes one"));
  }
  const Context none;
  const Context& base = known == nullptr ? none : *known;
  const auto first = [](const std::string& given, const std::string& kept) {
    return given.empty() ? kept : given;
  };
  ConnectionOptions options;
  options.address = first(address, first(base.address, options.address));
  options.timeout = timeout();
  options.ns = first(ns, base.ns);
  options.tls_ca = first(tls_ca, base.tls_ca);
  options.tls_certificate = first(tls_certificate, base.tls_certificate);
  options.tls_key = first(tls_key, base.tls_key);
  options.tls = tls || base.tls || !options.tls_ca.empty() || !options.tls_certificate.empty();
  const char* variable = std::getenv("CAMPAIGNCTL_TOKEN");
  options.token = first(variable == nullptr ? "" : variable, base.token);
  if (!token_file.empty()) {
    auto text = ReadFile(token_file);
    if (!text.ok()) throw Wrong("--token-file", text.status());
    options.token = *std::move(text);
  }
  options.token = std::string(absl::StripAsciiWhitespace(options.token));
  address = options.address;  // for errors
  return options;
}

Connection& Session::connection() {
  if (connection_ == nullptr) {
    auto opened = Connection::Open(Options());
    if (!opened.ok()) throw Wrong("--tls", opened.status());
    connection_ = *std::move(opened);
  }
  return *connection_;
}

void Session::Print(const google::protobuf::Message& message, const std::string& table) const {
  if (json()) {
    std::cout << gateway::ToJson(message, {.pretty = true}) << "\n";
  } else {
    std::cout << table;
  }
}

void Session::Fail(const absl::Status& status) {
  std::cout.flush();
  std::cerr << ErrorText(status, address, command);
  exit_code = ExitCodeOf(status);
}

std::string Session::User() {
  const char* user = std::getenv("USER");
  return user == nullptr || *user == '\0' ? "cli" : user;
}

}  // namespace cli
