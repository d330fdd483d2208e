#include "tests/simulation/outside.h"

#include <filesystem>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "activities/connectors/memory/memory_gateway.h"
#include "orchestrator/base/check.h"

namespace sim {
namespace {

const outbound::Vendor kPages{.name = "webdriver", .timeout = absl::Seconds(30), .tries_max = 3};

campaign::Settings MakeSettings() {
  campaign::Settings settings;
  settings.figma.file_key = "SandboxBrandKit";
  settings.figma.scale = 0.05;  // small images, for speed
  settings.review.slack_channel = "C0SANDBOX1";
  settings.email.from_address = "campaigns@example.com";
  settings.email.from_name = "Acme Campaigns";
  settings.email.recipients = {"customer@example.com"};
  settings.social.channels = {"channel-linkedin linkedin"};
  settings.approval.expire_after = absl::Minutes(30);
  return settings;
}

openai::Prices MakePrices() {
  absl::StatusOr<openai::Prices> prices = openai::Prices::Parse({"* 0.15 0.60"});
  CHECK(prices.ok());
  return *std::move(prices);
}

github::GithubClient::Options GithubOptions(const std::string& url) {
  github::GithubClient::Options options;
  options.base_url = url + "/github";
  options.token = "sandbox-github";
  options.owner = "acme";
  options.repo = "campaigns";
  options.pages_branch = options.base_branch;
  return options;
}

openai::ChatClient::Options ChatOptions(const std::string& url) {
  openai::ChatClient::Options options;
  options.base_url = url + "/openai/v1";
  options.api_key = "sandbox-openai";
  options.model = "gpt-4o-mini";
  return options;
}

std::string Url(const char* path) { return absl::StrCat(kOutsideUrl, path); }

outbound::Transfer TransferOf(const sandbox::Reply& reply, absl::Duration elapsed, absl::Time now) {
  outbound::Transfer transfer;
  transfer.sent = true;
  transfer.elapsed = elapsed;
  if (reply.delivery != sandbox::Delivery::kAnswer) {
    transfer.end = outbound::TransferEnd::kBroken;
    transfer.message = "the connection ended before the answer did";
    return transfer;
  }
  transfer.end = outbound::TransferEnd::kAnswered;
  transfer.response.status = reply.response.status;
  transfer.response.body = reply.response.body;
  transfer.response.received_at = now;
  for (const auto& [name, value] : reply.response.headers) {
    transfer.response.headers.emplace_back(absl::AsciiStrToLower(name), value);
  }
  transfer.response.headers.emplace_back("content-type", reply.response.content_type);
  return transfer;
}

// The text between two marks of a page.
std::string TextBetween(const std::string& page, const std::string& from, const std::string& to) {
  const size_t begin = page.find(from);
  if (begin == std::string::npos) return "";
  const size_t end = page.find(to, begin + from.size());
  if (end == std::string::npos) return "";
  return page.substr(begin + from.size(), end - begin - from.size());
}

}  // namespace

Outside::Outside(Scheduler& scheduler, const std::string& assets_dir)
    : scheduler_(scheduler),
      assets_dir_(assets_dir),
      loop_(scheduler, "outside"),
      settings_(MakeSettings()) {
  sandbox_.store().set_clock([this] { return absl::ToUnixMicros(scheduler_.wall()); });
  CHECK(sandbox_.Open("").ok());
  std::filesystem::remove_all(assets_dir_);
}

Outside::~Outside() {
  std::error_code ignored;
  std::filesystem::remove_all(assets_dir_, ignored);
}

void Outside::AddFaults(Dice& dice) {
  faulty_ = true;
  const struct {
    const char* kind;
    double rate;
  } kinds[] = {{"error", 0.03}, {"rate_limit", 0.03},    {"reset", 0.02},
               {"hang", 0.01},  {"lost_response", 0.03}, {"malformed", 0.01}};
  for (const auto& [kind, rate] : kinds) {
    if (!dice.Chance(0.6)) continue;
    sandbox::Fault fault;
    fault.vendor = "*";
    fault.kind = kind;
    fault.rate = rate * 2 * dice.random().NextDouble();
    fault.seed = static_cast<int64_t>(dice.Below(1 << 30));
    if (fault.kind == "rate_limit") fault.retry_after_s = static_cast<int64_t>(dice.Below(40));
    sandbox_.faults().Add(std::move(fault));
  }
}

void Outside::Outage(Dice& dice) {
  const char* const vendors[] = {"notion",   "openai", "figma",   "github", "slack",
                                 "sendgrid", "buffer", "grafana", "cms"};
  sandbox::Fault fault;
  fault.vendor = vendors[dice.Below(8)];
  fault.kind = dice.Chance(0.5) ? "error" : "reset";
  if (fault.kind == "error") fault.status = 503;
  const absl::Duration length = dice.Between(absl::Seconds(5), absl::Minutes(5));
  seen.insert("outage of a vendor");
  scheduler_.Log([&] {
    return absl::StrCat("fault: outage of ", fault.vendor, " for ", absl::FormatDuration(length));
  });
  const std::string id = sandbox_.faults().Add(std::move(fault)).id;
  loop_.PostAfter(length, [this, id] { sandbox_.faults().Remove(id); });
}

void Outside::StopFaults() {
  faulty_ = false;
  sandbox_.faults().RemoveAll();
  SetKillSwitch(false);
}

void Outside::SetKillSwitch(bool on) {
  if (on) seen.insert("kill switch");
  if (on != kill_switch_on_) {
    scheduler_.Log([&] { return absl::StrCat("the kill switch is ", on ? "on" : "off"); });
  }
  kill_switch_on_ = on;
  for (outbound::KillSwitch* kill_switch : kill_switches_) kill_switch->Set({.on = on});
}

void Outside::NoteLate(const outbound::HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (absl::EqualsIgnoreCase(name, "X-Workflow-Id")) late_.insert(value);
  }
}

