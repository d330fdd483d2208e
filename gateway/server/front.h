// Front: what clients see. gRPC and REST over the same services, the health and metrics pages, and
// the assets.
//
// Thread-safety: construct, Start and Stop from the main thread.
//
// Example:
//   Front front(settings, data_dir, *client, operated, parts, [&] { engine.RefreshGauges(); });
//   RETURN_IF_ERROR(front.Start());
//   front.SetReady(true);
//   front.Stop(absl::Seconds(5));
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "activities/connectors/assets/asset_store.h"
#include "activities/connectors/blocking/worker.h"
#include "gateway/auth/call_limits.h"
#include "gateway/auth/user_quotas.h"
#include "gateway/grpc/access_service.h"
#include "gateway/grpc/audit_service.h"
#include "gateway/grpc/batch_service.h"
#include "gateway/grpc/call_guard.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/front_door.h"
#include "gateway/grpc/operations_service.h"
#include "gateway/grpc/operations_store.h"
#include "gateway/grpc/router.h"
#include "gateway/grpc/schedule_service.h"
#include "gateway/grpc/server.h"
#include "gateway/grpc/stream_slots.h"
#include "gateway/grpc/wizard_store.h"
#include "gateway/grpc/workflow_service.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/rest/server.h"
#include "gateway/server/auth_parts.h"
#include "gateway/server/data_dir.h"
#include "gateway/server/parts.h"
#include "gateway/server/readiness.h"
#include "gateway/server/settings.h"
#include "gateway/tls/tls_files.h"
#include "gateway/webhooks/google_chat.h"
#include "gateway/webhooks/webhooks.h"
#include "orchestrator/client/client.h"

namespace server {

// What operators act upon.
struct Operated {
  outbound::KillSwitch& kill_switch;
  outbound::Breakers& breakers;
};

class Front {
 public:
  // `client` and `operated` must outlive the front; orders of operators from before the start are
  // in force when it returns. `refresh` brings gauges up to date before a scrape; it may
  // block. Codes as of WizardStore::Open.
  static absl::StatusOr<std::unique_ptr<Front>> Make(const Settings& settings,
                                                     const DataDir& data_dir,
                                                     client::WorkflowClient& client,
                                                     Operated operated, Parts& parts,
                                                     std::function<void()> refresh);
  ~Front();  // calls Stop without grace

  // Before Start; they stay until Stop.
  void Serve(webhooks::Webhooks& webhooks) { webhooks.AddTo(*handler_); }
  void Serve(webhooks::GoogleChat& chat) { chat.AddTo(*handler_); }
  gateway::CampaignServiceImpl& campaigns() { return campaigns_; }
  gateway::CallGuard& guard() { return guard_; }
  auth::AccessStore& access() { return auth_->store(); }
  // UNAVAILABLE when an address cannot be listened on (the message names it).
  absl::Status Start();
  // Before Start: asked by /readyz, and from time to time for the gRPC health service.
  void AddCheck(std::string name, Readiness::Check check) {
    readiness_.Add(std::move(name), std::move(check));
  }
  // Whether the server takes calls; /readyz and the gRPC health service say so.
  void SetReady(bool ready);
  // Reads the certificates again, soon.
  void ReloadCertificates();
  bool tls() const { return certificates_ != nullptr; }
  // Takes no new calls, gives those under way `grace`. Idempotent.
  void Stop(absl::Duration grace);

  std::string http_address() const;  // "127.0.0.1:8080", with the real port
  std::string grpc_address() const;

 private:
  Front(const Settings& settings, const DataDir& data_dir, client::WorkflowClient& client,
        std::unique_ptr<gateway::WizardStore> wizards,
        std::unique_ptr<gateway::OperationsStore> orders, std::unique_ptr<auth::UserQuotas> quotas,
        std::unique_ptr<AuthParts> auth, std::unique_ptr<tls::TlsFiles> certificates,
        Operated operated, Parts& parts, std::function<void()> refresh);
  void Recheck();  // health loop
  void RecheckCertificates();
  void AddPages();

  const std::string http_listen_;
  const std::string grpc_listen_;
  Parts& parts_;
  const std::function<void()> refresh_;
  const absl::Duration certificates_recheck_;
  const std::unique_ptr<tls::TlsFiles> certificates_;  // null: without TLS
  std::atomic<bool> ready_ = false;
  bool stopped_ = false;

  base::EpollLoop health_;  // waits for nothing but time
  Readiness readiness_;
  base::EpollLoop pages_;  // scrapes and assets: they wait for the disk
  blocking::Worker disk_;
  assets::AssetStore assets_;
  std::unique_ptr<gateway::WizardStore> wizards_;
  std::unique_ptr<gateway::OperationsStore> orders_;
  std::unique_ptr<auth::UserQuotas> quotas_;
  std::unique_ptr<AuthParts> auth_;
  auth::CallLimits limits_;
  gateway::CallGuard guard_;
  gateway::StreamSlots streams_;
  gateway::WorkflowServiceImpl workflows_;
  gateway::CampaignServiceImpl campaigns_;
  gateway::ScheduleServiceImpl schedules_;
  gateway::BatchServiceImpl batches_;
  gateway::OperationsServiceImpl operations_;
  gateway::AuditServiceImpl audit_;
  gateway::Router router_;
  gateway::AccessServiceImpl access_;
  gateway::FrontDoor door_;
  std::unique_ptr<gateway::RestHandler> handler_;
  std::unique_ptr<gateway::RestServer> rest_;
  std::unique_ptr<gateway::GrpcServer> grpc_;
};

}  // namespace server
