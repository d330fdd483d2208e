#include "activities/connectors/assets/asset_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "activities/connectors/assets/content_type.h"
#include "activities/connectors/wire/text.h"

namespace assets {
namespace {

namespace fs = std::filesystem;

// Files that are being written; its name cannot be part of a key.
constexpr std::string_view kTempDirectory = ".incoming";

base::Failure Invalid(std::string message) {
  return base::Failure::Permanent("InvalidAsset", std::move(message));
}

// No room, or nothing can be written: that is over when an operator has seen to it, and no fault of
// the campaign. It waits and uses no attempt.
constexpr absl::Duration kFullDiskPause = absl::Seconds(5);

base::Failure Storage(std::string_view what, std::string_view path, int error) {
  std::string message = wire::Cat("asset store: ", what, " ", path, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EROFS) {
    return base::Failure::NotAttempted("StorageFull", std::move(message), kFullDiskPause);
  }
  return base::Failure::Retryable("StorageFailed", std::move(message));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool Close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

bool SyncDirectory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return directory.get() >= 0 && ::fsync(directory.get()) == 0;
}

std::string ParentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Makes `path` and what is missing above it, each synced into its parent. False with errno set.
bool MakeDirectories(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return SyncDirectory(ParentOf(path));
  if (errno == EEXIST) return true;
  if (errno != ENOENT || path.rfind('/') == 0 || path.rfind('/') == std::string::npos) return false;
  if (!MakeDirectories(ParentOf(path))) return false;
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return false;
  return SyncDirectory(ParentOf(path));
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// A new file with `bytes`, synced. False with errno set.
bool WriteNewFile(const std::string& path, std::string_view bytes) {
  Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (file.get() < 0) return false;
  return WriteAll(file.get(), bytes) && ::fsync(file.get()) == 0 && file.Close();
}

bool IsKeyPart(std::string_view part) {
  return !part.empty() && part.front() != '.' && std::all_of(part.begin(), part.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

std::string Absolute(std::string path) {
  std::error_code ignored;
  std::string absolute = fs::absolute(path, ignored).lexically_normal().string();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  return absolute;
}

}  // namespace

std::string KeyProblem(std::string_view key) {
  if (key.empty()) return "the key is empty";
  if (key.size() > kKeyBytesMax) {
    return wire::Cat("the key is longer than ", kKeyBytesMax, " bytes");
  }
  for (size_t start = 0; start <= key.size();) {
    const size_t end = std::min(key.find('/', start), key.size());
    const std::string_view part = key.substr(start, end - start);
    start = end + 1;
    if (!IsKeyPart(part)) {
      return "a key has parts of letters, digits, '.', '_' and '-', none empty "
             "or beginning with "
             "'.'";
    }
  }
  return "";
}

AssetFiles::AssetFiles(std::string directory) : directory_(Absolute(std::move(directory))) {}

std::string AssetFiles::PathOf(std::string_view key) const {
  return wire::Cat(directory_, "/", key);
}

base::Outcome<std::string> AssetFiles::Write(std::string key, std::string_view bytes) {
  if (std::string problem = KeyProblem(key); !problem.empty()) return Invalid(std::move(problem));
  if (bytes.size() > kAssetBytesMax) {
    return Invalid(wire::Cat(key, " has ", bytes.size(), " bytes; the limit is ", kAssetBytesMax));
  }
  std::string type = DetectContentType(bytes);
  if (type.empty()) return Invalid(wire::Cat(key, " is no PNG, JPEG, SVG or PDF"));

  const std::string path = PathOf(key);
  const std::string temp = wire::Cat(directory_, "/", kTempDirectory, "/", ::getpid(), "-",
                                     reinterpret_cast<uintptr_t>(this), "-", ++temp_count_);
  if (!MakeDirectories(ParentOf(temp))) return Storage("cannot make", ParentOf(temp), errno);
  if (!WriteNewFile(temp, bytes)) {
    const int error = errno;
    ::unlink(temp.c_str());
    return Storage("cannot write", temp, error);
  }
  // Another process may remove the directory when it becomes empty, between our two calls.
  bool renamed = false;
  for (int tries = 0; tries < 3 && !renamed; ++tries) {
    if (!MakeDirectories(ParentOf(path))) break;
    renamed = ::rename(temp.c_str(), path.c_str()) == 0;
    if (!renamed && errno != ENOENT) break;
  }
  if (!renamed || !SyncDirectory(ParentOf(path))) {
    const int error = errno;
    ::unlink(temp.c_str());
    return Storage("cannot store", path, error);
  }
  return type;
}

base::Outcome<std::optional<AssetContent>> AssetFiles::Read(std::string key) const {
  if (std::string problem = KeyProblem(key); !problem.empty()) return Invalid(std::move(problem));
  const std::string path = PathOf(key);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<AssetContent>();
    return Storage("cannot open", path, errno);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return Storage("cannot read", path, errno);
  if (!S_ISREG(status.st_mode)) return std::optional<AssetContent>();
  AssetContent content;
  content.bytes.resize(std::min<size_t>(static_cast<size_t>(status.st_size), kAssetBytesMax));
  size_t filled = 0;
  while (filled < content.bytes.size()) {
    const ssize_t got =
        ::read(file.get(), content.bytes.data() + filled, content.bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Storage("cannot read", path, errno);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  content.bytes.resize(filled);
  content.content_type = DetectContentType(content.bytes);
  return std::optional<AssetContent>(std::move(content));
}

base::Outcome<bool> AssetFiles::Remove(std::string key) {
  if (std::string problem = KeyProblem(key); !problem.empty()) return Invalid(std::move(problem));
  const std::string path = PathOf(key);
  if (::unlink(path.c_str()) != 0) {
    // EISDIR: the key names a directory of other keys; there is no such asset.
    if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return false;
    return Storage("cannot remove", path, errno);
  }
  std::string parent = ParentOf(path);
  while (parent.size() > directory_.size() && ::rmdir(parent.c_str()) == 0) {
    parent = ParentOf(parent);
  }
  if (!SyncDirectory(parent) && errno != ENOENT) return Storage("cannot sync", parent, errno);
  return true;
}

base::Outcome<std::vector<std::string>> AssetFiles::List(std::string prefix) const {
  std::vector<std::string> keys;
  // Only the directory that the prefix names can hold matches.
  std::string start = directory_;
  if (const size_t slash = prefix.rfind('/'); slash != std::string::npos) {
    const std::string_view folder = std::string_view(prefix).substr(0, slash);
    if (std::string problem = KeyProblem(folder); !problem.empty()) {
      return Invalid(std::move(problem));
    }
    start = PathOf(folder);
  }
  std::error_code error;
  fs::recursive_directory_iterator it(start, fs::directory_options::skip_permission_denied, error);
  const fs::recursive_directory_iterator end;
  for (; !error && it != end && keys.size() < kListedMax; it.increment(error)) {
    const std::string key = it->path().string().substr(directory_.size() + 1);
    std::error_code type_error;
    if (key.starts_with(kTempDirectory)) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file(type_error) && key.starts_with(prefix)) {
      keys.push_back(key);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {
    return Storage("cannot list", start, error.value());
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace assets
