// Await: waits, without sleeping, until what other threads or programs do has come true. What does
// not come within a minute ends the test: an exception says what was waited for, and where.
//
// The thread of the test.
//
// Example:
//   test::Await([&] { return server.connections() == 0; }, "the connection to be closed");
#pragma once

#include <chrono>
#include <source_location>
#include <stdexcept>
#include <string>
#include <thread>

namespace test {

inline constexpr std::chrono::minutes kAwaitMax{1};

template <typename Condition>
void Await(Condition holds, const std::string& what,
           const std::source_location& from = std::source_location::current()) {
  const auto end = std::chrono::steady_clock::now() + kAwaitMax;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) {
      throw std::runtime_error(std::string(from.file_name()) + ":" + std::to_string(from.line()) +
                               ": waited a minute in vain for " + what);
    }
    std::this_thread::yield();
  }
}

}  // namespace test
