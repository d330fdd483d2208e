// A trail in memory, a folder and a clock for tests of the audit trail.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gateway/audit/entry.h"
#include "orchestrator/base/clock.h"

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

class TestFolder {
 public:
  TestFolder() {
    std::string name =
        absl::StrCat(std::filesystem::temp_directory_path().string(), "/audit-XXXXXX");
    path_ = mkdtemp(name.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return absl::StrCat(path_, "/", name); }

 private:
  std::string path_;
};

// Stands still until it is told. Thread-safe.
class TestClock : public base::Clock {
 public:
  absl::Time Now() override {
    absl::MutexLock lock(&mu_);
    return now_;
  }
  absl::Duration Monotonic() override {
    absl::MutexLock lock(&mu_);
    return now_ - TestTime();
  }
  void Advance(absl::Duration by) {
    absl::MutexLock lock(&mu_);
    now_ += by;
  }

 private:
  absl::Mutex mu_;
  absl::Time now_ = TestTime();
};

}  // namespace audit
