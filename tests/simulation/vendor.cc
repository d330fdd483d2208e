#include "tests/simulation/vendor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sim {

Fate Vendor::Choose(bool may_refuse) {
  Fate fate;
  fate.latency = scheduler_.Between(absl::Milliseconds(1), absl::Seconds(2));
  if (!faulty_) return fate;
  const double dice = scheduler_.random().NextDouble();
  if (dice < 0.60) {
    fate.kind = Fate::Kind::kDone;
  } else if (dice < 0.70) {
    fate.kind = Fate::Kind::kAnswerLost;
    fates_seen.insert("answer lost");
  } else if (dice < 0.80) {
    fate.kind = Fate::Kind::kBusy;
    fates_seen.insert("busy");
  } else if (dice < 0.87) {
    fate.kind = Fate::Kind::kHang;
    fates_seen.insert("hang");
  } else if (dice < 0.94) {
    fate.kind = Fate::Kind::kLate;
    fate.latency = scheduler_.Between(absl::Seconds(5), absl::Seconds(40));
    fates_seen.insert("late effect");
  } else if (dice < 0.96) {
    fate.kind = Fate::Kind::kHeld;
    fates_seen.insert("put off");
  } else if (may_refuse) {
    fate.kind = Fate::Kind::kRefused;
    fates_seen.insert("refused");
  }
  return fate;
}

void Vendor::SendDo(const std::string& key, const std::string& step, absl::Duration delay) {
  loop_.PostAfter(delay, [this, key, step] {
    Effect& effect = effects_[key];
    effect.step = step;
    scheduler_.Log([&] {
      return absl::StrCat("vendor: do ", key, " of ", step,
                          effect.undone ? " refused, undone"
                          : effect.done ? " again"
                                        : "");
    });
    if (effect.undone || effect.done) return;
    effect.done = true;
    ++effect.times;
  });
}

void Vendor::SendUndo(const std::string& key, const std::string& step, absl::Duration delay) {
  loop_.PostAfter(delay, [this, key, step] {
    scheduler_.Log([&] { return absl::StrCat("vendor: undo ", key, " of ", step); });
    if (undo_is_noop_) return;
    Effect& effect = effects_[key];
    effect.step = step;
    effect.done = false;
    effect.undone = true;
  });
}

void Vendor::NoteUndoBegan(const std::string& workflow, const std::string& step) {
  std::vector<std::string>& order = undo_order_[workflow];
  if (std::find(order.begin(), order.end(), step) == order.end()) order.push_back(step);
}

}  // namespace sim
