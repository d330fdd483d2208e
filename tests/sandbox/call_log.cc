#include "tests/sandbox/call_log.h"

#include <algorithm>

#include "tests/sandbox/text.h"

namespace sandbox {

void CallLog::Add(CallEntry entry) {
  entry.number = ++total_;
  entries_.push_back(std::move(entry));
  if (entries_.size() > kEntriesMax) entries_.pop_front();
}

Json CallLog::List(const std::string& vendor, const std::string& operation,
                   const std::string& workflow_id, size_t limit) const {
  std::vector<const CallEntry*> found;
  for (auto it = entries_.rbegin(); it != entries_.rend() && found.size() < limit; ++it) {
    if (!vendor.empty() && it->vendor != vendor) continue;
    if (!operation.empty() && it->operation != operation) continue;
    if (!workflow_id.empty() && it->workflow_id != workflow_id) continue;
    found.push_back(&*it);
  }
  Json out = Json::array();
  std::for_each(found.rbegin(), found.rend(), [&out](const CallEntry* e) {
    out.push_back({{"number", e->number},
                   {"time", IsoMillis(e->time_ms)},
                   {"vendor", e->vendor},
                   {"operation", e->operation},
                   {"method", e->method},
                   {"path", e->path},
                   {"status", e->status},
                   {"fault", e->fault},
                   {"workflow_id", e->workflow_id},
                   {"idempotency_key", e->idempotency_key},
                   {"traceparent", e->traceparent}});
  });
  return out;
}

}  // namespace sandbox
