// The keys of the settings file, in the order of the sample.
#include "gateway/server/settings.h"

#include <cstdlib>
#include <set>

#include "absl/strings/str_cat.h"
#include "activities/campaign/moderation_rules.h"
#include "activities/campaign/platform_rules.h"
#include "activities/campaign/prompt.h"
#include "activities/connectors/openai/prices.h"
#include "activities/connectors/webhook/signature.h"
#include "gateway/auth/call_limits.h"
#include "gateway/webhooks/approvers.h"

namespace server {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);
constexpr char kLimitsHelp[] =
    "Calls allowed with the token: CALLS/TIME, a list; with writes:, operation: or scope: before "
    "it, of those only.";

// A further check of a key's values; "" or what is wrong.
void AddCheck(Schema& schema, absl::string_view path,
              std::function<std::string(absl::string_view)> problem) {
  Key* key = schema.Find(path);
  key->parse = [parse = std::move(key->parse),
                problem = std::move(problem)](absl::string_view text) -> std::string {
    const std::string found = problem(text);
    return found.empty() ? parse(text) : found;
  };
}

void AddServer(Schema& schema, ServerSettings& s) {
  schema.Section("server", "The server itself.");
  schema.ListenAddress("server.http_listen", &s.http_listen,
                       "Where REST, /metrics and the health pages listen; port 0 takes a free one. "
                       "Flag --http-listen.");
  schema.ListenAddress("server.grpc_listen", &s.grpc_listen,
                       "Where gRPC listens. Flag --grpc-listen.");
  schema.Text("server.data_dir", &s.data_dir,
              "Where runs, assets and the embedded memory are kept. One server at a time. "
              "Flag --data-dir.");
  schema.OneOf("server.log_level", &s.log_level, {"debug", "info", "warning", "error", "off"},
               "Log lines below this level are dropped. Flag --log-level.");
  schema.Url("server.public_base_url", &s.public_base_url,
             "How the outside reaches the REST address (links to assets); empty: the REST address.",
             "", true);
  schema.Duration("server.shutdown_timeout", &s.shutdown_timeout, absl::Seconds(1),
                  absl::Minutes(5),
                  "After SIGTERM: how long work under way may take before the process ends.");
  schema.Duration("server.secrets_recheck", &s.secrets_recheck, absl::Seconds(1), absl::Hours(24),
                  "How often the files of secrets (NAME_FILE, token_file) are looked at; one that "
                  "changed is used at once.");
}

void AddCodec(Schema& schema, CodecSettings& s) {
  schema.Section(
      "codec",
      "What is done to payloads before the engine sees them (docs/operations/encryption.md).");
  schema.OneOf("codec.compression", &s.compression, {"off", "zlib", "read"},
               "zlib compresses payloads; read only reads what was compressed before.");
  schema.Size("codec.compression_min_bytes", &s.compression_min_bytes, 64, 64 * 1024 * 1024,
              "Smaller payloads are not compressed.");
  schema.Boolean("codec.encode_failures", &s.encode_failures,
                 "Encode messages and details of failures too; lists and logs of the engine then "
                 "show only their types.");
  schema.Section("codec.encryption", "AES-256-GCM. On when there are keys.");
  schema.Text("codec.encryption.keys_file", &s.keys_file,
              "A key a line: an id, a space, 32 bytes in base64 or hexadecimal. The first key "
              "encrypts, all decrypt. Read again when it changes, and on SIGHUP.",
              "CAMPAIGND_ENCRYPTION_KEYS_PATH");
  schema.Secret("codec.encryption.keys", &s.keys, "CAMPAIGND_ENCRYPTION_KEYS",
                "The same as text, when there is no file.", /*blanks=*/true);
  schema.Boolean("codec.encryption.encrypt", &s.encrypt,
                 "false: new payloads are not encrypted, old ones are still read.");
}

