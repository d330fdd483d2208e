// Archive: closed runs as files, for good. A file holds the exported histories of some runs one
// after another, each as a gzip member of its own (`zcat` and `gunzip` read the whole file):
//
//   <directory>/2026-11/runs-20261121T133000.123456-1.jsonl.gz
//
// A file is there whole or not at all, and what Write answered OK survives a power cut.
//
// Thread-safety: externally synchronised. Blocks on the disk.
//
// Example:
//   engine::Archive archive("/var/lib/campaignd/archive");
//   RETURN_IF_ERROR(archive.Write(close_time, now, {text_of_one_run}).status());
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace engine {

class Archive {
 public:
  explicit Archive(std::string directory) : directory_(std::move(directory)) {}

  struct Written {
    std::string path;
    int64_t bytes = 0;
  };
  // Files of the month (UTC) of `closed`; `now` makes the name. Never replaces a file. UNAVAILABLE
  // names the path and what the system says; then nothing was written that looks like a file.
  absl::StatusOr<Written> Write(absl::Time closed, absl::Time now,
                                const std::vector<std::string>& texts);

 private:
  const std::string directory_;
  int64_t last_number_ = 0;
};

// One gzip member.
absl::StatusOr<std::string> Gzip(const std::string& text);

}  // namespace engine
