// Vendors: everything that leaves the process. The I/O loop, the HTTP client, the outbound
// pipeline, a client for each vendor and the stores of assets and memory, made from the settings.
//
// Thread-safety: construct and Stop from the main thread; the clients belong to the I/O loop.
//
// Example:
//   absl::StatusOr<std::unique_ptr<Vendors>> vendors = Vendors::Make(settings, data_dir, parts);
//   campaign::Register(registry, settings.campaign, (*vendors)->connectors());
//   (*vendors)->Stop();
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "activities/campaign/connectors.h"
#include "activities/connectors/assets/asset_store.h"
#include "activities/connectors/blocking/worker.h"
#include "activities/connectors/google_chat/google_chat_client.h"
#include "activities/connectors/webdriver/browser_pool.h"
#include "activities/connectors/webdriver/polite_renderer.h"
#include "activities/outbound/http_client.h"
#include "activities/outbound/pipeline.h"
#include "gateway/server/data_dir.h"
#include "gateway/server/parts.h"
#include "gateway/server/secret_files.h"
#include "gateway/server/settings.h"
#include "orchestrator/base/event_loop.h"

namespace server {

class Vendors {
 public:
  // `public_base_url`: where assets are served. Codes as of the embedded memory's opening.
  static absl::StatusOr<std::unique_ptr<Vendors>> Make(const Settings& settings,
                                                       const DataDir& data_dir,
                                                       const std::string& public_base_url,
                                                       Parts& parts);
  ~Vendors();  // calls Stop

  base::EpollLoop& loop() { return io_; }
  campaign::Connectors connectors();
  outbound::KillSwitch& kill_switch() { return kill_switch_; }
  outbound::Breakers& breakers() { return breakers_; }
  google_chat::GoogleChatClient& google_chat() { return google_chat_; }
  outbound::Outbound& outbound() { return outbound_; }

  // Ends the browsers and every call, then the loop. Call it when no activity runs any more.
  // Idempotent.
  void Stop();

 private:
  Vendors(const Settings& settings, const DataDir& data_dir, const std::string& public_base_url,
          Parts& parts);
  absl::Status OpenBreakers(const DataDir& data_dir);
  absl::Status OpenMemory(const Settings& settings, const DataDir& data_dir);
  absl::Status OpenWriter(const OpenAiSettings& s, const DataDir& data_dir, Parts& parts);

  bool stopped_ = false;
  base::EpollLoop io_;
  blocking::Worker disk_;
  outbound::KillSwitch kill_switch_;
  base::EpollLoop breaker_disk_;
  std::unique_ptr<outbound::BreakerStore> breaker_store_;
  outbound::Breakers breakers_;
  outbound::RateLimiter limiter_;
  outbound::HttpClient http_;
  outbound::Pipeline outbound_;
  assets::AssetStore assets_;
  notion::NotionClient notion_;
  webdriver::BrowserPool browsers_;
  webdriver::PoliteRenderer pages_;
  std::unique_ptr<memory::MemoryStore> memory_;
  openai::ChatClient chat_;
  std::unique_ptr<openai::Writer> writer_;
  openai::Moderator moderator_;
  figma::FigmaClient figma_;
  github::GithubClient github_;
  slack::SlackClient slack_;
  sendgrid::SendgridClient sendgrid_;
  buffer::BufferClient buffer_;
  grafana::GrafanaClient grafana_;
  google_chat::GoogleChatClient google_chat_;
  webhook::WebhookClient cms_;
  SecretFiles secret_files_;
};

}  // namespace server