void AddAuth(Schema& schema, AuthSettings& s) {
  schema.Section(
      "auth",
      "Who may call (docs/security.md). Without any credential (no API key was ever made, "
      "no tokens and no client certificates are set up) the server asks nobody and "
      "listens on this machine only.");
  schema.TextList("auth.email_domains", &s.email_domains,
                  "People with an e-mail address of these domains only; empty: any.");
  schema.OneOf("auth.default_role", &s.default_role, {"none", "viewer", "editor", "admin"},
               "Of somebody of these domains who has no entry (campaignctl users) and whose token "
               "names no role.");
  schema.Text("auth.default_namespace", &s.default_namespace,
              "What somebody is bound to who has no entry and whose token names no namespace; "
              "\"*\": every namespace.");
  schema.OneOf("auth.certificate_role", &s.certificate_role, {"none", "viewer", "editor", "admin"},
               "Of a client whose certificate TLS has verified and whose name has no entry.");
  schema.Boolean("auth.public_metrics", &s.public_metrics,
                 "Whether /metrics needs no credential; else it is for viewers.");
  schema.Boolean("auth.public_assets", &s.public_assets,
                 "Whether /assets needs no credential, as mail programs and social networks have "
                 "none; else it is for viewers.");
  schema.Section("auth.jwt", "Tokens (JWT) signed with RS256, ES256 or HS256.");
  schema.Text("auth.jwt.issuer", &s.jwt_issuer, "What iss must be. Needed when there are keys.");
  schema.TextList("auth.jwt.audiences", &s.jwt_audiences,
                  "One of them must be in aud. Needed when there are keys.");
  schema.Url("auth.jwt.jwks_url", &s.jwt_jwks_url,
             "Where the issuer publishes its keys; https, or on this machine.", "", true);
  schema.Duration("auth.jwt.jwks_refresh", &s.jwt_jwks_refresh, absl::Seconds(10), absl::Hours(24),
                  "How old the published keys may be; a token with an unknown key has them fetched "
                  "at once. When that fails the old ones stay.");
  schema.Text("auth.jwt.keys_file", &s.jwt_keys_file,
              "Keys in a file: JWKS, or PEM with public keys or certificates. Read again when it "
              "changes.");
  schema.Secret("auth.jwt.secret", &s.jwt_secret, "CAMPAIGND_JWT_SECRET",
                "For HS256: at least 32 bytes. Whoever has it can make tokens.");
  schema.Duration("auth.jwt.leeway", &s.jwt_leeway, absl::ZeroDuration(), absl::Minutes(10),
                  "How far the issuer's clock may be from ours.");
  schema.Text("auth.jwt.roles_claim", &s.jwt_roles_claim,
              "The claim that holds roles, a text or a list; a path (\"realm_access.roles\") where "
              "there is no claim of that name. Empty: no role comes from a token.");
  schema.Text("auth.jwt.namespace_claim", &s.jwt_namespace_claim,
              "The claim that holds the namespace; empty: none does.");
}

void AddAudit(Schema& schema, AuditSettings& s) {
  schema.Section("audit", "The audit trail (docs/operations/audit.md).");
  schema.Boolean("audit.enabled", &s.enabled, "Whether there is one.");
  schema.Boolean("audit.required", &s.required,
                 "Nothing is changed that cannot be recorded first; false: it is changed, and "
                 "audit_events_lost_total counts it. Switching the kill switch on never waits.");
  schema.Boolean("audit.outbound", &s.outbound,
                 "Record calls to vendors, but for those that only read, too.");
  schema.Secret("audit.key", &s.key, "CAMPAIGND_AUDIT_KEY",
                "Signs the head of the trail: nobody without it can cut the end off unseen. Keep "
                "it away from the data directory.");
  schema.Duration("audit.head_log_interval", &s.head_log_interval, absl::Minutes(1), kDay,
                  "How often the head of the trail goes into the log, when it has moved.");
}

void AddLimits(Schema& schema, LimitsSettings& s) {
  schema.Section("limits",
                 "How often one caller may call: CALLS/TIME, so many at once and refilled evenly "
                 "within the time, or off. Refused calls are 429 (RESOURCE_EXHAUSTED) with "
                 "Retry-After.");
  const auto rate = [&](const char* path, std::string* value, const char* help) {
    schema.Text(path, value, help);
    AddCheck(schema, path, [](absl::string_view text) -> std::string {
      const absl::Status status = auth::ParseCallRate(text).status();
      return status.ok() ? "" : std::string(status.message());
    });
  };
  rate("limits.reads", &s.reads, "Calls that only read.");
  rate("limits.writes", &s.writes, "Decisions, drafts, signals, schedules, pause and resume.");
  rate("limits.starts", &s.starts, "Starts of campaigns and workflows.");
  rate("limits.streams", &s.streams, "Watches, histories, results and exports.");
  rate("limits.admin", &s.admin, "What only admins may do.");
  rate("limits.sign_ins", &s.sign_ins,
       "Calls without a good credential, from one address (IPv6: a /64).");
  schema.Boolean(
      "limits.local_callers", &s.local_callers,
      "Whether callers of a server without any credential, which listens on this machine "
      "only, are limited, too.");
  schema.Integer("limits.campaigns_per_hour", &s.campaigns_per_hour, 0, 1000000,
                 "Campaigns that one user or key may start within an hour; 0: any number.");
  schema.Integer("limits.posts_per_day", &s.posts_per_day, 0, 1000000,
                 "Social posts that the campaigns of one user or key may plan within 24 hours; 0: "
                 "any number.");
  schema.TextList("limits.quota_exempt", &s.quota_exempt,
                  "Identities that the two above do not count, such as key:ci.");
}

