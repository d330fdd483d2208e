// campaignd's settings file: every fault is a line for people; what is read can be printed.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "gateway/server/settings.h"
#include "orchestrator/base/check.h"

namespace {

// The loader takes a path.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : fd_(memfd_create("settings", MFD_CLOEXEC)) {
    CHECK(fd_ >= 0);
    CHECK(write(fd_, data, size) == static_cast<ssize_t>(size));
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  const int fd_;
};

std::optional<std::string> NoEnvironment(const std::string&) { return std::nullopt; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const MemoryFile file(data, size);
  server::Settings settings;
  server::Provenance provenance;
  const std::vector<std::string> faults = server::Load(
      {.file = file.path(), .environment = &NoEnvironment, .flags = {}}, &settings, &provenance);
  for (const std::string& fault : faults) CHECK(!fault.empty());
  if (faults.empty()) CHECK(!server::PrintYaml(settings, provenance).empty());
  return 0;
}
