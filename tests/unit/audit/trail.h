// A trail in memory for tests of the audit trail.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/audit/entry.h"

namespace audit {

inline absl::Time TestTime() { return absl::FromUnixSeconds(1'790'000'000); }

// `count` entries that follow each other.
inline std::vector<Entry> MakeTrail(int count) {
  std::vector<Entry> entries;
  std::string prev(kHashBytes, '\0');
  for (int i = 1; i <= count; ++i) {
    Entry entry{.event = {.actor = "ann@example.com",
                          .credential = "jwt",
                          .action = "ApproveCampaign",
                          .subject = absl::StrCat("workflow/spring-", i),
                          .outcome = kOk,
                          .detail = "fine",
                          .correlation_id = absl::StrCat("c", i),
                          .address = "10.0.0.1:4000",
                          .ns = "default"},
                .sequence = i,
                .time = TestTime() + absl::Seconds(i),
                .prev_hash = prev};
    entry.hash = HashOf(entry);
    prev = entry.hash;
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace audit