void AddEngine(Schema& schema, EngineSettings& s) {
  engine::EngineOptions& o = s.options;
  constexpr int kMany = 10'000'000;
  schema.Section("engine", "The workflow engine: sizes and times.");
  schema.Integer("engine.cached_runs_max", &o.live_runs_max, 1, 1000000,
                 "Live runs kept in memory; others wake up by replay of their history.");
  schema.Integer("engine.activities_at_once_max", &s.activities_at_once_max, 1, 100000,
                 "Activities running at once; more wait for their turn.");
  schema.Integer("engine.partitions", &o.partitions, 1, 64,
                 "Loops that share the runs; more than cores are no use.");
  schema.Integer("engine.inbox_max", &o.inbox_max, 100, kMany,
                 "Calls waiting for the engine; more are answered RESOURCE_EXHAUSTED.");
  schema.Integer("engine.waiters_max", &o.waiters_max, 1, 1000000,
                 "Long polls waiting at once; more are answered at once.");
  schema.Duration("engine.wait_max", &o.wait_max, absl::ZeroDuration(), absl::Minutes(10),
                  "The longest wait of one long poll.");
  schema.Integer("engine.due_runs_per_turn", &o.due_runs_per_turn, 1, 100000,
                 "Due runs handled before calls are looked at again.");
  schema.Duration("engine.due_horizon", &o.due_horizon, absl::Seconds(1), absl::Hours(24),
                  "Timers nearer than this are kept in memory.");
  schema.Duration("engine.stuck_retry_min", &o.stuck_retry_min, absl::Milliseconds(1),
                  absl::Hours(24), "How soon the code of a stuck run is tried again; then longer.");
  schema.Duration("engine.stuck_retry_max", &o.stuck_retry_max, absl::Milliseconds(1),
                  absl::Hours(24), "The longest wait between two tries of a stuck run.");
  schema.Duration("engine.store_retry", &o.store_retry, absl::Milliseconds(1), absl::Minutes(10),
                  "How long after a failed commit its runs are loaded again.");
  schema.Duration("engine.lease_check_after", &o.lease_check_after, absl::Milliseconds(1),
                  absl::Minutes(1),
                  "Nothing goes out on the word of a lease that was confirmed longer ago.");
  schema.Duration(
      "engine.task_blocked_after", &o.task_blocked_after, absl::ZeroDuration(), absl::Hours(1),
      "Workflow code that holds its loop for longer is named by the watchdog; 0: never.");

  schema.Integer("engine.history_events_max", &o.history_events_max, 100, kMany,
                 "A run with a longer history is suspended as STUCK, not destroyed.");
  schema.Integer("engine.continue_as_new_events", &o.continue_as_new_events, 1, kMany,
                 "From this length of its history on a run is told to continue as new.");
  schema.Integer("engine.continue_as_new_bytes", &o.continue_as_new_bytes, 1, 1 << 30,
                 "The same by the bytes of its history.");
  schema.Integer("engine.payload_bytes_max", &o.payload_bytes_max, 1024, 64 * 1024 * 1024,
                 "Larger inputs and results are refused.");
  schema.Integer("engine.payload_offload_bytes", &o.payload_offload_bytes, 0, 64 * 1024 * 1024,
                 "Payloads from this size on are kept once, by their hash; 0: never.");
  schema.Integer("engine.pending_activities_max", &o.pending_activities_max, 1, 100000,
                 "Activities of one run that have not ended; beyond it is STUCK.");
  schema.Integer("engine.pending_children_max", &o.pending_children_max, 1, 100000,
                 "Children of one run, and its messages to other runs, that are not answered.");
  schema.Integer("engine.messages_in_flight_max", &o.messages_in_flight_max, 1, 1000000,
                 "Messages between runs on their way at once, a partition.");
  schema.Integer("engine.signals_pending_max", &o.signals_pending_max, 1, kMany,
                 "Signals of one run that its code has not seen (while it is paused or stuck).");
  schema.Integer("engine.signals_max", &o.signals_max, 1, kMany,
                 "Signals in the history of one run.");
  schema.Integer("engine.updates_in_flight_max", &o.updates_in_flight_max, 1, kMany,
                 "Updates of one run that are not answered.");
  schema.Integer("engine.updates_max", &o.updates_max, 1, kMany,
                 "Updates in the history of one run; their answers are kept.");
  schema.Integer("engine.identity_bytes_max", &o.identity_bytes_max, 1, 800, "Length of who asks.");
  schema.Integer("engine.reason_bytes_max", &o.reason_bytes_max, 1, 4000,
                 "Length of why somebody asks.");
  schema.Integer("engine.name_bytes_max", &o.name_bytes_max, 1, 200,
                 "Length of a workflow type, signal, update, task queue or namespace.");
  schema.Integer("engine.search_attributes_max", &o.search_attributes_max, 0, 10000,
                 "Search attributes of one run.");
  schema.Integer("engine.search_attribute_bytes_max", &o.search_attribute_bytes_max, 1, 1 << 20,
                 "Bytes of one search attribute's value.");
  schema.Integer("engine.memo_bytes_max", &o.memo_bytes_max, 0, 1 << 24,
                 "Bytes of all fields of one run's memo.");

  schema.Duration("engine.retention", &o.retention, absl::ZeroDuration(), 3650 * kDay,
                  "How long closed runs are kept; 0: for ever.");
  schema.Duration("engine.retention_failed", &o.retention_failed, absl::ZeroDuration(), 3650 * kDay,
                  "The same for runs that did not complete; 0: as the others.");
  schema.Duration("engine.retention_interval", &o.retention_interval, absl::Seconds(1), kDay,
                  "How often runs whose time is over are looked for.");
  schema.Text("engine.archive_dir", &o.archive_dir,
              "Where runs are written before they are deleted, in server.data_dir when it does not "
              "begin with \"/\"; empty: they are just deleted.");
  schema.Text("engine.build_id", &s.build_id,
              "Name of this build of the workflows' code in histories; empty: version and hash of "
              "the program.");
}

