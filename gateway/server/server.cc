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
#include "gateway/server/address.h"
#include "gateway/server/build_id.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/batches/batch_workflow.h"
#include "orchestrator/client/in_process_client.h"
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

std::string PublicBaseUrl(const ServerSettings& s) {
  if (!s.public_base_url.empty()) return s.public_base_url;
  return absl::StrCat("http://", ConnectText(ParseAddress(s.http_listen).value_or(Address{})));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Settings settings, const DataDir& data_dir,
                                                      std::function<void(absl::Status)> on_fatal) {
  ChoosePort(&settings.server.http_listen);
  std::unique_ptr<Server> server(new Server(std::move(settings)));
  RETURN_IF_ERROR(server->Open(data_dir, std::move(on_fatal)));
  return server;
}

Server::~Server() { Stop(settings_.server.shutdown_timeout); }

absl::Status Server::Open(const DataDir& data_dir, std::function<void(absl::Status)> on_fatal) {
  ASSIGN_OR_RETURN(store_, store::sqlite::SqliteStore::Open({.path = data_dir.Path("runs.db")}));
  ASSIGN_OR_RETURN(vendors_,
                   Vendors::Make(settings_, data_dir, PublicBaseUrl(settings_.server), parts_));
  campaign::Register(registry_, settings_.campaign, vendors_->connectors());
  schedules::Register(registry_, client_slot_);
  batches::Register(registry_, client_slot_);
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
  RETURN_IF_ERROR(engine_->Open(executor));
  RETURN_IF_ERROR(front_->Start());
  front_->SetReady(true);
  return absl::OkStatus();
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
  if (front_ != nullptr) front_->Stop(limit / 5);
  if (activities_ != nullptr && engine_ != nullptr) DrainActivities(limit / 4);
  if (engine_ != nullptr) engine_->Close();
  if (vendors_ != nullptr) vendors_->Stop();
}

}  // namespace server
