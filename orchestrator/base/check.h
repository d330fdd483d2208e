// CHECK: invariants that hold in release builds too. A failed CHECK prints the condition, the
// place and the streamed message to stderr, then aborts. Thread-safe.
//
// Example:
//   CHECK(event.id() == state.next_event_id) << "run=" << run_id;
#pragma once

#include <sstream>

namespace base {

class CheckFailure {
 public:
  CheckFailure(const char* file, int line, const char* condition);
  [[noreturn]] ~CheckFailure();
  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
};

struct CheckVoidify {
  void operator&(std::ostream&) const {}
};

}  // namespace base

#define CHECK(condition) \
  (condition)            \
      ? (void)0          \
      : ::base::CheckVoidify() & ::base::CheckFailure(__FILE__, __LINE__, #condition).stream()
