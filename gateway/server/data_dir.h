// DataDir: the server's directory, made when it is missing and locked against a second server on
// it. The lock is the kernel's (flock): it ends with the process, however that ends.
//
// Thread-safety: constant after Open; thread-compatible.
//
// Example:
//   absl::StatusOr<DataDir> dir = DataDir::Open("./campaignd-data");
//   OpenStore(dir->Path("runs.db"));
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace server {

class DataDir {
 public:
  // FAILED_PRECONDITION: another server holds it (the message says which process), or the path is
  // no directory; UNAVAILABLE: it cannot be made or written.
  static absl::StatusOr<DataDir> Open(const std::string& path);
  DataDir(DataDir&& other) noexcept
      : path_(std::move(other.path_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}
  DataDir& operator=(DataDir&&) = delete;
  ~DataDir();

  const std::string& path() const { return path_; }  // absolute
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  DataDir(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}

  std::string path_;
  int lock_fd_;
};

}  // namespace server
