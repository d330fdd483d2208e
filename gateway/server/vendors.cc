#include "gateway/server/vendors.h"

#include <future>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "activities/connectors/memory/embedded_memory.h"
#include "activities/connectors/memory/memory_gateway.h"
#include "activities/outbound/host_of.h"
#include "gateway/grpc/breaker_database.h"
#include "orchestrator/base/log.h"

namespace server {
namespace {

// Browsers need up to 2 s to end.
constexpr std::chrono::seconds kBrowsersPatience(4);

outbound::BreakerOptions BreakerOptionsOf(const BreakerSettings& s) {
  return {.consecutive_failures = s.consecutive_failures,
          .failure_rate = s.failure_rate,
          .rate_calls_min = s.rate_calls_min,
          .window = s.window,
          .open_initial = s.open_initial,
          .open_max = s.open_max,
          .long_retry_after = s.long_retry_after,
          .drain_per_second = s.drain_per_second};
}

outbound::RateLimiter::Options LimiterOptions(const Settings& settings) {
  const VendorsSettings& v = settings.vendors;
  outbound::RateLimiter::Options options{
      .wait_max = settings.outbound.limiter_wait_max,
      .drain_per_second = settings.outbound.breaker.drain_per_second};
  const std::pair<const char*, const std::string*> limits[] = {
      {"notion", &v.notion.limits},
      {"memory", &v.memory.limits},
      {"openai", &v.openai.limits},
      {"figma", &v.figma.limits},
      {"github", &v.github.limits},
      {"slack", &v.slack.limits},
      {"sendgrid", &v.sendgrid.limits},
      {"buffer", &v.buffer.limits},
      {"grafana", &v.grafana.limits},
      {"google_chat", &v.google_chat.limits},
      {"cms", &v.cms.limits}};
  for (const auto& [vendor, text] : limits) {
    // The settings were checked when they were read.
    options.limits[vendor] = outbound::ParseRateLimits(*text).value_or(outbound::RateLimits());
  }
  return options;
}

outbound::HttpClient::Options HttpOptions(const OutboundSettings& s,
                                          const outbound::KillSwitch& kill_switch) {
  outbound::HttpClient::Options options;
  options.transfers_per_origin_max = s.transfers_per_origin_max;
  options.may_send = [&kill_switch](const outbound::HttpRequest& request) {
    return request.control || !kill_switch.on();
  };
  return options;
}

webdriver::BrowserPool::Options BrowserOptions(const Settings& settings, const DataDir& data_dir,
                                               const outbound::KillSwitch& kill_switch) {
  const WebDriverSettings& s = settings.vendors.webdriver;
  webdriver::BrowserPool::Options options;
  options.chromedriver_path = s.chromedriver_path;
  options.webdriver_url = s.url;
  options.browser_path = s.browser_path;
  options.data_dir = data_dir.Path("browsers");
  options.sessions_max = s.sessions_max;
  options.page_timeout = s.page_timeout;
  options.page_limits.characters_max = s.page_characters_max;
  options.private_addresses_allowed = settings.outbound.private_networks;
  options.may_send = [&kill_switch] { return !kill_switch.on(); };
  return options;
}

openai::ChatClient::Options ChatOptions(const OpenAiSettings& s) {
  openai::ChatClient::Options options;
  options.base_url = s.base_url;
  options.api_key = s.token;
  options.model = s.model;
  options.format = s.response_format == "json_schema" ? openai::ResponseFormat::kJsonSchema
                                                      : openai::ResponseFormat::kJsonObject;
  options.legacy_max_tokens = s.legacy_max_tokens;
  return options;
}

github::GithubClient::Options GithubOptions(const GithubSettings& s) {
  github::GithubClient::Options options;
  options.base_url = s.base_url;
  options.token = s.token;
  options.owner = s.owner;
  options.repo = s.repository;
  options.base_branch = s.base_branch;
  options.pages_branch = s.pages_branch;
  options.pages_url = s.pages_url;
  options.author_name = s.author_name;
  options.author_email = s.author_email;
  return options;
}

// Calls that send something to a vendor, in the audit trail. Not the commands to our own browser.
outbound::TryObserver AuditOfCalls(const AuditSettings& settings, audit::AuditLog* log) {
  if (log == nullptr || !settings.outbound) return nullptr;
  return [log](const outbound::Vendor& vendor, const outbound::HttpRequest& request,
               const outbound::CallContext& context, std::string_view outcome, int status) {
    if (request.method == "GET" || request.method == "HEAD" || vendor.name == "webdriver") return;
    log->AppendLater(
        {.actor = "campaignd",
         .credential = "server",
         .action = "outbound.call",
         .subject =
             context.workflow_id.empty() ? "" : absl::StrCat("workflow/", context.workflow_id),
         .outcome = absl::AsciiStrToUpper(absl::string_view(outcome.data(), outcome.size())),
         .detail = absl::StrCat(vendor.name, " ", request.operation, ": ", request.method, " ",
                                outbound::HostOf(request.url), ", status ", status),
         .correlation_id = context.correlation_id});
  };
}

}  // namespace

Vendors::Vendors(const Settings& settings, const DataDir& data_dir,
                 const std::string& public_base_url, Parts& parts)
    : io_(parts.clock, "io"),
      disk_(parts.clock, "disk"),
      kill_switch_(parts.metrics, settings.outbound.kill_switch_recheck),
      breaker_disk_(parts.clock, "breakers"),
      breakers_(parts.clock, parts.random, parts.metrics,
                BreakerOptionsOf(settings.outbound.breaker)),
      limiter_(parts.clock, parts.random, LimiterOptions(settings)),
      http_(io_, HttpOptions(settings.outbound, kill_switch_)),
      outbound_(io_, http_, parts.random, parts.metrics,
                {.user_agent = "campaignd/0.1", .wait_max = settings.outbound.wait_max},
                {.kill_switch = &kill_switch_,
                 .limiter = &limiter_,
                 .breakers = &breakers_,
                 .observer = AuditOfCalls(settings.audit, parts.audit)}),
      assets_(io_, disk_,
              {.directory = data_dir.Path("assets"), .public_base_url = public_base_url}),
      notion_(outbound_, {.base_url = settings.vendors.notion.base_url,
                          .token = settings.vendors.notion.token,
                          .version = settings.vendors.notion.version}),
      browsers_(io_, outbound_, BrowserOptions(settings, data_dir, kill_switch_)),
      pages_(io_, outbound_, browsers_,
             {.obey = settings.vendors.webdriver.obey_robots,
              .private_addresses_allowed = settings.outbound.private_networks}),
      chat_(outbound_, ChatOptions(settings.vendors.openai)),
      moderator_(outbound_, {.base_url = settings.vendors.openai.base_url,
                             .api_key = settings.vendors.openai.token,
                             .model = settings.campaign.moderation.model}),
      figma_(outbound_, {.base_url = settings.vendors.figma.base_url,
                         .token = settings.vendors.figma.token,
                         .token_is_oauth = settings.vendors.figma.token_is_oauth}),
      github_(outbound_, GithubOptions(settings.vendors.github)),
      slack_(outbound_,
             {.base_url = settings.vendors.slack.base_url, .token = settings.vendors.slack.token}),
      sendgrid_(outbound_, {.base_url = settings.vendors.sendgrid.base_url,
                            .token = settings.vendors.sendgrid.token}),
      buffer_(outbound_, {.base_url = settings.vendors.buffer.base_url,
                          .token = settings.vendors.buffer.token,
                          .organization_id = settings.vendors.buffer.organization_id}),
      grafana_(outbound_, {.base_url = settings.vendors.grafana.base_url,
                           .token = settings.vendors.grafana.token,
                           .datasource_uid = settings.vendors.grafana.datasource_uid,
                           .folder_uid = settings.vendors.grafana.folder_uid}),
      google_chat_(outbound_, parts.clock,
                   {.base_url = settings.vendors.google_chat.base_url,
                    .token_url = settings.vendors.google_chat.token_url,
                    .service_account = settings.vendors.google_chat.token}),
      cms_(outbound_, {.url = settings.vendors.cms.base_url, .secret = settings.vendors.cms.token}),
      secret_files_(io_, settings.secret_files, settings.server.secrets_recheck, parts.metrics) {
  for (const char* vendor : {"notion", "webdriver", "openai", "figma", "figma_images", "github",
                             "slack", "sendgrid", "buffer", "grafana", "google_chat"}) {
    breakers_.Register(vendor);
  }
  if (!settings.vendors.memory.base_url.empty()) breakers_.Register("memory");
  if (cms_.configured()) breakers_.Register("cms");
}

absl::StatusOr<std::unique_ptr<Vendors>> Vendors::Make(const Settings& settings,
                                                       const DataDir& data_dir,
                                                       const std::string& public_base_url,
                                                       Parts& parts) {
  std::unique_ptr<Vendors> vendors(new Vendors(settings, data_dir, public_base_url, parts));
  if (absl::Status status = vendors->OpenBreakers(data_dir); !status.ok()) return status;
  if (absl::Status status = vendors->OpenMemory(settings, data_dir); !status.ok()) return status;
  absl::Status writer = vendors->OpenWriter(settings.vendors.openai, data_dir, parts);
  if (!writer.ok()) return writer;
  vendors->io_.Start();
  vendors->secret_files_.Start();
  return vendors;
}

absl::Status Vendors::OpenBreakers(const DataDir& data_dir) {
  auto store = gateway::BreakerDatabase::Open(data_dir.Path("breakers.db"));
  if (!store.ok()) return store.status();
  breaker_store_ = *std::move(store);
  absl::Status shared = breakers_.Share(*breaker_store_, breaker_disk_);
  if (shared.ok()) breaker_disk_.Start();
  return shared;
}

absl::Status Vendors::OpenWriter(const OpenAiSettings& s, const DataDir& data_dir, Parts& parts) {
  auto prices = openai::Prices::Parse(s.prices);
  if (!prices.ok()) return prices.status();
  auto cache =
      openai::AnswerCache::Open(data_dir.Path("answers.db"), {.answers_max = s.cache_answers_max});
  if (!cache.ok()) return cache.status();
  std::vector<std::string> models = {s.model};
  models.insert(models.end(), s.fallback_models.begin(), s.fallback_models.end());
  writer_ = std::make_unique<openai::Writer>(
      io_, disk_, chat_, *std::move(cache), *std::move(prices), parts.metrics,
      openai::Writer::Options{.models = std::move(models), .cache_ttl = s.cache_ttl});
  return absl::OkStatus();
}

absl::Status Vendors::OpenMemory(const Settings& settings, const DataDir& data_dir) {
  const VendorSettings& s = settings.vendors.memory;
  if (!s.base_url.empty()) {
    memory_ = std::make_unique<memory::MemoryGateway>(
        outbound_, memory::MemoryGateway::Options{.base_url = s.base_url, .token = s.token});
    return absl::OkStatus();
  }
  auto opened = memory::OpenEmbeddedMemory(io_, disk_, data_dir.Path("memory.db"));
  if (!opened.ok()) return opened.status();
  memory_ = *std::move(opened);
  return absl::OkStatus();
}

Vendors::~Vendors() { Stop(); }

campaign::Connectors Vendors::connectors() {
  return {.notion = notion_,
          .browsers = pages_,
          .memory = *memory_,
          .writer = *writer_,
          .moderator = moderator_,
          .figma = figma_,
          .assets = assets_,
          .github = github_,
          .slack = slack_,
          .sendgrid = sendgrid_,
          .buffer = buffer_,
          .grafana = grafana_,
          .cms = cms_};
}

void Vendors::Stop() {
  if (std::exchange(stopped_, true)) return;
  const auto ended = std::make_shared<std::promise<void>>();
  std::future<void> browsers_ended = ended->get_future();
  io_.Post([this, ended] {
    base::Spawn(browsers_.Stop(),
                [ended](std::exception_ptr, base::Outcome<base::Unit>*) { ended->set_value(); });
  });
  if (browsers_ended.wait_for(kBrowsersPatience) != std::future_status::ready) {
    base::Log(base::LogLevel::kWarning, "the browsers did not end in time");
  }
  secret_files_.Stop();
  io_.Post([this] { http_.Shutdown(); });
  io_.Stop();
  breaker_disk_.Stop();
}

}  // namespace server
