#include "gateway/server/process_clock.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "orchestrator/base/check.h"
#include "orchestrator/base/log.h"

namespace server {

ProcessClock::ProcessClock() {
  const char* path = std::getenv("CAMPAIGND_TEST_CLOCK_OFFSET");
  if (path == nullptr || *path == '\0') return;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0) << path << ": " << std::strerror(errno);
  CHECK(lseek(fd, 0, SEEK_END) >= static_cast<off_t>(sizeof(int64_t))) << path << " is too short";
  void* mapped = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  CHECK(mapped != MAP_FAILED) << path << ": " << std::strerror(errno);
  close(fd);
  offset_us_ = static_cast<const int64_t*>(mapped);
  base::Log(base::LogLevel::kWarning, "the clock is a test's: CAMPAIGND_TEST_CLOCK_OFFSET is set",
            {}, {{"file", path}});
}

ProcessClock::~ProcessClock() {
  if (offset_us_ != nullptr) munmap(const_cast<int64_t*>(offset_us_), sizeof(int64_t));
}

absl::Time ProcessClock::Now() {
  if (offset_us_ == nullptr) return system_.Now();
  return system_.Now() + absl::Microseconds(__atomic_load_n(offset_us_, __ATOMIC_RELAXED));
}

}  // namespace server
