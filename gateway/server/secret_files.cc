#include "gateway/server/secret_files.h"

#include <prometheus/counter.h>

#include <atomic>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/log.h"

namespace server {
namespace {

constexpr size_t kSecretBytesMax = 64 * 1024;

}  // namespace

std::string ReadSecret(const std::string& path, bool blanks, std::string* problem) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || in.bad()) {
    *problem = absl::StrCat("cannot read ", path);
    return "";
  }
  if (text.str().size() > kSecretBytesMax) {
    *problem = absl::StrCat(path, " is larger than ", kSecretBytesMax, " bytes");
    return "";
  }
  std::string value(absl::StripAsciiWhitespace(text.str()));
  if (value.empty()) {
    *problem = absl::StrCat(path, " is empty");
  } else if (!blanks && value.find_first_of(" \t\r\n") != std::string::npos) {
    *problem = absl::StrCat(path, " must not hold blanks or line ends within the secret");
    value.clear();
  }
  return value;
}

// Shared with the posted checks, which may outlive the SecretFiles.
struct SecretFiles::State : std::enable_shared_from_this<SecretFiles::State> {
  State(base::EventLoop& on, std::vector<SecretFile> list, absl::Duration every,
        base::Metrics& counted)
      : loop(on), files(std::move(list)), recheck(every), metrics(counted) {}

  void Arm() {
    loop.PostAfter(recheck, [self = shared_from_this()] {
      if (self->stopped) return;
      self->Check();
      self->Arm();
    });
  }

  void Check() {
    for (const SecretFile& file : files) {
      std::string problem;
      const std::string value = ReadSecret(file.path, file.blanks, &problem);
      if (!problem.empty()) {
        if (std::exchange(problems[file.path], problem) != problem) {
          base::Log(base::LogLevel::kWarning, "a secret cannot be read again; the old one stays",
                    {}, {{"key", file.key}, {"problem", problem}});
        }
        continue;
      }
      problems.erase(file.path);
      if (value == file.secret.value()) continue;
      file.secret.Replace(value);
      metrics
          .Counter("secrets_replaced_total", "Secrets that were read again after a change.",
                   {{"key", file.key}})
          .Increment();
      base::Log(base::LogLevel::kInfo, "a secret was replaced", {},
                {{"key", file.key}, {"path", file.path}});
    }
  }

  base::EventLoop& loop;
  const std::vector<SecretFile> files;
  const absl::Duration recheck;
  base::Metrics& metrics;
  std::atomic<bool> stopped{false};
  std::map<std::string, std::string> problems;  // loop only
};

SecretFiles::SecretFiles(base::EventLoop& loop, std::vector<SecretFile> files,
                         absl::Duration recheck, base::Metrics& metrics)
    : state_(std::make_shared<State>(loop, std::move(files), recheck, metrics)) {}

SecretFiles::~SecretFiles() { Stop(); }

void SecretFiles::Start() {
  if (!state_->files.empty()) state_->Arm();
}

void SecretFiles::Check() { state_->Check(); }

void SecretFiles::Stop() { state_->stopped = true; }

}  // namespace server
