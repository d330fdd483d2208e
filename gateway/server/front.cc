#include "gateway/server/front.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/register.h"
#include "gateway/server/address.h"

namespace server {
namespace {

gateway::RestServerOptions RestOptions(const std::string& listen) {
  const Address address = ParseAddress(listen).value_or(Address{});
  gateway::RestServerOptions options;
  options.address = address.host;
  options.port = address.port;
  return options;
}

gateway::HttpResponse Text(int status, std::string body, std::string type) {
  return {.status = status, .content_type = std::move(type), .body = std::move(body)};
}

gateway::HttpResponse NotFound(const std::string& key) {
  return Text(404, absl::StrCat("{\"code\":5,\"message\":\"there is no asset ", key, "\"}"),
              gateway::kJsonType);
}

// The key of an asset as it may be repeated in an answer.
std::string Printable(const std::string& key) {
  std::string result;
  for (char c : key.substr(0, 200)) {
    if (c >= ' ' && c < 127 && c != '"' && c != '\\') result.push_back(c);
  }
  return result;
}

base::Task<base::Outcome<base::Unit>> ServeAsset(assets::AssetStore& assets, std::string key,
                                                 gateway::RawDone done) {
  base::Outcome<std::optional<assets::AssetContent>> asset = co_await assets.Read(key);
  if (!asset.ok() || !asset->has_value()) {
    done(NotFound(Printable(key)));
    co_return base::Unit{};
  }
  gateway::HttpResponse response =
      Text(200, std::move((**asset).bytes), std::move((**asset).content_type));
  // Assets are never changed under their key, but compensation deletes them.
  response.headers.emplace_back("Cache-Control", "public, max-age=60");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Content-Security-Policy", "sandbox");
  done(std::move(response));
  co_return base::Unit{};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Front>> Front::Make(const Settings& settings,
                                                   const DataDir& data_dir,
                                                   client::WorkflowClient& client,
                                                   Operated operated, Parts& parts,
                                                   std::function<void()> refresh) {
  auto wizards = gateway::WizardStore::Open(data_dir.Path("wizards.db"), parts.clock, parts.random);
  if (!wizards.ok()) return wizards.status();
  auto orders = gateway::OperationsStore::Open(data_dir.Path("operations.db"), parts.clock,
                                               operated.kill_switch, operated.breakers);
  if (!orders.ok()) return orders.status();
  return std::unique_ptr<Front>(new Front(settings, data_dir, client, *std::move(wizards),
                                          *std::move(orders), operated, parts, std::move(refresh)));
}

Front::Front(const Settings& settings, const DataDir& data_dir, client::WorkflowClient& client,
             std::unique_ptr<gateway::WizardStore> wizards,
             std::unique_ptr<gateway::OperationsStore> orders, Operated operated, Parts& parts,
             std::function<void()> refresh)
    : http_listen_(settings.server.http_listen),
      grpc_listen_(settings.server.grpc_listen),
      parts_(parts),
      refresh_(std::move(refresh)),
      pages_(parts.clock, "pages"),
      disk_(parts.clock, "pages-disk"),
      assets_(pages_, disk_, {.directory = data_dir.Path("assets")}),
      wizards_(std::move(wizards)),
      orders_(std::move(orders)),
      workflows_(client),
      campaigns_({client, *wizards_, parts.clock, parts.random}),
      schedules_({client, parts.clock}),
      batches_({client, parts.random}),
      operations_({*orders_, operated.kill_switch, operated.breakers}) {
  gateway::RegisterWorkflowService(&workflows_, &router_);
  gateway::RegisterCampaignService(&campaigns_, &router_);
  gateway::RegisterScheduleService(&schedules_, &router_);
  gateway::RegisterBatchService(&batches_, &router_);
  gateway::RegisterOperationsService(&operations_, &router_);
  handler_ =
      std::make_unique<gateway::RestHandler>(router_, parts.clock, parts.random, &parts.metrics);
  AddPages();
  rest_ = std::make_unique<gateway::RestServer>(RestOptions(http_listen_), *handler_, parts.clock);
  grpc_ =
      std::make_unique<gateway::GrpcServer>(gateway::GrpcServerOptions{.address = grpc_listen_},
                                            &workflows_, &campaigns_, &parts.metrics, &operations_);
  grpc_->Add(&schedules_, &batches_);
  pages_.Start();
}

Front::~Front() { Stop(absl::ZeroDuration()); }

void Front::AddPages() {
  handler_->AddRaw("GET", "/healthz", [](gateway::RawRequest, gateway::RawDone done) {
    done(Text(200, "{\"status\":\"ok\"}", gateway::kJsonType));
  });
  handler_->AddRaw("GET", "/readyz", [this](gateway::RawRequest, gateway::RawDone done) {
    const bool ready = ready_;
    done(Text(ready ? 200 : 503, ready ? "{\"status\":\"ready\"}" : "{\"status\":\"not ready\"}",
              gateway::kJsonType));
  });
  handler_->AddRaw("GET", "/metrics", [this](gateway::RawRequest, gateway::RawDone done) {
    pages_.Post([this, done = std::move(done)]() mutable {
      if (refresh_) refresh_();
      done(Text(200, parts_.metrics.Expose(), "text/plain; version=0.0.4; charset=utf-8"));
    });
  });
  handler_->AddRaw(
      "GET", "/assets/{key...}", [this](gateway::RawRequest request, gateway::RawDone done) {
        pages_.Post([this, key = request.fields["key"], done = std::move(done)]() mutable {
          base::Spawn(ServeAsset(assets_, std::move(key), std::move(done)),
                      [](std::exception_ptr, base::Outcome<base::Unit>*) {});
        });
      });
}

absl::Status Front::Start() {
  if (absl::Status status = rest_->Start(); !status.ok()) return status;
  return grpc_->Start();
}

void Front::SetReady(bool ready) {
  ready_ = ready;
  grpc_->SetServing(ready);
}

void Front::Stop(absl::Duration grace) {
  if (std::exchange(stopped_, true)) return;
  ready_ = false;
  rest_->Stop(grace);
  grpc_->Stop(grace);
  pages_.Stop();
  wizards_->Close();
  orders_->Close();
}

std::string Front::http_address() const {
  Address address = ParseAddress(http_listen_).value_or(Address{});
  address.port = static_cast<uint16_t>(rest_->port());
  return ConnectText(address);
}

std::string Front::grpc_address() const {
  Address address = ParseAddress(grpc_listen_).value_or(Address{});
  address.port = static_cast<uint16_t>(grpc_->port());
  return ConnectText(address);
}

}  // namespace server
