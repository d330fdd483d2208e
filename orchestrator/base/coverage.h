// REACHED: marks a branch that is rare and matters, so that tests can say that they went there.
// A hit costs one relaxed addition. The simulation reports the marks and fails when one that it
// must reach was not (tests/simulation/coverage.h).
//
// Thread-safety: thread-safe.
//
// Example:
//   if (absl::IsAborted(status)) {
//     REACHED("lease lost");
//     ...
//   }
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

namespace base {

class CoverageMark {
 public:
  explicit CoverageMark(const char* name) : name_(name), next_(head().load()) {
    while (!head().compare_exchange_weak(next_, this)) {
    }
  }
  void Hit() { hits_.fetch_add(1, std::memory_order_relaxed); }

  // The hits of every mark that was reached since the process began.
  static std::map<std::string, uint64_t> All() {
    std::map<std::string, uint64_t> all;
    for (const CoverageMark* mark = head().load(); mark != nullptr; mark = mark->next_) {
      all[mark->name_] += mark->hits_.load(std::memory_order_relaxed);
    }
    return all;
  }

 private:
  static std::atomic<CoverageMark*>& head() {
    static std::atomic<CoverageMark*> head{nullptr};
    return head;
  }
  const char* const name_;
  CoverageMark* next_;
  std::atomic<uint64_t> hits_{0};
};

}  // namespace base

#define REACHED(name)                          \
  do {                                         \
    static ::base::CoverageMark reached(name); \
    reached.Hit();                             \
  } while (0)
