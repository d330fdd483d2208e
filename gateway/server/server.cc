#include "gateway/server/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activities.h"
#include "gateway/auth/caller.h"
#include "gateway/server/address.h"
#include "gateway/server/audited_settings.h"
#include "gateway/server/build_id.h"
#include "gateway/webhooks/decision_audit.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/batches/batch_workflow.h"
#include "orchestrator/client/in_process_client.h"
#include "orchestrator/engine/engine_metrics.h"
#include "orchestrator/schedules/schedule_workflow.h"
#include "orchestrator/store/sqlite/sqlite_store.h"

namespace server {
namespace {

// A port that nothing listens on now; 0 when there is none.
uint16_t FreePort(const std::string& host) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  uint16_t port = 0;
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1 &&
      bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    port = ntohs(address.sin_port);
  }
  close(fd);
  return port;
}

// The assets' links hold the REST port, and they are made before REST listens: a free port is
// chosen here, where port 0 was asked for.
void ChoosePort(std::string* listen) {
  std::optional<Address> address = ParseAddress(*listen);
  if (!address.has_value() || address->port != 0) return;
  if (const uint16_t port = FreePort(address->host); port != 0) {
    *listen = absl::StrCat(address->host, ":", port);
  }
}

// The id of a run that would be in the partition, and that nobody starts.
std::string ProbeId(int partition, int partitions) {
  const int first = partition * store::kSlots / partitions;
  const int next = (partition + 1) * store::kSlots / partitions;
  const base::Namespace ns(auth::kDefaultNamespace);
  for (int i = 0;; ++i) {
    std::string id = absl::StrCat("readyz-probe-", i);
    const int slot = store::SlotOf(ns, base::WorkflowId(id));
    if (slot >= first && slot < next) return id;
  }
}

std::string PublicBaseUrl(const ServerSettings& s) {
  if (!s.public_base_url.empty()) return s.public_base_url;
  return absl::StrCat(s.tls.certificate_file.empty() ? "http://" : "https://",
                      ConnectText(ParseAddress(s.http_listen).value_or(Address{})));
}

// The role that a user has in the namespace that the chat works in (campaignctl users).
std::function<auth::Role(const std::string&)> RoleInChat(auth::AccessStore& users,
                                                         const std::string& ns) {
  return [&users, ns](const std::string& email) {
    const std::optional<auth::User> user = users.FindUser(email);
    const bool here = user.has_value() && (user->ns == "*" || user->ns == ns);
    return here ? user->role : auth::Role::kViewer;
  };
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Settings settings,
                                                      const Provenance& provenance,
                                                      const DataDir& data_dir,
                                                      std::function<void(absl::Status)> on_fatal) {
  ChoosePort(&settings.server.http_listen);
  std::unique_ptr<Server> server(new Server(std::move(settings)));
  RETURN_IF_ERROR(server->Open(data_dir, provenance, std::move(on_fatal)));
  return server;
}

Server::~Server() { Stop(settings_.server.shutdown_timeout); }

absl::Status Server::OpenAudit(const DataDir& data_dir, const Provenance& provenance) {
  if (!settings_.audit.enabled) return absl::OkStatus();
  audit::AuditLog::Options options;
  options.directory = data_dir.path();
  options.key = settings_.audit.key.value();
  options.version = BuildId();
  options.head_log_interval = settings_.audit.head_log_interval;
  ASSIGN_OR_RETURN(audit_, audit::AuditLog::Open(options, parts_.clock, &parts_.metrics));
  RETURN_IF_ERROR(audit_->RecordSettings(AuditedSettings(settings_, provenance)));
  parts_.audit = audit_.get();
  return absl::OkStatus();
}

absl::Status Server::Open(const DataDir& data_dir, const Provenance& provenance,
                          std::function<void(absl::Status)> on_fatal) {
  ASSIGN_OR_RETURN(store_, store::sqlite::SqliteStore::Open({.path = data_dir.Path("runs.db")}));
  RETURN_IF_ERROR(OpenAudit(data_dir, provenance));
  ASSIGN_OR_RETURN(vendors_,
                   Vendors::Make(settings_, data_dir, PublicBaseUrl(settings_.server), parts_));
  campaign::Register(registry_, settings_.campaign, vendors_->connectors());
  schedules::Register(registry_, client_slot_);
  batches::Register(registry_, client_slot_);
  engine::EngineMetrics(parts_.metrics)
      .Announce(registry_.WorkflowTypes(), registry_.ActivityTypes());
  ASSIGN_OR_RETURN(codecs_, Codecs::Make(settings_.codec, parts_.clock));
  workflows_ = std::make_unique<worker::WorkflowWorker>(
      registry_, settings_.engine.build_id.empty() ? BuildId() : settings_.engine.build_id);
  activities_ = std::make_unique<worker::ActivityWorker>(
      registry_, vendors_->loop(),
      worker::ActivityWorkerOptions{.slots = settings_.engine.activities_at_once_max,
                                    .identity = absl::StrCat("campaignd-", getpid())});
  std::string& archive = settings_.engine.options.archive_dir;
  if (!archive.empty() && archive[0] != '/') archive = data_dir.Path(archive);
  engine_ = std::make_unique<engine::Engine>(
      settings_.engine.options, engine::Engine::Dependencies{.store = *store_,
                                                             .runner = codecs_->Around(*workflows_),
                                                             .clock = parts_.clock,
                                                             .random = parts_.random,
                                                             .metrics = parts_.metrics,
                                                             .on_fatal = std::move(on_fatal)});
  engine::ActivityExecutor& executor = codecs_->Around(*activities_, *engine_);
  activities_->Connect(codecs_->port(*engine_));
  client_ = client::NewInProcessClient(*engine_);
  if (codecs_->active()) {
    engine_client_ = std::move(client_);
    client_ = codecs_->NewClient(*engine_client_);
  }
  client_slot_->store(client_.get());
  ASSIGN_OR_RETURN(front_, Front::Make(settings_, data_dir, *client_,
                                       {vendors_->kill_switch(), vendors_->breakers()}, parts_,
                                       [this] { engine_->RefreshGauges(); }));
  RETURN_IF_ERROR(OpenWebhooks(data_dir));
  RETURN_IF_ERROR(OpenGoogleChat(data_dir));
  AddChecks();
  RETURN_IF_ERROR(engine_->Open(executor));
  webhooks_->Start();
  google_chat_->Start();
  RETURN_IF_ERROR(front_->Start());
  front_->SetReady(true);
  return absl::OkStatus();
}

