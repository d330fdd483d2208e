#include "gateway/cli/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace cli {

namespace {

absl::Status Cannot(const char* what, const std::string& path) {
  return absl::InvalidArgumentError(
      absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(errno)));
}

bool WriteAll(int file, const std::string& text) {
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(file, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    written += static_cast<size_t>(count);
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path)) {
    if (errno == 0) errno = EISDIR;
    return Cannot("read", path);
  }
  text << in.rdbuf();
  if (in.bad()) return Cannot("read", path);
  return text.str();
}

absl::Status WriteFile(const std::string& path, const std::string& text, Secrecy secrecy) {
  const std::string fresh = absl::StrCat(path, ".", getpid(), ".new");
  const mode_t mode = secrecy == Secrecy::kSecret ? 0600 : 0666;
  const int file = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return Cannot("write", path);
  const bool written = WriteAll(file, text) && fsync(file) == 0;
  absl::Status status = written ? absl::OkStatus() : Cannot("write", path);
  close(file);
  if (status.ok() && std::rename(fresh.c_str(), path.c_str()) != 0) status = Cannot("write", path);
  if (!status.ok()) unlink(fresh.c_str());
  return status;
}

}  // namespace cli
