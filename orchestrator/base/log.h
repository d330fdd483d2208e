// Structured logs: one JSON object a line on stderr (requirement O16), through spdlog.
// Thread-safe. Values that were given to RegisterSecret never reach the output.
//
// Example:
//   base::Log(base::LogLevel::kInfo, "run completed", {.workflow_id = id, .run_id = run},
//             {{"events", 42}, {"status", "COMPLETED"}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace base {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

// What a line is about; empty fields are left out.
struct LogContext {
  std::string workflow_id;
  std::string run_id;
  std::string activity_name;
  std::string trace_id;
  std::string correlation_id;
};

class LogValue {
 public:
  LogValue(std::string_view v) : value_(std::string(v)) {}        // NOLINT
  LogValue(const std::string& v) : value_(v) {}                   // NOLINT
  LogValue(const char* v) : value_(std::string(v)) {}             // NOLINT
  LogValue(bool v) : value_(v) {}                                 // NOLINT
  LogValue(int v) : value_(int64_t{v}) {}                         // NOLINT
  LogValue(unsigned v) : value_(int64_t{v}) {}                    // NOLINT
  LogValue(long v) : value_(int64_t{v}) {}                        // NOLINT
  LogValue(long long v) : value_(int64_t{v}) {}                   // NOLINT
  LogValue(unsigned long v) : value_(static_cast<int64_t>(v)) {}  // NOLINT
  LogValue(double v) : value_(v) {}                               // NOLINT
  const std::variant<std::string, bool, int64_t, double>& value() const { return value_; }

 private:
  std::variant<std::string, bool, int64_t, double> value_;
};

using LogFields = std::initializer_list<std::pair<std::string_view, LogValue>>;

void Log(LogLevel level, std::string_view message, const LogContext& context = {},
         LogFields extra = {});

// Lines below `level` are dropped. Default: kInfo.
void SetLogLevel(LogLevel level);
// "debug", "info", "warning", "error", "off"; false for anything else.
bool ParseLogLevel(std::string_view text, LogLevel* level);

// From now on `secret` is written as "[redacted]" wherever it would appear in a line. Values
// shorter than 6 characters are ignored (they would blank out ordinary words).
void RegisterSecret(std::string_view secret);
// `text` with every registered secret replaced.
std::string Redact(std::string_view text);

}  // namespace base