sandbox::Reply Outside::Handle(const outbound::HttpRequest& request) {
  const std::string target = request.url.substr(sizeof(kOutsideUrl) - 1);
  sandbox::Request arrived = sandbox::MakeRequest(request.method, target.empty() ? "/" : target);
  arrived.headers = request.headers;
  arrived.headers.emplace_back("Host", "sandbox");
  arrived.body = request.body;
  sandbox::Reply reply = sandbox_.Handle(arrived);
  scheduler_.trace().Mix(request.url);
  scheduler_.trace().Mix(static_cast<uint64_t>(reply.response.status));
  scheduler_.Log([&] {
    return absl::StrCat("outside: ", request.method, " ", target.substr(0, 100), ": ",
                        reply.delivery == sandbox::Delivery::kAnswer
                            ? absl::StrCat(reply.response.status)
                            : "no answer");
  });
  return reply;
}

base::Task<outbound::Transfer> SimTransport::Send(outbound::HttpRequest request,
                                                  outbound::TransferLimits limits,
                                                  base::CancelToken cancel) {
  using outbound::TransferEnd;
  outbound::Transfer transfer;
  if (life_->dead || cancel.canceled()) {
    transfer.end = TransferEnd::kCanceled;
    co_return transfer;
  }
  if (!absl::StartsWith(request.url, kOutsideUrl)) {
    transfer.end = TransferEnd::kBadRequest;
    transfer.message = "the simulation has no such host";
    co_return transfer;
  }
  if (!request.control && kill_switch_.on()) {
    transfer.end = TransferEnd::kHeld;
    co_return transfer;
  }
  Scheduler& scheduler = outside_.scheduler();
  if (outside_.faulty() && scheduler.Chance(0.01)) {
    outside_.seen.insert("request not sent");
    transfer.end = TransferEnd::kNotSent;
    transfer.message = "connection refused";
    co_return transfer;
  }
  // The request arrives though its sender may be gone by then; now and then very late. The answer,
  // the end of patience and the cancellation race.
  const bool late = outside_.faulty() && scheduler.Chance(0.005);
  if (late) {
    outside_.seen.insert("request late");
    outside_.NoteLate(request);
  }
  const absl::Duration way = late
                                 ? scheduler.Between(limits.timeout, limits.timeout * 1.5)
                                 : scheduler.Between(absl::Milliseconds(2), absl::Milliseconds(80));
  const base::Completion<outbound::Transfer> done;
  outside_.loop().PostAfter(
      way, [&outside = outside_, &loop = loop_, life = life_, done, request, way] {
        if (life->dead) outside.NoteLate(request);
        const sandbox::Reply reply = outside.Handle(request);
        if (life->dead || reply.delivery == sandbox::Delivery::kHang) return;
        loop.PostAfter(way + absl::Milliseconds(reply.delay_ms), [&loop, done, reply, way] {
          done.Set(TransferOf(reply, way * 2, loop.clock().Now()));
        });
      });
  const auto give_up = [done, limits](TransferEnd end) {
    outbound::Transfer ended;
    ended.end = end;
    ended.sent = true;
    ended.message = "no answer in time";
    ended.elapsed = limits.timeout;
    done.Set(std::move(ended));
  };
  const base::TimerId timer =
      loop_.PostAfter(limits.timeout, [give_up] { give_up(TransferEnd::kTimedOut); });
  const base::CancelToken::CallbackId callback =
      cancel.OnCancel([give_up] { give_up(TransferEnd::kCanceled); });
  transfer = co_await done;
  loop_.CancelTimer(timer);
  cancel.Forget(callback);
  co_return transfer;
}

