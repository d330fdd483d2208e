#include "gateway/server/stop_signal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

namespace server {
namespace {

using ::testing::ExitedWithCode;

// The whole of standard error is one line of JSON with this level and message.
auto IsLogLine(const std::string& level, const std::string& message) {
  return ::testing::ResultOf(
      [](const std::string& text) {
        const auto line = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
        return line.is_object() ? std::pair(line.value("level", ""), line.value("message", ""))
                                : std::pair(text, std::string());
      },
      std::pair(level, message));
}

TEST(StopSignalDeathTest, AStopThatTakesTooLongSaysSoInTheLog) {
  EXPECT_EXIT(
      {
        StopSignal stop;
        stop.LimitStop(absl::Hours(1));
        raise(SIGALRM);
      },
      ExitedWithCode(1), IsLogLine("error", "stopping took too long: ending at once"));
}

TEST(StopSignalDeathTest, ASecondSignalSaysSoInTheLog) {
  EXPECT_EXIT(
      {
        StopSignal stop;
        raise(SIGTERM);
        EXPECT_EQ(stop.Wait([] {}), SIGTERM);
        raise(SIGTERM);
      },
      ExitedWithCode(128 + SIGTERM), IsLogLine("warning", "second signal: ending at once"));
}

}  // namespace
}  // namespace server
