#include "orchestrator/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_replace.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "orchestrator/base/retired_secrets.h"

namespace base {
namespace {

constexpr size_t kSecretLengthMin = 6;
constexpr size_t kMessageBytesMax = 8 * 1024;

std::atomic<LogLevel> g_level{LogLevel::kInfo};

struct Secrets {
  absl::Mutex mu;
  // What lines are searched for, the longest first: of a secret that begins with another one
  // nothing may be left.
  std::vector<std::string> values ABSL_GUARDED_BY(mu);
  std::map<std::string, int, std::less<>> holders ABSL_GUARDED_BY(mu);
  std::deque<std::string> retired ABSL_GUARDED_BY(mu);  // each once, the newest last
};

// As it is, and as it appears in lines, which are JSON: with a quote in it, say, escaped.
std::array<std::string, 2> FormsOf(std::string_view secret) {
  const std::string quoted =
      nlohmann::json(secret).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return {std::string(secret), quoted.substr(1, quoted.size() - 2)};
}

Secrets& GetSecrets() {
  static auto* secrets = new Secrets;
  return *secrets;
}

spdlog::logger& Sink() {
  static auto* logger = [] {
    auto* made = new spdlog::logger("campaignd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      break;
  }
  return "off";
}

}  // namespace

void Log(LogLevel level, std::string_view message, const LogContext& context, LogFields extra) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  nlohmann::ordered_json line;
  line["level"] = LevelName(level);
  line["message"] = message.substr(0, kMessageBytesMax);
  line["timestamp"] = absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ", absl::Now(), absl::UTCTimeZone());
  const auto put = [&line](const char* name, const std::string& value) {
    if (!value.empty()) line[name] = value;
  };
  put("workflow_id", context.workflow_id);
  put("run_id", context.run_id);
  put("activity_name", context.activity_name);
  put("trace_id", context.trace_id);
  put("correlation_id", context.correlation_id);
  if (extra.size() > 0) {
    nlohmann::ordered_json fields;
    for (const auto& [name, value] : extra) {
      std::visit([&](const auto& v) { fields[std::string(name)] = v; }, value.value());
    }
    line["extra"] = std::move(fields);
  }
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  Sink().log(spdlog::level::info, spdlog::string_view_t(Redact(text)));
}

void SetLogLevel(LogLevel level) { g_level = level; }

bool ParseLogLevel(std::string_view text, LogLevel* level) {
  for (LogLevel candidate :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff}) {
    if (text == LevelName(candidate)) {
      *level = candidate;
      return true;
    }
  }
  return false;
}

void RegisterSecret(std::string_view secret) {
  if (secret.size() < kSecretLengthMin) return;
  Secrets& secrets = GetSecrets();
  absl::MutexLock lock(&secrets.mu);
  ++secrets.holders[std::string(secret)];
  std::erase(secrets.retired, secret);
  for (const std::string& form : FormsOf(secret)) {
    auto& values = secrets.values;
    if (std::find(values.begin(), values.end(), form) != values.end()) continue;
    const auto shorter = std::find_if(values.begin(), values.end(), [&](const std::string& other) {
      return other.size() < form.size();
    });
    values.insert(shorter, form);
  }
}

void RetireSecret(std::string_view secret) {
  Secrets& secrets = GetSecrets();
  absl::MutexLock lock(&secrets.mu);
  const auto held = secrets.holders.find(secret);
  if (held == secrets.holders.end() || --held->second > 0) return;
  secrets.holders.erase(held);
  secrets.retired.emplace_back(secret);
  if (secrets.retired.size() <= kRetiredSecretsMax) return;
  for (const std::string& form : FormsOf(secrets.retired.front())) {
    std::erase(secrets.values, form);
  }
  secrets.retired.pop_front();
}

std::string Redact(std::string_view text) {
  std::string result(text);
  Secrets& secrets = GetSecrets();
  absl::ReaderMutexLock lock(&secrets.mu);
  for (const std::string& secret : secrets.values) {
    if (result.find(secret) != std::string::npos) {
      result = absl::StrReplaceAll(result, {{secret, "[redacted]"}});
    }
  }
  return result;
}

}  // namespace base