base::Task<base::Outcome<webdriver::RenderedPage>> PlainPages::Render(
    std::string url, outbound::CallContext context) {
  outbound::HttpRequest request{.method = "GET", .url = url, .operation = "render"};
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(kPages, std::move(request), std::move(context));
  if (!response.ok()) co_return response.failure();
  webdriver::RenderedPage page;
  page.url = page.final_url = url;
  page.http_status = response->status;
  page.title = TextBetween(response->body, "<title>", "</title>");
  page.h1 = TextBetween(response->body, "<h1>", "</h1>");
  if (response->status >= 400) co_return base::Failure::Permanent("PageError", "no such page");
  co_return page;
}

Office::Office(Outside& outside, SimLoop& io, SimLoop& disk, base::Clock& clock,
               base::Random& random, base::Metrics& metrics, std::shared_ptr<Life> life)
    : outside_(outside),
      disk_(disk),
      kill_switch_(metrics, absl::Seconds(30)),
      breakers_(clock, random, metrics, {}),
      limiter_(clock, random, {}),
      transport_(outside, io, kill_switch_, std::move(life)),
      outbound_(io, transport_, random, metrics, {},
                {.kill_switch = &kill_switch_, .limiter = &limiter_, .breakers = &breakers_}),
      assets_(io, disk_,
              {.directory = outside.assets_dir(), .public_base_url = "http://campaignd"}),
      notion_(outbound_, {.base_url = Url("/notion"), .token = "sandbox-notion"}),
      pages_(outbound_),
      memory_(std::make_unique<memory::MemoryGateway>(
          outbound_,
          memory::MemoryGateway::Options{.base_url = Url("/memory"), .token = "sandbox-memory"})),
      chat_(outbound_, ChatOptions(kOutsideUrl)),
      writer_(io, disk_, chat_, nullptr, MakePrices(), metrics,
              {.models = {"gpt-4o-mini"}, .cache_ttl = absl::ZeroDuration()}),
      moderator_(outbound_, {.base_url = Url("/openai/v1"), .api_key = "sandbox-openai"}),
      figma_(outbound_, {.base_url = Url("/figma"), .token = "sandbox-figma"}),
      github_(outbound_, GithubOptions(kOutsideUrl)),
      slack_(outbound_, {.base_url = Url("/slack/api"), .token = "sandbox-slack"}),
      sendgrid_(outbound_, {.base_url = Url("/sendgrid"), .token = "sandbox-sendgrid"}),
      buffer_(outbound_, {.base_url = Url("/buffer"), .token = "sandbox-buffer"}),
      grafana_(outbound_, {.base_url = Url("/grafana"), .token = "sandbox-grafana"}),
      cms_(outbound_,
           {.url = Url("/cms/hooks/content"), .secret = "whsec_c2FuZGJveC1jbXMtc2VjcmV0"}) {
  kill_switch_.Set({.on = outside_.kill_switch_on_});
  outside_.kill_switches_.insert(&kill_switch_);
}

Office::~Office() { outside_.kill_switches_.erase(&kill_switch_); }

campaign::Connectors Office::connectors() {
  return {.notion = notion_,
          .browsers = pages_,
          .memory = *memory_,
          .writer = writer_,
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

}  // namespace sim