void AddOutbound(Schema& schema, OutboundSettings& s) {
  schema.Section("outbound", "Calls to vendors.");
  schema.Boolean("outbound.private_networks", &s.private_networks,
                 "Whether competitor pages may lie in private networks or on this machine.");
  schema.Duration("outbound.wait_max", &s.wait_max, absl::ZeroDuration(), absl::Minutes(10),
                  "A vendor's Retry-After longer than this is waited for by the engine, not in the "
                  "call.");
  schema.Integer("outbound.transfers_per_origin_max", &s.transfers_per_origin_max, 1, 10000,
                 "Calls at once to one vendor.");
  schema.Duration("outbound.limiter_wait_max", &s.limiter_wait_max, absl::ZeroDuration(),
                  absl::Minutes(10),
                  "A turn of a rate limiter farther away than this is waited for by the engine, "
                  "not in the call.");
  schema.Duration("outbound.kill_switch_recheck", &s.kill_switch_recheck, absl::Milliseconds(100),
                  absl::Minutes(10),
                  "How often a call that the kill switch holds back asks again, about.");

  schema.Section("outbound.breaker",
                 "Circuit breakers: when a vendor is left in peace, and how it is asked again.");
  schema.Integer("outbound.breaker.consecutive_failures", &s.breaker.consecutive_failures, 1, 1000,
                 "So many failures in a row open the breaker.");
  schema.Number("outbound.breaker.failure_rate", &s.breaker.failure_rate, 0.01, 1,
                "So does this share of failed calls in the window.");
  schema.Integer("outbound.breaker.rate_calls_min", &s.breaker.rate_calls_min, 1, 100000,
                 "Calls in the window before the share counts.");
  schema.Duration("outbound.breaker.window", &s.breaker.window, absl::Seconds(1), absl::Hours(1),
                  "The window.");
  schema.Duration("outbound.breaker.open_initial", &s.breaker.open_initial, absl::Milliseconds(10),
                  absl::Hours(1), "Time to the first probe; doubles with every failed one.");
  schema.Duration("outbound.breaker.open_max", &s.breaker.open_max, absl::Milliseconds(10), kDay,
                  "The longest time to the next probe, but for a vendor's own Retry-After.");
  schema.Duration("outbound.breaker.long_retry_after", &s.breaker.long_retry_after,
                  absl::Seconds(1), kDay,
                  "A vendor that asks for a longer pause than this opens its breaker at once.");
  schema.Number("outbound.breaker.drain_per_second", &s.breaker.drain_per_second, 0.1, 10000,
                "Calls a second of those that waited, when the breaker closes.");
}

