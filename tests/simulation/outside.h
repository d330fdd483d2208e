// Outside: the vendors of the campaign: vendor-sandbox without its sockets, in virtual time. A
// request that was sent arrives, whatever becomes of its sender; answers come late, wrong or not at
// all. An Office is what one node has of it: transport, pipeline, connectors.
//
// One thread.
//
// Example:
//   sim::Outside outside(scheduler, dice);
//   sim::Office office(outside, io_loop, disk_loop, random, metrics, life);
//   campaign::Register(registry, outside.settings(), office.connectors());
#pragma once

#include <memory>
#include <set>
#include <string>

#include "activities/campaign/connectors.h"
#include "activities/campaign/settings.h"
#include "activities/outbound/breakers.h"
#include "activities/outbound/kill_switch.h"
#include "activities/outbound/pipeline.h"
#include "activities/outbound/rate_limiter.h"
#include "activities/outbound/transport.h"
#include "tests/sandbox/sandbox.h"
#include "tests/simulation/programs.h"
#include "tests/simulation/scheduler.h"

namespace sim {

inline constexpr char kOutsideUrl[] = "http://sandbox";

class Outside {
 public:
  Outside(Scheduler& scheduler, const std::string& assets_dir);
  ~Outside();

  // Vendors fail, stall and lose answers at these rates, until Stop.
  void AddFaults(Dice& dice);
  // One vendor answers nothing but errors, or is not there, for a while.
  void Outage(Dice& dice);
  void StopFaults();
  void NoteLate(const outbound::HttpRequest& request);
  bool faulty() const { return faulty_; }

  // Takes the request in now; what is done is done.
  sandbox::Reply Handle(const outbound::HttpRequest& request);
  sandbox::Sandbox& sandbox() { return sandbox_; }
  SimLoop& loop() { return loop_; }
  Scheduler& scheduler() { return scheduler_; }
  const campaign::Settings& settings() const { return settings_; }
  const std::string& assets_dir() const { return assets_dir_; }

  // Workflows of which a request arrived after its sender had given it up. Where a vendor has no
  // idempotency keys nothing helps against that: what they leave is a known limit.
  const std::set<std::string>& late() const { return late_; }

  // The operator's kill switch, which all nodes obey.
  void SetKillSwitch(bool on);
  std::set<std::string> seen;

 private:
  friend class Office;
  friend class SimTransport;

  Scheduler& scheduler_;
  const std::string assets_dir_;
  SimLoop loop_;
  sandbox::Sandbox sandbox_;
  campaign::Settings settings_;
  std::set<std::string> late_;
  bool faulty_ = false;
  bool kill_switch_on_ = false;
  std::set<outbound::KillSwitch*> kill_switches_;
};

class SimTransport : public outbound::Transport {
 public:
  SimTransport(Outside& outside, SimLoop& loop, const outbound::KillSwitch& kill_switch,
               std::shared_ptr<Life> life)
      : outside_(outside), loop_(loop), kill_switch_(kill_switch), life_(std::move(life)) {}
  base::Task<outbound::Transfer> Send(outbound::HttpRequest request,
                                      outbound::TransferLimits limits,
                                      base::CancelToken cancel) override;

 private:
  Outside& outside_;
  SimLoop& loop_;
  const outbound::KillSwitch& kill_switch_;
  const std::shared_ptr<Life> life_;
};

// Pages without a browser: what the server sends.
class PlainPages : public webdriver::PageRenderer {
 public:
  explicit PlainPages(outbound::Outbound& outbound) : outbound_(outbound) {}
  base::Task<base::Outcome<webdriver::RenderedPage>> Render(std::string url,
                                                            outbound::CallContext context) override;

 private:
  outbound::Outbound& outbound_;
};

class Office {
 public:
  Office(Outside& outside, SimLoop& io, SimLoop& disk, base::Clock& clock, base::Random& random,
         base::Metrics& metrics, std::shared_ptr<Life> life);
  ~Office();
  campaign::Connectors connectors();

 private:
  Outside& outside_;
  blocking::Worker disk_;
  outbound::KillSwitch kill_switch_;
  outbound::Breakers breakers_;
  outbound::RateLimiter limiter_;
  SimTransport transport_;
  outbound::Pipeline outbound_;
  assets::AssetStore assets_;
  notion::NotionClient notion_;
  PlainPages pages_;
  std::unique_ptr<memory::MemoryStore> memory_;
  openai::ChatClient chat_;
  openai::Writer writer_;
  openai::Moderator moderator_;
  figma::FigmaClient figma_;
  github::GithubClient github_;
  slack::SlackClient slack_;
  sendgrid::SendgridClient sendgrid_;
  buffer::BufferClient buffer_;
  grafana::GrafanaClient grafana_;
  webhook::WebhookClient cms_;
};

}  // namespace sim
