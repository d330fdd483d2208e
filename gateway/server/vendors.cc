#include "gateway/server/vendors.h"

#include <future>
#include <utility>

#include "activities/connectors/memory/embedded_memory.h"
#include "activities/connectors/memory/memory_gateway.h"
#include "orchestrator/base/log.h"

namespace server {
namespace {

// Browsers need up to 2 s to end.
constexpr std::chrono::seconds kBrowsersPatience(4);

outbound::HttpClient::Options HttpOptions(const OutboundSettings& s) {
  outbound::HttpClient::Options options;
  options.transfers_per_origin_max = s.transfers_per_origin_max;
  return options;
}

webdriver::BrowserPool::Options BrowserOptions(const Settings& settings, const DataDir& data_dir) {
  const WebDriverSettings& s = settings.vendors.webdriver;
  webdriver::BrowserPool::Options options;
  options.chromedriver_path = s.chromedriver_path;
  options.webdriver_url = s.url;
  options.browser_path = s.browser_path;
  options.data_dir = data_dir.Path("browsers");
  options.sessions_max = s.sessions_max;
  options.page_timeout = s.page_timeout;
  options.private_addresses_allowed = settings.outbound.private_networks;
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

}  // namespace

Vendors::Vendors(const Settings& settings, const DataDir& data_dir,
                 const std::string& public_base_url, Parts& parts)
    : io_(parts.clock, "io"),
      disk_(parts.clock, "disk"),
      http_(io_, HttpOptions(settings.outbound)),
      outbound_(io_, http_, parts.random, parts.metrics,
                {.user_agent = "campaignd/0.1", .wait_max = settings.outbound.wait_max}),
      assets_(io_, disk_,
              {.directory = data_dir.Path("assets"), .public_base_url = public_base_url}),
      notion_(outbound_, {.base_url = settings.vendors.notion.base_url,
                          .token = settings.vendors.notion.token,
                          .version = settings.vendors.notion.version}),
      browsers_(io_, outbound_, BrowserOptions(settings, data_dir)),
      chat_(outbound_, ChatOptions(settings.vendors.openai)),
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
                           .folder_uid = settings.vendors.grafana.folder_uid}) {}

absl::StatusOr<std::unique_ptr<Vendors>> Vendors::Make(const Settings& settings,
                                                       const DataDir& data_dir,
                                                       const std::string& public_base_url,
                                                       Parts& parts) {
  std::unique_ptr<Vendors> vendors(new Vendors(settings, data_dir, public_base_url, parts));
  if (absl::Status status = vendors->OpenMemory(settings, data_dir); !status.ok()) return status;
  vendors->io_.Start();
  return vendors;
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
          .browsers = browsers_,
          .memory = *memory_,
          .chat = chat_,
          .figma = figma_,
          .assets = assets_,
          .github = github_,
          .slack = slack_,
          .sendgrid = sendgrid_,
          .buffer = buffer_,
          .grafana = grafana_};
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
  io_.Post([this] { http_.Shutdown(); });
  io_.Stop();
}

}  // namespace server