void AddVendors(Schema& schema, VendorsSettings& s) {
  schema.Section("vendors.notion", "Notion: research in databases.");
  schema.Url("vendors.notion.base_url", &s.notion.base_url, "Where the API is.");
  schema.Secret("vendors.notion.token", &s.notion.token, "NOTION_TOKEN", "Integration token.");
  schema.RateLimits("vendors.notion.limits", &s.notion.limits, kLimitsHelp);
  schema.OneOf("vendors.notion.version", &s.notion.version,
               {"2025-09-03", "2026-03-11", "2022-06-28"}, "Version of the API to speak.");

  schema.Section("vendors.webdriver", "The headless browser that renders competitor pages.");
  schema.Url("vendors.webdriver.url", &s.webdriver.url,
             "A W3C WebDriver service; empty: campaignd starts chromedriver itself.",
             "TOOL_SERVICE_URL", true);
  schema.Text("vendors.webdriver.chromedriver_path", &s.webdriver.chromedriver_path,
              "The chromedriver to start.");
  schema.Text("vendors.webdriver.browser_path", &s.webdriver.browser_path,
              "The browser; empty: chromedriver's choice.");
  schema.Duration("vendors.webdriver.page_timeout", &s.webdriver.page_timeout, absl::Seconds(1),
                  absl::Minutes(10), "How long a page may take to load.");
  schema.Size("vendors.webdriver.page_characters_max", &s.webdriver.page_characters_max, 64 * 1024,
              256 << 20, "How much of a page is loaded; a larger one is cut there.");
  schema.Integer("vendors.webdriver.sessions_max", &s.webdriver.sessions_max, 1, 100,
                 "Browser sessions at once.");
  schema.Boolean("vendors.webdriver.obey_robots", &s.webdriver.obey_robots,
                 "Leave pages alone that a site's robots.txt forbids (to campaignd, or to all).");

  schema.Section("vendors.memory", "Memory: brand voices, drafts and insights.");
  schema.Url("vendors.memory.base_url", &s.memory.base_url,
             "An HTTP memory gateway; empty: the embedded memory in the data directory.",
             "MEMORY_GATEWAY_URL", true);
  schema.Secret("vendors.memory.token", &s.memory.token, "MEMORY_GATEWAY_TOKEN",
                "Bearer token of the gateway, if it wants one.");
  schema.RateLimits("vendors.memory.limits", &s.memory.limits, kLimitsHelp);

  schema.Section("vendors.openai", "The language model: any OpenAI-compatible service.");
  schema.Url("vendors.openai.base_url", &s.openai.base_url, "Where the API is, with its /v1.",
             "SOMALLM_PROVIDER_URL");
  schema.Secret("vendors.openai.token", &s.openai.token, "OPENAI_API_KEY", "API key.");
  schema.RateLimits("vendors.openai.limits", &s.openai.limits, kLimitsHelp);
  schema.Text("vendors.openai.model", &s.openai.model, "Which model writes.");
  schema.OneOf("vendors.openai.response_format", &s.openai.response_format,
               {"json_schema", "json_object"},
               "How JSON is asked for; older local servers know only json_object.");
  schema.Boolean("vendors.openai.legacy_max_tokens", &s.openai.legacy_max_tokens,
                 "Send max_tokens, which local servers know, instead of max_completion_tokens.");
  schema.TextList("vendors.openai.fallback_models", &s.openai.fallback_models,
                  "Models asked in this order when the first gives no usable text.");
  schema.TextList(
      "vendors.openai.prices", &s.openai.prices,
      "MODEL PROMPT_USD COMPLETION_USD, of a million tokens; a model that no line names "
      "costs nothing, unless there is a line for *.");
  AddCheck(schema, "vendors.openai.prices", [](absl::string_view line) {
    return std::string(openai::Prices::Parse({std::string(line)}).status().message());
  });
  schema.Duration("vendors.openai.cache_ttl", &s.openai.cache_ttl, absl::ZeroDuration(), 365 * kDay,
                  "How long an answer serves the same question again; 0: no cache.");
  schema.Integer("vendors.openai.cache_answers_max", &s.openai.cache_answers_max, 1, 10000000,
                 "Answers kept; the oldest go first.");

  schema.Section("vendors.figma", "Figma: images rendered from components.");
  schema.Url("vendors.figma.base_url", &s.figma.base_url, "Where the API is.");
  schema.Secret("vendors.figma.token", &s.figma.token, "FIGMA_ACCESS_TOKEN",
                "Personal access token.");
  schema.RateLimits("vendors.figma.limits", &s.figma.limits, kLimitsHelp);
  schema.Boolean("vendors.figma.token_is_oauth", &s.figma.token_is_oauth,
                 "The token is an OAuth token.");

  schema.Section("vendors.github", "GitHub: pull requests for review, pages for the blog.");
  schema.Url("vendors.github.base_url", &s.github.base_url, "Where the API is.");
  schema.Secret("vendors.github.token", &s.github.token, "GITHUB_TOKEN",
                "Token with contents and pull requests read and write.");
  schema.RateLimits("vendors.github.limits", &s.github.limits, kLimitsHelp);
  schema.Text("vendors.github.owner", &s.github.owner, "Owner of the repository.");
  schema.Text("vendors.github.repository", &s.github.repository, "The repository.");
  schema.Text("vendors.github.base_branch", &s.github.base_branch,
              "The branch that pull requests go to.");
  schema.Text("vendors.github.pages_branch", &s.github.pages_branch,
              "The branch that GitHub Pages publishes.");
  schema.Url("vendors.github.pages_url", &s.github.pages_url,
             "Where the pages are published; empty: https://OWNER.github.io/REPOSITORY.", "", true);
  schema.Text("vendors.github.author_name", &s.github.author_name, "Author of our commits.");
  schema.Email("vendors.github.author_email", &s.github.author_email, "Address of that author.");

  schema.Section("vendors.slack", "Slack: messages to the reviewers.");
  schema.Url("vendors.slack.base_url", &s.slack.base_url, "Where the API is.");
  schema.Secret("vendors.slack.token", &s.slack.token, "SLACK_BOT_TOKEN",
                "Bot token; scopes chat:write and channels:history.");
  schema.RateLimits("vendors.slack.limits", &s.slack.limits, kLimitsHelp);

  schema.Section("vendors.sendgrid", "SendGrid: mails.");
  schema.Url("vendors.sendgrid.base_url", &s.sendgrid.base_url, "Where the API is.");
  schema.Secret("vendors.sendgrid.token", &s.sendgrid.token, "SENDGRID_API_KEY", "API key.");
  schema.RateLimits("vendors.sendgrid.limits", &s.sendgrid.limits, kLimitsHelp);

  schema.Section("vendors.buffer", "Buffer: social posts, by its GraphQL API.");
  schema.Url("vendors.buffer.base_url", &s.buffer.base_url, "Where the API is.");
  schema.Secret("vendors.buffer.token", &s.buffer.token, "BUFFER_ACCESS_TOKEN", "Access token.");
  schema.RateLimits("vendors.buffer.limits", &s.buffer.limits, kLimitsHelp);
  schema.Text("vendors.buffer.organization_id", &s.buffer.organization_id,
              "Organization; empty: the account's first one.");

  schema.Section("vendors.grafana", "Grafana: a dashboard for each campaign.");
  schema.Url("vendors.grafana.base_url", &s.grafana.base_url, "Where Grafana is.", "GRAFANA_URL");
  schema.Secret("vendors.grafana.token", &s.grafana.token, "GRAFANA_TOKEN",
                "Service account token.");
  schema.RateLimits("vendors.grafana.limits", &s.grafana.limits, kLimitsHelp);
  schema.Text("vendors.grafana.folder_uid", &s.grafana.folder_uid,
              "Folder of the dashboards; empty: the general one.");
  schema.Text("vendors.grafana.datasource_uid", &s.grafana.datasource_uid,
              "Prometheus data source of the panels.");

  schema.Section("vendors.google_chat", "Google Chat: cards of the app in spaces.");
  schema.Url("vendors.google_chat.base_url", &s.google_chat.base_url, "Where the API is.");
  schema.Url("vendors.google_chat.token_url", &s.google_chat.token_url,
             "Where access tokens are had.");
  schema.Secret(
      "vendors.google_chat.service_account", &s.google_chat.token, "GOOGLE_CHAT_SERVICE_ACCOUNT",
      "The key file of the service account that the app speaks as: its JSON text; better, "
      "name the file.",
      true);
  schema.RateLimits("vendors.google_chat.limits", &s.google_chat.limits, kLimitsHelp);

  schema.Section("vendors.cms", "A content management system that takes webhooks: channel cms.");
  schema.Url("vendors.cms.base_url", &s.cms.base_url,
             "Where events are posted, the whole address; empty: there is no such channel.",
             "CMS_WEBHOOK_URL", true);
  schema.Secret("vendors.cms.secret", &s.cms.token, "CMS_WEBHOOK_SECRET",
                "Signs the events, as in Standard Webhooks: whsec_ and base64, or any text.");
  AddCheck(schema, "vendors.cms.secret", [](absl::string_view secret) {
    return std::string(webhook::KeyOf(std::string(secret)).status().message());
  });
  schema.RateLimits("vendors.cms.limits", &s.cms.limits, kLimitsHelp);
}

