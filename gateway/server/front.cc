#include "gateway/server/front.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/connectors/openai/prices.h"
#include "gateway/grpc/register.h"
#include "gateway/openapi/pages.h"
#include "gateway/server/address.h"
#include "gateway/server/transport.h"

namespace server {
namespace {

constexpr absl::Duration kReadyLimit = absl::Seconds(2);    // for each check of /readyz
constexpr absl::Duration kReadyRecheck = absl::Seconds(5);  // of what gRPC's health service says

// Checked when the settings were read.
auth::CallRate RateOf(const std::string& text) {
  return auth::ParseCallRate(text).value_or(auth::CallRate{});
}

auth::CallLimits::Options LimitOptionsOf(const LimitsSettings& s) {
  return {.reads = RateOf(s.reads),
          .writes = RateOf(s.writes),
          .starts = RateOf(s.starts),
          .streams = RateOf(s.streams),
          .admin = RateOf(s.admin),
          .sign_ins = RateOf(s.sign_ins)};
}

auth::UserQuotas::Options QuotaOptionsOf(const Settings& settings) {
  const LimitsSettings& s = settings.limits;
  auth::UserQuotas::Options options;
  options.starts_per_hour = s.campaigns_per_hour;
  options.posts_per_day = s.posts_per_day;
  options.exempt = {s.quota_exempt.begin(), s.quota_exempt.end()};
  // A post for each channel of Buffer; without any, those of the account, of which one is certain.
  options.posts_per_campaign =
      std::max<int>(1, static_cast<int>(settings.campaign.social.channels.size()));
  return options;
}

gateway::PreviewSettings PreviewOf(const Settings& settings) {
  const OpenAiSettings& model = settings.vendors.openai;
  gateway::PreviewSettings preview{.campaign = settings.campaign,
                                   .model = model.model,
                                   .tokens_at_most = openai::TokensAtMost,
                                   .cms_set = !settings.vendors.cms.base_url.empty(),
                                   .missing_keys = MissingKeys(settings)};
  // The settings were checked when they were read.
  const openai::Prices prices = openai::Prices::Parse(model.prices).value_or(openai::Prices());
  const openai::Price price = prices.Of(model.model);
  if (price.prompt_usd > 0 || price.completion_usd > 0) {
    preview.cost = [prices, name = model.model](int64_t prompt, int64_t completion) {
      return prices.Cost(name, prompt, completion);
    };
  }
  return preview;
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
  auto quotas = auth::UserQuotas::Open(data_dir.Path("quotas.db"), QuotaOptionsOf(settings),
                                       parts.clock, &parts.metrics);
  if (!quotas.ok()) return quotas.status();
  auto auth = AuthParts::Make(settings, data_dir, parts.clock, parts.metrics);
  if (!auth.ok()) return auth.status();
  std::unique_ptr<tls::TlsFiles> certificates;
  if (const TlsSettings& tls = settings.server.tls; !tls.certificate_file.empty()) {
    auto loaded = tls::TlsFiles::Load(TlsOptionsOf(tls), parts.clock);
    if (!loaded.ok()) return loaded.status();
    certificates = *std::move(loaded);
  }
  return std::unique_ptr<Front>(new Front(
      settings, data_dir, client, *std::move(wizards), *std::move(orders), *std::move(quotas),
      *std::move(auth), std::move(certificates), operated, parts, std::move(refresh)));
}

Front::Front(const Settings& settings, const DataDir& data_dir, client::WorkflowClient& client,
             std::unique_ptr<gateway::WizardStore> wizards,
             std::unique_ptr<gateway::OperationsStore> orders,
             std::unique_ptr<auth::UserQuotas> quotas, std::unique_ptr<AuthParts> auth,
             std::unique_ptr<tls::TlsFiles> certificates, Operated operated, Parts& parts,
             std::function<void()> refresh)
    : http_listen_(settings.server.http_listen),
      grpc_listen_(settings.server.grpc_listen),
      parts_(parts),
      refresh_(std::move(refresh)),
      certificates_recheck_(settings.server.tls.recheck),
      certificates_(std::move(certificates)),
      health_(parts.clock, "health"),
      readiness_(health_, parts.clock, kReadyLimit),
      pages_(parts.clock, "pages"),
      disk_(parts.clock, "pages-disk"),
      assets_(pages_, disk_, {.directory = data_dir.Path("assets")}),
      wizards_(std::move(wizards)),
      orders_(std::move(orders)),
      quotas_(std::move(quotas)),
      auth_(std::move(auth)),
      limits_(LimitOptionsOf(settings.limits)),
      guard_(
          {.limit_local = settings.limits.local_callers, .audit_required = settings.audit.required},
          limits_, parts.audit, parts.clock, &parts.metrics),
      streams_(StreamOptionsOf(settings.server.limits)),
      workflows_(client, quotas_.get()),
      campaigns_({client, *wizards_, parts.clock, parts.random, PreviewOf(settings), &streams_,
                  quotas_.get()}),
      schedules_({client, parts.clock, &campaigns_.previewer()}),
      batches_({client, parts.random}),
      operations_({*orders_, operated.kill_switch, operated.breakers}),
      audit_(parts.audit),
      access_({auth_->store(), parts.clock, auth_->email_domains()}),
      door_(auth_->authenticator(), {.public_routes = auth_->public_routes()}, &guard_) {
  gateway::RegisterWorkflowService(&workflows_, &router_);
  gateway::RegisterCampaignService(&campaigns_, &router_);
  gateway::RegisterScheduleService(&schedules_, &router_);
  gateway::RegisterBatchService(&batches_, &router_);
  gateway::RegisterOperationsService(&operations_, &router_);
  gateway::RegisterAuditService(&audit_, &router_);
  gateway::RegisterAccessService(&access_, &router_);
  handler_ = std::make_unique<gateway::RestHandler>(router_, door_, parts.clock, parts.random,
                                                    &parts.metrics);
  handler_->Configure(
      {.request_timeout = settings.server.limits.request_timeout, .streams = &streams_});
  AddPages();
  rest_ = std::make_unique<gateway::RestServer>(
      RestOptionsOf(settings.server, certificates_.get(), &parts.metrics), *handler_, parts.clock);
  grpc_ = std::make_unique<gateway::GrpcServer>(GrpcOptionsOf(settings.server, certificates_.get()),
                                                door_, parts.random, &workflows_, &campaigns_,
                                                &parts.metrics, &operations_);
  grpc_->Add(&schedules_, &batches_);
  grpc_->Add(&audit_);
  grpc_->Add(&access_);
  pages_.Start();
  health_.Start();
  if (certificates_ != nullptr) pages_.Post([this] { RecheckCertificates(); });
}

Front::~Front() { Stop(absl::ZeroDuration()); }

void Front::AddPages() {
  openapi::AddPages(handler_.get());
  handler_->AddRaw("GET", "/healthz", [](gateway::RawRequest, gateway::RawDone done) {
    done(Text(200, "{\"status\":\"ok\"}", gateway::kJsonType));
  });
  handler_->AddRaw("GET", "/readyz", [this](gateway::RawRequest, gateway::RawDone done) {
    readiness_.Look([this, done = std::move(done)](const Readiness::Report& report) mutable {
      Readiness::Report whole = report;
      if (!ready_) {
        whole.results.push_back(
            {"serving", absl::UnavailableError("the server is starting or stopping"), {}});
      }
      done(Text(whole.ready() ? 200 : 503, whole.Json(), gateway::kJsonType));
    });
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
  if (ready) health_.Post([this] { Recheck(); });
}

void Front::Recheck() {
  readiness_.Look([this](const Readiness::Report& report) {
    if (!ready_) return;
    grpc_->SetServing(report.ready());
    health_.PostAfter(kReadyRecheck, [this] { Recheck(); });
  });
}

void Front::ReloadCertificates() {
  if (certificates_ == nullptr) return;
  pages_.Post([this] { (void)certificates_->Reload(); });
}

void Front::RecheckCertificates() {
  (void)certificates_->Reload();  // what is wrong is in the log
  pages_.PostAfter(certificates_recheck_, [this] { RecheckCertificates(); });
}

void Front::Stop(absl::Duration grace) {
  if (std::exchange(stopped_, true)) return;
  ready_ = false;
  health_.Stop();
  auth_->EndFetches();
  grpc_->Drain();  // or callers would come again and again while REST stops
  rest_->Stop(grace);
  grpc_->Stop(grace);
  auth_->Stop();
  pages_.Stop();
  wizards_->Close();
  orders_->Close();
  quotas_->Close();
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