absl::Status Server::OpenWebhooks(const DataDir& data_dir) {
  const WebhooksSettings& s = settings_.webhooks;
  webhooks::WebhooksOptions options{
      .slack = {.signing_secret = s.slack_signing_secret,
                .approvers = s.slack_approvers,
                .may_by_role =
                    [&users = front_->access()](const std::string& ns, const std::string& email) {
                      return RoleInChat(users, ns)(email) >= auth::Role::kEditor;
                    }},
      .github = {.secret = s.github_secret,
                 .approvers = s.github_approvers,
                 .content_dir = settings_.campaign.review.content_dir}};
  const campaign::Connectors connectors = vendors_->connectors();
  ASSIGN_OR_RETURN(webhooks_, webhooks::Webhooks::Make(
                                  std::move(options), data_dir.Path("webhooks.db"),
                                  {.client = *client_,
                                   .slack = connectors.slack,
                                   .github = connectors.github,
                                   .loop = vendors_->loop(),
                                   .clock = parts_.clock,
                                   .metrics = parts_.metrics},
                                  webhooks::AuditDecisions(parts_.audit, settings_.audit.required,
                                                           parts_.metrics)));
  front_->Serve(*webhooks_);
  front_->campaigns().OnDecision([this](const std::string& ns, const std::string& workflow_id,
                                        const campaign::v1::ApprovalDecision& decision) {
    webhooks_->notices().Announce(ns, workflow_id, decision);
  });
  return absl::OkStatus();
}

absl::Status Server::OpenGoogleChat(const DataDir& data_dir) {
  const auto& s = settings_.webhooks.google_chat;
  webhooks::GoogleChatOptions options{.audience = s.audience,
                                      .audience_is_project = s.audience_mode == "project_number",
                                      .keys_url = s.keys_url,
                                      .allowed_domains = s.allowed_domains,
                                      .editors = s.editors,
                                      .approvers = s.approvers,
                                      .ns = s.ns,
                                      .channels = s.channels,
                                      .research_sources = s.research_sources,
                                      .tone = s.tone};
  ASSIGN_OR_RETURN(google_chat_,
                   webhooks::GoogleChat::Make(std::move(options), data_dir.Path("webhooks.db"),
                                              {.client = *client_,
                                               .campaigns = front_->campaigns(),
                                               .decisions = webhooks_->decisions(),
                                               .chat = vendors_->google_chat(),
                                               .outbound = vendors_->outbound(),
                                               .loop = vendors_->loop(),
                                               .clock = parts_.clock,
                                               .metrics = parts_.metrics,
                                               .role_of = RoleInChat(front_->access(), s.ns),
                                               .guard = &front_->guard()}));
  front_->Serve(*google_chat_);
  return absl::OkStatus();
}

// What /readyz asks. Migrations were done when the store was opened, or there would be no server.
void Server::AddChecks() {
  front_->AddCheck("store", [this](Readiness::Done done) {
    orchestrator::v1::ListWorkflowsRequest list;
    list.set_page_size(1);
    client_->ListWorkflows(std::move(list),
                           [done = std::move(done)](const auto& page) { done(page.status()); });
  });
  front_->AddCheck("migrations", [](Readiness::Done done) { done(absl::OkStatus()); });
  // A run that is not there is looked for by the partition's loop, and then in the store.
  const int count = settings_.engine.options.partitions;
  for (int i = 0; i < count; ++i) {
    front_->AddCheck(
        absl::StrCat("partition-", i), [this, id = ProbeId(i, count)](Readiness::Done done) {
          orchestrator::v1::GetWorkflowRequest get;
          get.set_workflow_id(id);
          client_->GetWorkflow(std::move(get), [done = std::move(done)](const auto& info) {
            done(absl::IsNotFound(info.status()) ? absl::OkStatus() : info.status());
          });
        });
  }
}

void Server::DrainActivities(absl::Duration limit) {
  const auto drained = std::make_shared<std::promise<void>>();
  std::future<void> done = drained->get_future();
  activities_->Drain([drained] { drained->set_value(); });
  if (done.wait_for(absl::ToChronoMilliseconds(limit)) != std::future_status::ready) {
    base::Log(base::LogLevel::kWarning,
              "activities did not end in time; they will run again after the next start");
  }
}

void Server::Stop(absl::Duration limit) {
  if (std::exchange(stopped_, true)) return;
  if (front_ != nullptr) front_->SetReady(false);
  if (engine_ != nullptr) engine_->EndWaits();  // or the front would wait for long polls
  if (front_ != nullptr) front_->Stop(limit / 5);
  if (webhooks_ != nullptr) webhooks_->Stop();
  if (google_chat_ != nullptr) google_chat_->Stop();
  if (activities_ != nullptr && engine_ != nullptr) DrainActivities(limit / 4);
  if (engine_ != nullptr) engine_->Close();
  if (vendors_ != nullptr) vendors_->Stop();
  if (audit_ != nullptr) audit_->Close();  // last: what happened until here is in it
}

}  // namespace server