void AddWebhooks(Schema& schema, WebhooksSettings& s) {
  schema.Section("webhooks", "Approvals from where people are (docs/approvals.md).");
  schema.Section("webhooks.slack", "Buttons and the command /campaign.");
  schema.Secret("webhooks.slack.signing_secret", &s.slack_signing_secret, "SLACK_SIGNING_SECRET",
                "Signing secret of the Slack app; empty: nothing is taken from Slack.");
  schema.TextList("webhooks.slack.approvers", &s.slack_approvers,
                  "Who may decide besides a campaign's own reviewers: Slack user ids, addresses "
                  "(ann@example.com), domains (@example.com) or * for everybody who can press.");
  AddCheck(schema, "webhooks.slack.approvers", [](absl::string_view text) {
    return webhooks::SlackApproverProblem(std::string_view(text.data(), text.size()));
  });
  schema.Section("webhooks.google_chat", "The app in Google Chat.");
  schema.Text(
      "webhooks.google_chat.audience", &s.google_chat.audience,
      "Audience of Google's tokens, as the app is configured: the address of "
      "/webhooks/google-chat as Google knows it, or the project's number; empty: nothing is "
      "taken from Google Chat.");
  schema.OneOf("webhooks.google_chat.audience_mode", &s.google_chat.audience_mode,
               {"endpoint_url", "project_number"}, "Which of the two it is.");
  schema.Url("webhooks.google_chat.keys_url", &s.google_chat.keys_url,
             "Where the keys of the tokens are; empty: Google's.", "", true);
  schema.TextList("webhooks.google_chat.allowed_domains", &s.google_chat.allowed_domains,
                  "E-mail domains whose people may use the app (example.com); nobody else may.");
  AddCheck(schema, "webhooks.google_chat.allowed_domains",
           [](absl::string_view text) { return webhooks::ChatDomainProblem(std::string(text)); });
  const auto people = [&](const char* path, std::vector<std::string>* list, const char* help) {
    schema.TextList(path, list, help);
    AddCheck(schema, path,
             [](absl::string_view text) { return webhooks::ChatPersonProblem(std::string(text)); });
  };
  people("webhooks.google_chat.editors", &s.google_chat.editors,
         "Who of them may start campaigns and decide: addresses (ann@example.com), domains "
         "(@example.com) or * for all; besides those whose role is editor.");
  people("webhooks.google_chat.approvers", &s.google_chat.approvers,
         "Who of them may decide, too.");
  schema.Text("webhooks.google_chat.namespace", &s.google_chat.ns,
              "The namespace that the app works in.");
  schema.TextList("webhooks.google_chat.channels", &s.google_chat.channels,
                  "Channels of campaigns that are drafted in a chat.");
  schema.TextList("webhooks.google_chat.research_sources", &s.google_chat.research_sources,
                  "Their research sources; not web, which needs addresses.");
  schema.OneOf("webhooks.google_chat.tone", &s.google_chat.tone,
               {"professional", "casual", "technical"}, "Their tone.");
  schema.Section("webhooks.github", "Reviews, merges and edits of the pull request.");
  schema.Secret("webhooks.github.secret", &s.github_secret, "GITHUB_WEBHOOK_SECRET",
                "Secret of the repository's webhook; empty: nothing is taken from GitHub.");
  schema.TextList("webhooks.github.approvers", &s.github_approvers,
                  "Logins of who may decide; none: whoever may write to the repository.");
}

