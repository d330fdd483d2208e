// Server: campaignd without its command line: store, engine, workers, vendors and the front, made
// from the settings, started and stopped in the right order.
//
// Thread-safety: main thread only.
//
// Example:
//   absl::StatusOr<std::unique_ptr<Server>> server =
//       Server::Start(settings, provenance, data_dir, on_fatal);
//   std::cout << (*server)->http_address();
//   (*server)->Stop(absl::Seconds(10));
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/audit/audit_log.h"
#include "gateway/server/codecs.h"
#include "gateway/server/data_dir.h"
#include "gateway/server/front.h"
#include "gateway/server/parts.h"
#include "gateway/server/settings.h"
#include "gateway/server/vendors.h"
#include "gateway/webhooks/webhooks.h"
#include "orchestrator/client/call.h"
#include "orchestrator/client/client.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/sdk/registry.h"
#include "orchestrator/store/store.h"
#include "orchestrator/worker/activity_worker.h"
#include "orchestrator/worker/workflow_worker.h"

namespace server {

class Server {
 public:
  // Everything works when it returns. `provenance`: for the audit trail. `on_fatal` (any thread):
  // the engine cannot go on, stop.
  // Codes and messages are those of the part that did not start.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Settings settings,
                                                       const Provenance& provenance,
                                                       const DataDir& data_dir,
                                                       std::function<void(absl::Status)> on_fatal);
  ~Server();  // calls Stop

  // Stops taking work, answers what is under way, gives running activities back, commits, ends
  // browsers. Takes `limit` at most, but for work that cannot be interrupted. Idempotent.
  void Stop(absl::Duration limit);
  // Reads again what can change without a restart: the encryption keys and the certificates.
  void Reload() {
    codecs_->Reload();
    front_->ReloadCertificates();
  }

  std::string http_address() const { return front_->http_address(); }
  std::string grpc_address() const { return front_->grpc_address(); }
  const char* http_scheme() const { return front_->tls() ? "https" : "http"; }

 private:
  explicit Server(Settings settings) : settings_(std::move(settings)) {}
  absl::Status OpenAudit(const DataDir& data_dir, const Provenance& provenance);
  absl::Status Open(const DataDir& data_dir, const Provenance& provenance,
                    std::function<void(absl::Status)> on_fatal);
  absl::Status OpenWebhooks(const DataDir& data_dir);
  absl::Status OpenGoogleChat(const DataDir& data_dir);
  void AddChecks();
  void DrainActivities(absl::Duration limit);

  // In the order of construction; destroyed in reverse.
  Settings settings_;
  Parts parts_;
  bool stopped_ = false;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<audit::AuditLog> audit_;  // null: there is no audit trail
  std::unique_ptr<Vendors> vendors_;
  sdk::Registry registry_;
  const client::ClientSlot client_slot_ = client::NewClientSlot();
  std::unique_ptr<Codecs> codecs_;
  std::unique_ptr<worker::WorkflowWorker> workflows_;
  std::unique_ptr<worker::ActivityWorker> activities_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<client::WorkflowClient> engine_client_;  // what it carries is encoded
  std::unique_ptr<client::WorkflowClient> client_;
  std::unique_ptr<webhooks::Webhooks> webhooks_;
  std::unique_ptr<Front> front_;
  std::unique_ptr<webhooks::GoogleChat> google_chat_;
};

}  // namespace server
