#include "gateway/server/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace server {
namespace {

// The process id that the holder of the lock wrote, for people.
std::string HolderOf(int fd) {
  char text[32] = {};
  const ssize_t length = pread(fd, text, sizeof text - 1, 0);
  const std::string pid(
      absl::StripAsciiWhitespace(absl::string_view(text, length > 0 ? length : 0)));
  return pid.empty() ? "another process" : absl::StrCat("process ", pid);
}

}  // namespace

absl::StatusOr<DataDir> DataDir::Open(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error).lexically_normal();
  const bool existed = std::filesystem::exists(absolute, error);
  if (existed && !std::filesystem::is_directory(absolute, error)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the data directory ", absolute.string(), " is no directory; choose another --data-dir"));
  }
  if (!existed) {
    std::filesystem::create_directories(absolute, error);
    if (error) {
      return absl::UnavailableError(absl::StrCat("cannot make the data directory ",
                                                 absolute.string(), ": ", error.message()));
    }
    std::filesystem::permissions(absolute, std::filesystem::perms::owner_all, error);
  }
  const std::string lock = (absolute / "lock").string();
  // Children must not inherit the lock: it would outlive us.
  const int fd = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return absl::UnavailableError(absl::StrCat("cannot write in the data directory ",
                                               absolute.string(), ": ", std::strerror(errno)));
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const std::string holder = HolderOf(fd);
    close(fd);
    return absl::FailedPreconditionError(
        absl::StrCat("the data directory ", absolute.string(), " is in use by ", holder,
                     "; stop that server, or choose another --data-dir"));
  }
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    const std::string reason = std::strerror(errno);
    close(fd);
    return absl::UnavailableError(absl::StrCat("cannot write ", lock, ": ", reason));
  }
  return DataDir(absolute.string(), fd);
}

DataDir::~DataDir() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

}  // namespace server
