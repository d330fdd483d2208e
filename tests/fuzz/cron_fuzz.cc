// Cron expressions: parsing, and the next times, which must grow.
#include <cstddef>
#include <cstdint>

#include "orchestrator/base/check.h"
#include "orchestrator/cron/cron.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<cron::Cron> cron = cron::Cron::Parse(text);
  if (!cron.ok()) {
    CHECK(cron.status().code() == absl::StatusCode::kInvalidArgument) << cron.status().ToString();
    CHECK(!cron.status().message().empty());
    return 0;
  }
  absl::Time time = absl::FromUnixSeconds(1'774'737'000);  // shortly before a change of clocks
  for (int i = 0; i < 5 && time != absl::InfiniteFuture(); ++i) {
    const absl::Time next = cron->Next(time);
    CHECK(next > time) << text;
    time = next;
  }
  return 0;
}