void AddCampaign(Schema& schema, campaign::Settings& s) {
  schema.Section("campaign", "Campaigns: times and limits.");
  schema.Duration("campaign.undo_window", &s.undo_window, absl::Minutes(1), 2 * kDay,
                  "Mails and posts go out this long after they were handed over, so that a failure "
                  "meanwhile can take them back; SendGrid promises that only 10 minutes ahead.");
  schema.Url("campaign.link_base_url", &s.link_base_url, "Where tracked links lead.");
  schema.Duration("campaign.settle_delay", &s.settle_delay, absl::ZeroDuration(), absl::Minutes(10),
                  "A step that was lost may still have a call on its way: its compensation looks "
                  "again after this long.");

  schema.Section("campaign.approval",
                 "How campaigns wait for their reviewers (docs/approvals.md). What holds when a "
                 "review is asked for holds to its end.");
  schema.Duration(
      "campaign.approval.remind_after", &s.approval.remind_after, absl::ZeroDuration(), 365 * kDay,
      "Reviewers are reminded after this long, and again after the same time; 0: never.");
  schema.Duration("campaign.approval.expire_after", &s.approval.expire_after, absl::Seconds(1),
                  365 * kDay, "The time for a decision; then comes on_expiry.");
  schema.OneOf(
      "campaign.approval.on_expiry", &s.approval.on_expiry, {"reject", "wait"},
      "reject: the campaign is withdrawn and fails as ApprovalTimedOut; wait: the reviewers "
      "are told, and it goes on waiting.");

  schema.Section("campaign.research", "What research hands on.");
  schema.TextList("campaign.research.notion_databases", &s.research.notion_databases,
                  "Notion database ids; none: a search over all that is shared.");
  schema.Integer("campaign.research.notion_results_max", &s.research.notion_results_max, 1, 100,
                 "Results of each Notion database.");
  schema.Integer("campaign.research.memory_results_max", &s.research.memory_results_max, 1, 100,
                 "Results from memory.");
  schema.Size("campaign.research.title_characters_max", &s.research.title_characters_max, 20, 2000,
              "Longer titles are cut.");
  schema.Size("campaign.research.summary_characters_max", &s.research.summary_characters_max, 100,
              20000, "Longer summaries are cut.");
  schema.Integer("campaign.research.findings_max", &s.research.findings_max, 1, 500,
                 "Findings in all.");

  schema.Section("campaign.content", "Texts from the language model.");
  schema.Integer("campaign.content.output_tokens_max", &s.content.output_tokens_max, 100, 100000,
                 "Tokens of one answer.");
  schema.Number("campaign.content.temperature", &s.content.temperature, 0, 2,
                "Temperature of the model.");

  schema.Section("campaign.content.prompts",
                 "What the model is told; docs/connectors.md names the templates' variables.");
  campaign::PromptSettings& prompts = s.content.prompts;
  const auto is_template = [](absl::string_view text) {
    return campaign::TemplateProblem(std::string(text));
  };
  schema.Text("campaign.content.prompts.version", &prompts.version,
              "Shown with every campaign: change it with the templates.");
  schema.Text("campaign.content.prompts.system", &prompts.system,
              "Mustache template of the system message.");
  AddCheck(schema, "campaign.content.prompts.system", is_template);
  schema.Text("campaign.content.prompts.user", &prompts.user,
              "Mustache template of the user message.");
  AddCheck(schema, "campaign.content.prompts.user", is_template);
  const auto advice = [&schema](const std::string& name, std::vector<std::string>* lines,
                                const char* help) {
    const std::string path = absl::StrCat("campaign.content.prompts.", name);
    schema.TextList(path, lines, help);
    AddCheck(schema, path, campaign::AdviceProblem);
  };
  advice("tones", &prompts.tones, "TONE: ADVICE lines.");
  advice("channels", &prompts.channels, "CHANNEL: ADVICE lines.");
  advice("languages", &prompts.languages, "LANGUAGE: ADVICE lines.");

  schema.Section("campaign.moderation", "Texts are checked before people review them.");
  schema.TextList("campaign.moderation.rules", &s.moderation.rules,
                  "NAME warning|block PATTERN (RE2), found anywhere in a text.");
  AddCheck(schema, "campaign.moderation.rules", campaign::RuleProblem);
  schema.Text("campaign.moderation.model", &s.moderation.model,
              "Moderation model of the OpenAI-compatible service, such as omni-moderation-latest; "
              "empty: the rules alone.");
  schema.OneOf("campaign.moderation.model_severity", &s.moderation.model_severity,
               {"warning", "block"}, "Severity of what the model flags.");
  schema.OneOf("campaign.moderation.on_block", &s.moderation.on_block, {"review", "fail"},
               "What a finding of severity block does: the reviewers see it and decide, or the "
               "campaign fails.");

  schema.Section("campaign.figma", "What is rendered.");
  schema.Text("campaign.figma.file_key", &s.figma.file_key, "The Figma file.");
  schema.Text("campaign.figma.email_node", &s.figma.email_node,
              "Node of the e-mail banner, for campaigns without templates.");
  schema.Text("campaign.figma.social_node", &s.figma.social_node, "Node of the social image.");
  schema.Text("campaign.figma.blog_node", &s.figma.blog_node, "Node of the blog header.");
  schema.Text("campaign.figma.cms_node", &s.figma.cms_node,
              "Node of the image of an article in the CMS.");
  schema.OneOf("campaign.figma.format", &s.figma.format, {"png", "jpg", "svg"}, "Image format.");
  schema.Number("campaign.figma.scale", &s.figma.scale, 0.01, 4, "Scale of the images.");

  schema.Section("campaign.review", "Pull request and Slack message.");
  schema.Text("campaign.review.content_dir", &s.review.content_dir,
              "Folder of the review's files in the repository.");
  schema.Text("campaign.review.slack_channel", &s.review.slack_channel,
              "Channel id of the review message.");

  schema.Section("campaign.email", "Mails.");
  schema.Email("campaign.email.from_address", &s.email.from_address, "Sender; must be verified.");
  schema.Text("campaign.email.from_name", &s.email.from_name, "Sender's name.");
  schema.TextList("campaign.email.recipients", &s.email.recipients,
                  "Recipients of campaigns that name none.");

  schema.Section("campaign.social", "Social posts.");
  schema.TextList("campaign.social.channels", &s.social.channels,
                  "CHANNEL_ID SERVICE of each Buffer channel to post to, as in \"5f2a linkedin\".");
  AddCheck(schema, "campaign.social.channels", campaign::SocialChannelProblem);
  schema.Size("campaign.social.text_characters_max", &s.social.text_characters_max, 0, 5000,
              "Limits a post with its link further than its network does; 0: the network's limit.");
  schema.Boolean("campaign.social.escape_linkedin", &s.social.escape_linkedin,
                 "Escape LinkedIn's reserved characters; Buffer does that itself.");

  schema.Section("campaign.blog", "Blog pages.");
  schema.Text("campaign.blog.page_dir", &s.blog.page_dir,
              "Folder of the published pages in the repository.");
}

