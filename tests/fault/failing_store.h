// FailingStore: fails one commit, by its number. Thread-safe.
//
// Example:
//   FailingStore store(&sqlite, 3, Where::kAfterWriting);  // the third commit is written, and
//                                                          // its caller is told UNAVAILABLE
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "orchestrator/store/forwarding_store.h"

namespace engine_test {

enum class Where { kBeforeWriting, kAfterWriting };

// Both of them as a test's parameters, and their names.
inline auto EverywhereInACommit() {
  return ::testing::Values(Where::kBeforeWriting, Where::kAfterWriting);
}
inline std::string WhereName(const ::testing::TestParamInfo<Where>& info) {
  return info.param == Where::kBeforeWriting ? "BeforeWriting" : "AfterWriting";
}

class FailingStore : public store::ForwardingStore {
 public:
  FailingStore(store::Store* store, int fail_at, Where where)
      : ForwardingStore(store), fail_at_(fail_at), where_(where) {}
  absl::Status Commit(const store::WriteBatch& batch) override {
    const int number = ++commits_;
    if (number != fail_at_) return ForwardingStore::Commit(batch);
    if (where_ == Where::kAfterWriting) {
      const absl::Status written = ForwardingStore::Commit(batch);
      if (!written.ok()) return written;
    }
    return absl::UnavailableError("injected");
  }
  bool failed_once() const { return commits_ >= fail_at_; }

 private:
  std::atomic<int> commits_{0};
  const int fail_at_;
  const Where where_;
};

}  // namespace engine_test
