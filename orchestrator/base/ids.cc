#include "orchestrator/base/ids.h"

#include "absl/strings/str_format.h"
#include "orchestrator/base/random.h"

namespace base {

RunId NewRunId(absl::Time now, Random& random) {
  const uint64_t ms = static_cast<uint64_t>(absl::ToUnixMillis(now)) & 0xffffffffffffull;
  const uint64_t a = random.Next();
  const uint64_t b = random.Next();
  return RunId(absl::StrFormat("%08x-%04x-7%03x-%04x-%012x", ms >> 16, ms & 0xffff, a & 0xfff,
                               0x8000 | ((a >> 12) & 0x3fff), b & 0xffffffffffffull));
}

}  // namespace base
