// Vendor: the model of the outside world. It keeps the effects that activities cause, by
// idempotency key, and lives on a loop of its own, so that a request that was sent has its effect
// though its sender died. It may fail, be slow, or do the work and lose the answer.
//
// One thread. It also keeps what the checks need: which effects are there, and the order in which
// they were undone.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/scheduler.h"

namespace sim {

struct Effect {
  std::string step;  // the step of a workflow's program that asked for it, as "workflow/step"
  bool done = false;
  bool undone = false;  // refuses late effects
  int times = 0;        // that it came to be
};

// What becomes of one attempt.
struct Fate {
  enum class Kind { kDone, kAnswerLost, kRefused, kBusy, kHang, kLate, kHeld };
  Kind kind = Kind::kDone;
  absl::Duration latency;
};

class Vendor {
 public:
  explicit Vendor(Scheduler& scheduler) : scheduler_(scheduler), loop_(scheduler, "vendor") {}

  Fate Choose(bool may_refuse);
  // The request arrives after `delay`, whatever becomes of its sender.
  void SendDo(const std::string& key, const std::string& step, absl::Duration delay);
  void SendUndo(const std::string& key, const std::string& step, absl::Duration delay);
  // For the order of compensations: the first request to undo a step.
  void NoteUndoBegan(const std::string& workflow, const std::string& step);

  void set_faulty(bool faulty) { faulty_ = faulty; }
  void set_undo_is_noop(bool noop) { undo_is_noop_ = noop; }
  bool faulty() const { return faulty_; }

  const std::map<std::string, Effect>& effects() const { return effects_; }
  const std::map<std::string, std::vector<std::string>>& undo_order() const { return undo_order_; }
  std::set<std::string> fates_seen;

 private:
  Scheduler& scheduler_;
  SimLoop loop_;
  bool faulty_ = true;
  bool undo_is_noop_ = false;
  std::map<std::string, Effect> effects_;                       // by idempotency key
  std::map<std::string, std::vector<std::string>> undo_order_;  // by workflow id
};

}  // namespace sim
