// Settings of campaignd: everything that an operator may set, from four places. Flags win over the
// environment, the environment over the file, the file over the defaults. Every fault is reported
// at once, with its line, its key and the nearest known one. docs/settings.md lists the keys.
//
// Thread-safety: Load and the printers are externally synchronised; a loaded Settings is constant.
//
// Example:
//   Sources sources{.file = "campaignd.yaml", .environment = &ProcessEnvironment};
//   Settings settings;
//   Provenance provenance;
//   std::vector<std::string> faults = Load(sources, &settings, &provenance);
//   if (!faults.empty()) return Refuse(faults);
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "activities/campaign/settings.h"
#include "gateway/server/schema.h"
#include "gateway/server/secret_files.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/engine/options.h"

namespace server {

struct TlsSettings {
  std::string certificate_file;  // empty: no TLS
  std::string key_file;
  std::string client_ca_file;
  bool require_client_certificate = false;
  absl::Duration recheck = absl::Seconds(10);
  absl::Duration hsts_max_age = absl::Hours(24 * 365);
};

struct HttpSettings {
  std::vector<std::string> cors_origins;
  size_t gzip_bytes_min = 1024;
};

struct LimitSettings {
  size_t body_bytes_max = 1 << 20;
  size_t header_bytes_max = 16 << 10;
  size_t url_bytes_max = 8 << 10;
  int grpc_message_bytes_max = 4 << 20;
  int connections_max = 20'000;
  int connections_per_address_max = 1'000;
  int grpc_calls_per_connection_max = 1'000;
  int streams_max = 10'000;
  int streams_per_caller_max = 1'000;
  absl::Duration idle_timeout = absl::Seconds(60);
  absl::Duration header_timeout = absl::Seconds(10);
  absl::Duration body_timeout = absl::Seconds(30);
  absl::Duration write_timeout = absl::Seconds(30);
  int bytes_per_second_min = 1024;
  absl::Duration request_timeout = absl::Minutes(2);
};

struct ServerSettings {
  std::string http_listen = "127.0.0.1:8080";
  std::string grpc_listen = "127.0.0.1:7233";
  std::string data_dir = "./campaignd-data";
  std::string log_level = "info";
  std::string public_base_url;  // empty: http:// and the REST address
  absl::Duration shutdown_timeout = absl::Seconds(10);
  absl::Duration secrets_recheck = absl::Seconds(10);
  TlsSettings tls;
  HttpSettings http;
  LimitSettings limits;
};

struct EngineSettings {
  int activities_at_once_max = 2000;
  std::string build_id;                                        // empty: that of this program
  engine::EngineOptions options = {.archive_dir = "archive"};  // relative: in the data directory
};

struct BreakerSettings {
  int consecutive_failures = 5;
  double failure_rate = 0.5;
  int rate_calls_min = 20;
  absl::Duration window = absl::Minutes(1);
  absl::Duration open_initial = absl::Seconds(10);
  absl::Duration open_max = absl::Minutes(5);
  absl::Duration long_retry_after = absl::Minutes(5);
  double drain_per_second = 10;
};

struct OutboundSettings {
  bool private_networks = false;
  absl::Duration wait_max = absl::Seconds(30);
  int transfers_per_origin_max = 128;
  absl::Duration limiter_wait_max = absl::Seconds(5);
  absl::Duration kill_switch_recheck = absl::Seconds(10);
  BreakerSettings breaker;
};

// Where a vendor is and how we sign in.
struct VendorSettings {
  std::string base_url;
  base::Secret token;
  std::string limits;  // outbound/rate_limits.h
};

struct NotionSettings : VendorSettings {
  std::string version = "2025-09-03";
};

struct FigmaSettings : VendorSettings {
  bool token_is_oauth = false;
};

struct GithubSettings : VendorSettings {
  std::string owner;
  std::string repository;
  std::string base_branch = "main";
  std::string pages_branch = "gh-pages";
  std::string pages_url;  // empty: derived from owner and repository
  std::string author_name = "campaignd";
  std::string author_email = "campaignd@users.noreply.github.com";
};

struct BufferSettings : VendorSettings {
  std::string organization_id;  // empty: the account's first one
};

struct OpenAiSettings : VendorSettings {
  std::string model = "gpt-4o-mini";
  std::string response_format = "json_schema";
  bool legacy_max_tokens = false;
  std::vector<std::string> fallback_models;
  std::vector<std::string> prices = {"gpt-4o-mini 0.15 0.60", "gpt-4o 2.50 10", "gpt-4.1 2 8",
                                     "gpt-4.1-mini 0.40 1.60", "gpt-4.1-nano 0.10 0.40"};
  absl::Duration cache_ttl = absl::Hours(24);
  int cache_answers_max = 10'000;
};

struct GrafanaSettings : VendorSettings {
  std::string folder_uid;
  std::string datasource_uid = "prometheus";
};

struct GoogleChatSettings : VendorSettings {  // its token is the service account's key file
  std::string token_url = "https://oauth2.googleapis.com/token";
};

// A CMS that takes webhooks; its token is the secret that signs them.
struct CmsSettings : VendorSettings {};

struct WebDriverSettings {
  std::string url;  // empty: campaignd starts chromedriver itself
  std::string chromedriver_path = "/usr/bin/chromedriver";
  std::string browser_path;
  int sessions_max = 2;
  absl::Duration page_timeout = absl::Seconds(30);
  size_t page_characters_max = 4 << 20;
  bool obey_robots = true;
};

struct VendorsSettings {
  NotionSettings notion{{.base_url = "https://api.notion.com", .limits = "180/1m"}};
  WebDriverSettings webdriver;
  VendorSettings memory;  // no URL: the embedded memory
  OpenAiSettings openai{{.base_url = "https://api.openai.com/v1"}};
  FigmaSettings figma{{.base_url = "https://api.figma.com", .limits = "10/1m"}};
  GithubSettings github{{.base_url = "https://api.github.com",
                         .limits = "600/1m, 5000/1h, writes:80/1m, writes:500/1h"}};
  VendorSettings slack{.base_url = "https://slack.com/api",
                       .limits = "operation:50/1m, scope:1/1s"};
  VendorSettings sendgrid{.base_url = "https://api.sendgrid.com", .limits = "600/1m"};
  BufferSettings buffer{
      {.base_url = "https://api.buffer.com", .limits = "100/15m, 250/24h, 3000/720h"}};
  GrafanaSettings grafana{{.base_url = "http://127.0.0.1:3000"}};
  GoogleChatSettings google_chat{
      {.base_url = "https://chat.googleapis.com", .limits = "3000/1m, scope:1/1s"}};
  CmsSettings cms{{.limits = "60/1m"}};  // no URL: there is none
};

struct CodecSettings {
  std::string compression = "off";
  size_t compression_min_bytes = 1024;
  std::string keys_file;
  base::Secret keys;
  bool encrypt = true;
  bool encode_failures = false;
};

// What vendors send us (docs/approvals.md). An empty secret: nothing is taken from that vendor.
struct WebhooksSettings {
  base::Secret slack_signing_secret;
  std::vector<std::string> slack_approvers;
  base::Secret github_secret;
  std::vector<std::string> github_approvers;
  struct {
    std::string audience;  // empty: nothing is taken from Google Chat
    std::string audience_mode = "endpoint_url";
    std::string keys_url;
    std::vector<std::string> allowed_domains;
    std::vector<std::string> editors;
    std::vector<std::string> approvers;
    std::string ns = "default";
    std::vector<std::string> channels = {"email", "social", "blog"};
    std::vector<std::string> research_sources = {"notion", "memory"};
    std::string tone = "professional";
  } google_chat;
};

// Who may call (docs/security.md).
struct AuthSettings {
  std::string jwt_issuer;
  std::vector<std::string> jwt_audiences;
  base::Secret jwt_secret;
  std::string jwt_keys_file;
  std::string jwt_jwks_url;
  absl::Duration jwt_jwks_refresh = absl::Hours(1);
  absl::Duration jwt_leeway = absl::Minutes(1);
  std::string jwt_roles_claim = "roles";
  std::string jwt_namespace_claim = "namespace";
  std::vector<std::string> email_domains;
  std::string default_role = "viewer";
  std::string default_namespace = "default";
  std::string certificate_role = "none";
  bool public_metrics = false;
  bool public_assets = true;
};

struct AuditSettings {
  bool enabled = true;
  bool required = true;
  bool outbound = true;
  base::Secret key;
  absl::Duration head_log_interval = absl::Hours(1);
};

struct LimitsSettings {
  // auth::ParseCallRate has the form.
  std::string reads = "1000/10s";
  std::string writes = "300/10s";
  std::string starts = "1000/10s";
  std::string streams = "300/10s";
  std::string admin = "100/10s";
  std::string sign_ins = "30/1m";
  bool local_callers = false;
  int campaigns_per_hour = 20;
  int posts_per_day = 50;
  std::vector<std::string> quota_exempt;
};

struct Settings {
  ServerSettings server;
  EngineSettings engine;
  CodecSettings codec;
  AuthSettings auth;
  AuditSettings audit;
  LimitsSettings limits;
  OutboundSettings outbound;
  VendorsSettings vendors;
  WebhooksSettings webhooks;
  campaign::Settings campaign;
  // The secrets that were read from files.
  std::vector<SecretFile> secret_files;
};

// Those of the ports (settings_transport.cc).
void AddTransport(Schema& schema, ServerSettings& settings);

// The keys, bound to `settings`, which must outlive the schema.
Schema MakeSchema(Settings& settings);

// An environment: the value of a name, or nothing.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> ProcessEnvironment(const std::string& name);

struct Sources {
  std::string file;  // path of the YAML file; empty: none
  Environment environment;
  // (key, value) from flags; `flag` is how a fault names it.
  struct Flag {
    std::string flag;
    std::string key;
    std::string value;
  };
  std::vector<Flag> flags;
};

// Where each key's value came from: "default", "campaignd.yaml:12", "environment SLACK_BOT_TOKEN".
using Provenance = std::map<std::string, std::string>;

// Fills `settings` and registers its secrets with the log. Returns every fault, each a line for
// people ("campaignd.yaml:12: vendors.slak: unknown key; did you mean vendors.slack?"); none: fine.
std::vector<std::string> Load(const Sources& sources, Settings* settings, Provenance* provenance);

// The settings as YAML; secrets are "[set]" or "". With a provenance each value that is not a
// default says where it came from.
std::string PrintYaml(const Settings& settings, const Provenance& provenance);
// deploy/settings.yaml: every key with its default, its type and its purpose.
std::string SampleYaml();
// The reference part of docs/settings.md.
std::string ReferenceMarkdown();

// Keys that campaigns need and that are empty, with their environment names.
std::vector<std::string> MissingKeys(const Settings& settings);

}  // namespace server