void AddActivity(Schema& schema, const std::string& name, sdk::ActivityOptions& options) {
  if (!options.retry.has_value()) options.retry.emplace();
  const std::string path = absl::StrCat("activities.", name);
  sdk::RetryPolicy& retry = *options.retry;
  schema.Integer(path + ".maximum_attempts", &retry.maximum_attempts, 0, 100000,
                 "Attempts; 0: no limit.");
  schema.Duration(path + ".initial_interval", &retry.initial_interval, absl::Milliseconds(1), kDay,
                  "Wait before the second attempt.");
  schema.Number(path + ".backoff_coefficient", &retry.backoff_coefficient, 1, 100,
                "Each further wait is this many times longer.");
  schema.Duration(path + ".maximum_interval", &retry.maximum_interval, absl::ZeroDuration(),
                  7 * kDay, "The longest wait; 0: 100 times the first.");
  schema.Duration(path + ".start_to_close_timeout", &options.start_to_close_timeout,
                  absl::Seconds(1), 7 * kDay, "Time of one attempt.");
}

void AddActivities(Schema& schema, campaign::ActivitySettings& s) {
  schema.Section("activities", "Attempts and time-outs of the campaign's activities.");
  AddActivity(schema, "research_phase_activity", s.research);
  AddActivity(schema, "content_creation_activity", s.content);
  AddActivity(schema, "design_assets_activity", s.design);
  AddActivity(schema, "moderate_content_activity", s.moderate);
  AddActivity(schema, "review_approval_activity", s.review);
  AddActivity(schema, "distribute_campaign_activity", s.distribute);
  AddActivity(schema, "analytics_setup_activity", s.analytics);
  AddActivity(schema, "refresh_review_activity", s.refresh_review);
  AddActivity(schema, "remind_review_activity", s.remind_review);
  AddActivity(schema, "close_review_activity", s.close_review);
  AddActivity(schema, "compensations", s.compensation);
}

}  // namespace

Schema MakeSchema(Settings& settings) {
  Schema schema;
  AddServer(schema, settings.server);
  AddTransport(schema, settings.server);
  AddEngine(schema, settings.engine);
  AddAuth(schema, settings.auth);
  AddAudit(schema, settings.audit);
  AddLimits(schema, settings.limits);
  AddCodec(schema, settings.codec);
  AddOutbound(schema, settings.outbound);
  schema.Section("vendors", "External services. Secrets are better given by the environment.");
  AddVendors(schema, settings.vendors);
  AddWebhooks(schema, settings.webhooks);
  AddCampaign(schema, settings.campaign);
  AddActivities(schema, settings.campaign.activities);
  return schema;
}

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::vector<std::string> MissingKeys(const Settings& settings) {
  // A gateway of memory may be open to all; so may a language model of one's own.
  static const auto* const kOptional =
      new std::set<std::string>{"audit.key",
                                "auth.jwt.secret",
                                "vendors.memory.token",
                                "vendors.openai.token",
                                "vendors.cms.secret",
                                "webhooks.slack.signing_secret",
                                "webhooks.github.secret",
                                "vendors.google_chat.service_account",
                                "codec.encryption.keys"};
  static const auto* const kNeeded = new std::set<std::string>{
      "vendors.github.owner",          "vendors.github.repository",   "campaign.figma.file_key",
      "campaign.review.slack_channel", "campaign.email.from_address", "campaign.social.channels"};
  Settings copy = settings;
  const Schema schema = MakeSchema(copy);
  std::vector<std::string> missing;
  for (const Key& key : schema.keys()) {
    const bool needed = key.secret ? !kOptional->contains(key.path) : kNeeded->contains(key.path);
    const std::vector<std::string> values = key.values();
    if (!needed || (!values.empty() && !values.front().empty())) continue;
    missing.push_back(key.environment.empty() ? key.path
                                              : absl::StrCat(key.path, " (", key.environment, ")"));
  }
  return missing;
}

}  // namespace server
