// Secrets that were read from files (NAME_FILE, token_file) are read again when the files change:
// a rotated token is used without a restart. A file that is gone, empty or wrong keeps the value
// that was read last, and says so in the log once.
//
// Thread-safety: Start and Stop on any thread; the files are read on the given loop.
//
// Example:
//   SecretFiles files(loop, settings.secret_files, absl::Seconds(10), metrics);
//   files.Start();
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/secret.h"

namespace server {

// Where a secret's value came from.
struct SecretFile {
  std::string key;  // "vendors.slack.token"
  std::string path;
  base::Secret secret;
  bool blanks = false;  // it may hold them
};

// The secret in a file: its text without white space around it; "" and the problem when there is
// none.
std::string ReadSecret(const std::string& path, bool blanks, std::string* problem);

class SecretFiles {
 public:
  SecretFiles(base::EventLoop& loop, std::vector<SecretFile> files, absl::Duration recheck,
              base::Metrics& metrics);
  ~SecretFiles();

  void Start();
  // Looks at every file now, on the calling thread (the loop's).
  void Check();
  void Stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace server
