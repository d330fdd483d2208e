#include "gateway/tls/tls_files.h"

#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"

namespace tls {

namespace {

constexpr size_t kFileBytesMax = 4 << 20;

absl::StatusOr<std::string> ReadFile(const std::string& setting, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::InvalidArgumentError(absl::StrCat(setting, ": cannot read ", path));
  }
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.size() > kFileBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(setting, ": ", path, " is too large"));
  }
  return text;
}

absl::StatusOr<Material> ReadMaterial(const TlsOptions& options, absl::Time now) {
  if (options.key_file.empty()) {
    return absl::InvalidArgumentError(
        "server.tls.certificate_file is set, and server.tls.key_file is not");
  }
  Material material;
  ASSIGN_OR_RETURN(material.certificate,
                   ReadFile("server.tls.certificate_file", options.certificate_file));
  ASSIGN_OR_RETURN(material.key, ReadFile("server.tls.key_file", options.key_file));
  if (!options.client_ca_file.empty()) {
    ASSIGN_OR_RETURN(material.client_ca,
                     ReadFile("server.tls.client_ca_file", options.client_ca_file));
    if (material.client_ca.empty()) {  // an empty text would mean: ask for none
      return absl::InvalidArgumentError(
          absl::StrCat("server.tls.client_ca_file: ", options.client_ca_file, " is empty"));
    }
  }
  const absl::Status status = Check(now, &material);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("TLS: ", std::string(status.message()), " (certificate ",
                     options.certificate_file, ", key ", options.key_file,
                     options.client_ca_file.empty()
                         ? ""
                         : absl::StrCat(", client authorities ", options.client_ca_file),
                     ")"));
  }
  return material;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsFiles>> TlsFiles::Load(TlsOptions options, base::Clock& clock) {
  if (options.require_client_certificate && options.client_ca_file.empty()) {
    return absl::InvalidArgumentError(
        "server.tls.require_client_certificate needs server.tls.client_ca_file");
  }
  ASSIGN_OR_RETURN(Material material, ReadMaterial(options, clock.Now()));
  std::unique_ptr<TlsFiles> files(new TlsFiles(std::move(options), clock));
  absl::MutexLock lock(&files->mu_);
  files->current_ = std::make_shared<const Material>(std::move(material));
  return files;
}

std::shared_ptr<const Material> TlsFiles::current() const {
  absl::MutexLock lock(&mu_);
  return current_;
}

void TlsFiles::OnChange(std::function<void(const Material&)> listener) {
  listeners_.push_back(std::move(listener));
}

absl::StatusOr<bool> TlsFiles::Reload() {
  absl::MutexLock reload(&reload_mu_);
  absl::StatusOr<Material> material = ReadMaterial(options_, clock_.Now());
  if (!material.ok()) {
    const std::string error(material.status().message());
    if (error != last_error_) {
      base::Log(base::LogLevel::kError, "certificates cannot be used; the old ones stay", {},
                {{"error", error}});
    }
    last_error_ = error;
    return material.status();
  }
  last_error_.clear();
  const auto next = std::make_shared<const Material>(*std::move(material));
  {
    absl::MutexLock lock(&mu_);
    if (next->SameTexts(*current_)) return false;
    current_ = next;
  }
  for (const auto& listener : listeners_) listener(*next);
  base::Log(base::LogLevel::kInfo, "certificates were read again", {},
            {{"certificate_file", options_.certificate_file},
             {"not_after", absl::FormatTime(next->not_after)}});
  return true;
}

}  // namespace tls
