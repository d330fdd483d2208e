#include "gateway/audit/head_file.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace audit {
namespace {

// One line of a fixed length, so that a write replaces all of it:
// "campaignd-audit-head-1 00000000000000000017:HASH hmac-sha256:MAC\n".
constexpr absl::string_view kName = "campaignd-audit-head-1";
constexpr absl::string_view kSigned = "hmac-sha256";
constexpr absl::string_view kPlain = "sha256-sum0";
constexpr size_t kBytesMax = 512;

std::string Mac(const std::string& key, absl::string_view text) {
  const std::string covered = absl::StrCat("campaignd audit head 1\n", std::string(text));
  return absl::BytesToHexString(key.empty() ? Sha256(covered) : HmacSha256(key, covered));
}

std::string Line(const Head& head, const std::string& key) {
  const std::string text =
      absl::StrFormat("%020d:%s", head.sequence, absl::BytesToHexString(head.hash));
  return absl::StrCat(std::string(kName), " ", text, " ",
                      std::string(key.empty() ? kPlain : kSigned), ":", Mac(key, text), "\n");
}

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(path, ": ", std::string(what)));
}

bool Same(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

absl::StatusOr<HeadFile::Content> HeadFile::Read(const std::string& path, const std::string& key) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return absl::NotFoundError(absl::StrCat("there is no ", path));
    return absl::UnavailableError(absl::StrCat("opening ", path, ": ", strerror(errno)));
  }
  char bytes[kBytesMax];
  const ssize_t size = read(fd, bytes, sizeof bytes);
  close(fd);
  if (size < 0) return absl::UnavailableError(absl::StrCat("reading ", path, " failed"));
  const std::string line(bytes, static_cast<size_t>(size));
  const std::vector<std::string> words =
      absl::StrSplit(absl::string_view(line).substr(0, line.find('\n')), ' ');
  if (words.size() != 3 || words[0] != kName) return Damaged(path, "is not a head file, or torn");
  const std::pair<std::string, std::string> mac = absl::StrSplit(words[2], absl::MaxSplits(':', 1));
  const std::optional<Head> head = ParseHead(words[1]);
  if (!head.has_value()) return Damaged(path, "does not hold a head");
  if (mac.first == kPlain) {
    if (!Same(mac.second, Mac("", words[1]))) return Damaged(path, "its check sum is wrong");
    return Content{.head = *head, .is_signed = false};
  }
  if (mac.first != kSigned) return Damaged(path, "is signed in an unknown way");
  if (key.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is signed: the key (setting audit.key) is needed to check it"));
  }
  if (!Same(mac.second, Mac(key, words[1]))) {
    return Damaged(path, "its signature is wrong: it was changed, or signed with another key");
  }
  return Content{.head = *head, .is_signed = true};
}

absl::StatusOr<std::unique_ptr<HeadFile>> HeadFile::Open(const std::string& path, std::string key) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return absl::UnavailableError(absl::StrCat("opening ", path, ": ", strerror(errno)));
  }
  return std::unique_ptr<HeadFile>(new HeadFile(fd, path, std::move(key)));
}

HeadFile::~HeadFile() { close(fd_); }

absl::Status HeadFile::Write(const Head& head) {
  const std::string line = Line(head, key_);
  if (pwrite(fd_, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
    return absl::UnavailableError(absl::StrCat("writing ", path_, ": ", strerror(errno)));
  }
  return absl::OkStatus();
}

}  // namespace audit
