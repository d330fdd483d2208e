#include "orchestrator/engine/archive.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"

namespace engine {
namespace {

absl::Status Error(const std::string& action, const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("archive: cannot ", action, " ", path, ": ", std::strerror(errno)));
}

absl::Status SyncFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Error("open", path);
  const bool synced = fsync(fd) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Error("sync", path);
  close(fd);
  return status;
}

absl::Status WriteAll(int fd, const std::string& bytes, const std::string& path) {
  for (size_t written = 0; written < bytes.size();) {
    const ssize_t now = write(fd, bytes.data() + written, bytes.size() - written);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return Error("write", path);
    written += static_cast<size_t>(now);
  }
  return absl::OkStatus();
}

absl::Status WriteDurably(const std::string& path, const std::string& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return Error("create", path);
  absl::Status status = WriteAll(fd, bytes, path);
  if (status.ok() && fsync(fd) != 0) status = Error("sync", path);
  if (close(fd) != 0 && status.ok()) status = Error("close", path);
  return status;
}

}  // namespace

absl::StatusOr<std::string> Gzip(const std::string& text) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;  // zlib.h: 16 more asks for a gzip header
  constexpr int kMemory = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return absl::ResourceExhaustedError("archive: no memory to compress");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) return absl::InternalError("archive: compression did not end");
  return out;
}

absl::StatusOr<Archive::Written> Archive::Write(absl::Time closed, absl::Time now,
                                                const std::vector<std::string>& texts) {
  std::string bytes;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(const std::string member, Gzip(text));
    bytes += member;
  }
  const absl::TimeZone utc = absl::UTCTimeZone();
  const std::string folder = absl::StrCat(directory_, "/", absl::FormatTime("%Y-%m", closed, utc));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("archive: cannot create ", folder, ": ", error.message()));
  }
  const std::string path =
      absl::StrCat(folder, "/runs-", absl::FormatTime("%Y%m%dT%H%M%E6S", now, utc), "-",
                   ++last_number_, ".jsonl.gz");
  // The clock may have stepped back onto a name of an earlier process.
  if (std::filesystem::exists(path, error)) {
    return absl::UnavailableError(absl::StrCat("archive: ", path, " exists; trying another name"));
  }
  const std::string partial = path + ".partial";
  absl::Status status = WriteDurably(partial, bytes);
  if (status.ok() && rename(partial.c_str(), path.c_str()) != 0) status = Error("rename", partial);
  if (!status.ok()) {
    unlink(partial.c_str());
    return status;
  }
  RETURN_IF_ERROR(SyncFolder(folder));
  // The month's folder may be new.
  RETURN_IF_ERROR(SyncFolder(directory_));
  return Written{.path = path, .bytes = static_cast<int64_t>(bytes.size())};
}

}  // namespace engine
