// Filters of lists and counts.
#include <cstddef>
#include <cstdint>

#include "orchestrator/base/check.h"
#include "orchestrator/filter/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto filter = filter::Parse(text);
  if (!filter.ok()) {
    CHECK(filter.status().code() == absl::StatusCode::kInvalidArgument)
        << filter.status().ToString();
    CHECK(!filter.status().message().empty());
  }
  return 0;
}
