// Campaigns: real campaigns among the random workflows: starts them, decides on them like their
// reviewers, and looks at the end for what should be at the vendors and what should not.
//
// One thread; on a loop of its own, so it outlives the nodes it talks to.
#pragma once

#include <map>
#include <set>
#include <string>

#include "campaign/v1/campaign.pb.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/client.h"
#include "tests/simulation/outside.h"
#include "tests/simulation/scheduler.h"

namespace sim {

class Campaigns {
 public:
  Campaigns(Scheduler& scheduler, Checker& checker, Outside& outside, Client::Route route)
      : scheduler_(scheduler),
        checker_(checker),
        outside_(outside),
        route_(std::move(route)),
        loop_(scheduler, "campaigns") {}

  void Begin(const std::string& workflow_id, Dice& dice, absl::Duration after, bool gentle);
  void Settle(absl::Duration quiet) {
    settling_ = true;
    quiet_until_ = quiet;
  }
  bool Done() const { return open_.empty(); }
  const std::set<std::string>& open() const { return open_; }
  int count() const { return static_cast<int>(plans_.size()); }
  void CheckEnd();
  std::set<std::string> seen;

 private:
  enum class Verb { kApprove, kReject, kEdit, kIgnore, kCancel };
  struct Plan {
    ::campaign::v1::CampaignSpec spec;
    Verb verb = Verb::kApprove;
    bool started = false;
    bool edited = false;
    bool canceled = false;
  };
  void Start(const std::string& id);
  void Live(const std::string& id);
  void Act(const std::string& id);
  void Decide(const std::string& id);
  void Unblock(const std::string& id);
  void Check(const std::string& id);

  Scheduler& scheduler_;
  Checker& checker_;
  Outside& outside_;
  const Client::Route route_;
  SimLoop loop_;
  bool settling_ = false;
  absl::Duration quiet_until_ = absl::ZeroDuration();
  uint64_t last_request_ = 0;
  std::map<std::string, Plan> plans_;  // by workflow id
  std::set<std::string> open_;
};

}  // namespace sim
