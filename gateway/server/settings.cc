// The keys of the settings file, in the order of the sample.
#include "gateway/server/settings.h"

#include <cstdlib>
#include <set>

#include "absl/strings/str_cat.h"

namespace server {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

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
}

void AddEngine(Schema& schema, EngineSettings& s) {
  schema.Section("engine", "The workflow engine.");
  schema.Integer("engine.cached_runs_max", &s.cached_runs_max, 1, 1000000,
                 "Live runs kept in memory; others wake up by replay of their history.");
  schema.Integer("engine.activities_at_once_max", &s.activities_at_once_max, 1, 100000,
                 "Activities running at once; more wait for their turn.");
  schema.Integer("engine.history_events_max", &s.history_events_max, 100, 10000000,
                 "A run with a longer history is suspended as STUCK, not destroyed.");
  schema.Integer("engine.payload_bytes_max", &s.payload_bytes_max, 1024, 64 * 1024 * 1024,
                 "Larger inputs and results are refused.");
  schema.Integer("engine.inbox_max", &s.inbox_max, 100, 10000000,
                 "Calls waiting for the engine; more are answered RESOURCE_EXHAUSTED.");
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
}

void AddVendors(Schema& schema, VendorsSettings& s) {
  schema.Section("vendors.notion", "Notion: research in databases.");
  schema.Url("vendors.notion.base_url", &s.notion.base_url, "Where the API is.");
  schema.Secret("vendors.notion.token", &s.notion.token, "NOTION_TOKEN", "Integration token.");
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
  schema.Integer("vendors.webdriver.sessions_max", &s.webdriver.sessions_max, 1, 100,
                 "Browser sessions at once.");

  schema.Section("vendors.memory", "Memory: brand voices, drafts and insights.");
  schema.Url("vendors.memory.base_url", &s.memory.base_url,
             "An HTTP memory gateway; empty: the embedded memory in the data directory.",
             "MEMORY_GATEWAY_URL", true);
  schema.Secret("vendors.memory.token", &s.memory.token, "MEMORY_GATEWAY_TOKEN",
                "Bearer token of the gateway, if it wants one.");

  schema.Section("vendors.openai", "The language model: any OpenAI-compatible service.");
  schema.Url("vendors.openai.base_url", &s.openai.base_url, "Where the API is, with its /v1.",
             "SOMALLM_PROVIDER_URL");
  schema.Secret("vendors.openai.token", &s.openai.token, "OPENAI_API_KEY", "API key.");
  schema.Text("vendors.openai.model", &s.openai.model, "Which model writes.");
  schema.OneOf("vendors.openai.response_format", &s.openai.response_format,
               {"json_schema", "json_object"},
               "How JSON is asked for; older local servers know only json_object.");
  schema.Boolean("vendors.openai.legacy_max_tokens", &s.openai.legacy_max_tokens,
                 "Send max_tokens, which local servers know, instead of max_completion_tokens.");

  schema.Section("vendors.figma", "Figma: images rendered from components.");
  schema.Url("vendors.figma.base_url", &s.figma.base_url, "Where the API is.");
  schema.Secret("vendors.figma.token", &s.figma.token, "FIGMA_ACCESS_TOKEN",
                "Personal access token.");
  schema.Boolean("vendors.figma.token_is_oauth", &s.figma.token_is_oauth,
                 "The token is an OAuth token.");

  schema.Section("vendors.github", "GitHub: pull requests for review, pages for the blog.");
  schema.Url("vendors.github.base_url", &s.github.base_url, "Where the API is.");
  schema.Secret("vendors.github.token", &s.github.token, "GITHUB_TOKEN",
                "Token with contents and pull requests read and write.");
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

  schema.Section("vendors.sendgrid", "SendGrid: mails.");
  schema.Url("vendors.sendgrid.base_url", &s.sendgrid.base_url, "Where the API is.");
  schema.Secret("vendors.sendgrid.token", &s.sendgrid.token, "SENDGRID_API_KEY", "API key.");

  schema.Section("vendors.buffer", "Buffer: social posts, by its GraphQL API.");
  schema.Url("vendors.buffer.base_url", &s.buffer.base_url, "Where the API is.");
  schema.Secret("vendors.buffer.token", &s.buffer.token, "BUFFER_ACCESS_TOKEN", "Access token.");
  schema.Text("vendors.buffer.organization_id", &s.buffer.organization_id,
              "Organization; empty: the account's first one.");

  schema.Section("vendors.grafana", "Grafana: a dashboard for each campaign.");
  schema.Url("vendors.grafana.base_url", &s.grafana.base_url, "Where Grafana is.", "GRAFANA_URL");
  schema.Secret("vendors.grafana.token", &s.grafana.token, "GRAFANA_TOKEN",
                "Service account token.");
  schema.Text("vendors.grafana.folder_uid", &s.grafana.folder_uid,
              "Folder of the dashboards; empty: the general one.");
  schema.Text("vendors.grafana.datasource_uid", &s.grafana.datasource_uid,
              "Prometheus data source of the panels.");
}

