#include "gateway/audit/refusals.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace audit {
namespace {

std::string KeyOf(const Event& event) {
  return absl::StrCat(event.action, "\n", event.actor, "\n", event.address);
}

}  // namespace

std::optional<Event> Refusals::Add(Event event, absl::Time now) {
  const std::string key = KeyOf(event);
  if (const auto found = callers_.find(key); found != callers_.end()) {
    ++found->second.more;
    found->second.last = std::move(event);
    return std::nullopt;
  }
  if (refilled_ != absl::InfinitePast() && now > refilled_) {
    budget_ = std::min<double>(kCallersAtOnce, budget_ + absl::ToDoubleMinutes(now - refilled_));
  }
  refilled_ = now;
  if (budget_ >= 1) {
    budget_ -= 1;
    callers_[key] = {.last = event, .since = now, .report_at = now + kFirstReport};
    return event;
  }
  Slot& slot = others_[event.action];
  if (slot.more == 0) {
    slot.since = now;
    if (slot.report_at == absl::Time() || slot.report_at < now) slot.report_at = now + slot.wait;
  }
  ++slot.more;
  slot.last = std::move(event);
  return std::nullopt;
}

Event Refusals::Summary(const Slot& slot, absl::Time now, bool of_many) {
  Event event = slot.last;
  event.detail = absl::StrCat(
      slot.more, of_many ? " of several callers" : " more", " within ",
      absl::FormatDuration(absl::Ceil(now - slot.since, absl::Seconds(1))),
      of_many ? absl::StrCat("; the last by ", event.actor.empty() ? "nobody known" : event.actor,
                             " from ", event.address)
              : "",
      event.detail.empty() ? "" : absl::StrCat("; the last: ", event.detail));
  if (of_many) {
    event.actor.clear();
    event.address.clear();
    event.credential.clear();
    event.correlation_id.clear();
    event.subject.clear();
  }
  return event;
}

std::vector<Event> Refusals::Sweep(absl::Time now, bool all) {
  std::vector<Event> events;
  const auto sweep = [&](std::map<std::string, Slot>& slots, bool of_many) {
    for (auto it = slots.begin(); it != slots.end();) {
      Slot& slot = it->second;
      if (slot.report_at > now && !all) {
        ++it;
        continue;
      }
      if (slot.more == 0) {  // quiet since the last report
        it = slots.erase(it);
        continue;
      }
      events.push_back(Summary(slot, now, of_many));
      slot.more = 0;
      slot.since = now;
      slot.wait = std::min(2 * slot.wait, kReportMax);
      slot.report_at = now + slot.wait;
      ++it;
    }
  };
  sweep(callers_, false);
  sweep(others_, true);
  return events;
}

}  // namespace audit
