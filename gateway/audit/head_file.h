// HeadFile: the end of the trail, kept beside it: a trail whose end was cut off no longer reaches
// it. With a key it carries an HMAC, so that nobody without the key can write one that fits.
//
// It is written after the events are durable, and not synced: after a power cut it may be behind
// the trail, never ahead of it.
//
// Thread-safety: thread-compatible; Read is a pure function of the file.
//
// Example:
//   absl::StatusOr<HeadFile::Content> content = HeadFile::Read(path, key);
//   ASSIGN_OR_RETURN(auto file, HeadFile::Open(path, key));
//   RETURN_IF_ERROR(file->Write({.sequence = 17, .hash = hash}));
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/audit/entry.h"

namespace audit {

class HeadFile {
 public:
  struct Content {
    Head head;
    bool is_signed = false;  // with the key that was given
  };

  // NOT_FOUND: there is no file. DATA_LOSS: it was damaged, or changed by somebody without the
  // key, or signed with another. FAILED_PRECONDITION: it is signed, and there is no key to check
  // it. An empty key: none. A file that is not signed is read with a key too, as not signed.
  static absl::StatusOr<Content> Read(const std::string& path, const std::string& key);

  static absl::StatusOr<std::unique_ptr<HeadFile>> Open(const std::string& path, std::string key);
  ~HeadFile();
  HeadFile(const HeadFile&) = delete;
  HeadFile& operator=(const HeadFile&) = delete;

  absl::Status Write(const Head& head);

 private:
  HeadFile(int fd, std::string path, std::string key)
      : fd_(fd), path_(std::move(path)), key_(std::move(key)) {}

  const int fd_;
  const std::string path_;
  const std::string key_;
};

}  // namespace audit