void AddCampaign(Schema& schema, campaign::Settings& s) {
  schema.Section("campaign", "Campaigns: times and limits.");
  schema.Duration("campaign.approval_timeout", &s.approval_timeout, absl::Minutes(1), 365 * kDay,
                  "How long a campaign waits for its reviewers before it is withdrawn.");
  schema.Duration("campaign.undo_window", &s.undo_window, absl::Minutes(1), 2 * kDay,
                  "Mails and posts go out this long after they were handed over, so that a failure "
                  "meanwhile can take them back; SendGrid promises that only 10 minutes ahead.");
  schema.Url("campaign.link_base_url", &s.link_base_url, "Where tracked links lead.");
  schema.Duration("campaign.settle_delay", &s.settle_delay, absl::ZeroDuration(), absl::Minutes(10),
                  "A step that was lost may still have a call on its way: its compensation looks "
                  "again after this long.");

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

  schema.Section("campaign.figma", "What is rendered.");
  schema.Text("campaign.figma.file_key", &s.figma.file_key, "The Figma file.");
  schema.Text("campaign.figma.email_node", &s.figma.email_node,
              "Node of the e-mail banner, for campaigns without templates.");
  schema.Text("campaign.figma.social_node", &s.figma.social_node, "Node of the social image.");
  schema.Text("campaign.figma.blog_node", &s.figma.blog_node, "Node of the blog header.");
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
  schema.Text("campaign.social.channel_id", &s.social.channel_id, "Buffer channel id.");
  schema.Size("campaign.social.text_characters_max", &s.social.text_characters_max, 50, 5000,
              "Characters of a post with its link.");

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
  AddActivity(schema, "review_approval_activity", s.review);
  AddActivity(schema, "distribute_campaign_activity", s.distribute);
  AddActivity(schema, "analytics_setup_activity", s.analytics);
  AddActivity(schema, "refresh_review_activity", s.refresh_review);
  AddActivity(schema, "close_review_activity", s.close_review);
  AddActivity(schema, "compensations", s.compensation);
}

}  // namespace

Schema MakeSchema(Settings& settings) {
  Schema schema;
  AddServer(schema, settings.server);
  AddEngine(schema, settings.engine);
  AddOutbound(schema, settings.outbound);
  schema.Section("vendors", "External services. Secrets are better given by the environment.");
  AddVendors(schema, settings.vendors);
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
      new std::set<std::string>{"vendors.memory.token", "vendors.openai.token"};
  static const auto* const kNeeded = new std::set<std::string>{
      "vendors.github.owner",          "vendors.github.repository",   "campaign.figma.file_key",
      "campaign.review.slack_channel", "campaign.email.from_address", "campaign.social.channel_id"};
  Settings copy = settings;
  const Schema schema = MakeSchema(copy);
  std::vector<std::string> missing;
  for (const Key& key : schema.keys()) {
    const bool needed = key.secret ? !kOptional->contains(key.path) : kNeeded->contains(key.path);
    if (!needed || !key.values().front().empty()) continue;
    missing.push_back(key.environment.empty() ? key.path
                                              : absl::StrCat(key.path, " (", key.environment, ")"));
  }
  return missing;
}

}  // namespace server
