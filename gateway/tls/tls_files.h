// TlsFiles: the certificate, the key and the client authorities of a server, read from files and
// read again when they change. A change that does not fit (half written, expired, a key of another
// certificate) leaves the old ones in use and is logged once.
//
// Thread-safety: thread-safe. Listeners are called on the thread that reloads.
//
// Example:
//   ASSIGN_OR_RETURN(auto files, tls::TlsFiles::Load({.certificate_file = "server.pem",
//                                                     .key_file = "server.key"}, clock));
//   files->OnChange([](const tls::Material& material) { ... });
//   files->Reload();   // every few seconds, and on SIGHUP
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gateway/tls/certificates.h"
#include "orchestrator/base/clock.h"

namespace tls {

struct TlsOptions {
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;               // empty: client certificates are not asked for
  bool require_client_certificate = false;  // else they are checked when shown
};

class TlsFiles {
 public:
  // INVALID_ARGUMENT names the file and what is wrong with it.
  static absl::StatusOr<std::unique_ptr<TlsFiles>> Load(TlsOptions options, base::Clock& clock);

  const TlsOptions& options() const { return options_; }
  std::shared_ptr<const Material> current() const;
  // Before the first Reload: called with what is new.
  void OnChange(std::function<void(const Material&)> listener);
  // Reads the files again. True: they had changed and are in use now. An error is logged too, once
  // for each kind; the old ones stay.
  absl::StatusOr<bool> Reload();

 private:
  TlsFiles(TlsOptions options, base::Clock& clock) : options_(std::move(options)), clock_(clock) {}

  const TlsOptions options_;
  base::Clock& clock_;
  std::vector<std::function<void(const Material&)>> listeners_;
  absl::Mutex reload_mu_;  // one reload at a time
  std::string last_error_ ABSL_GUARDED_BY(reload_mu_);
  mutable absl::Mutex mu_;
  std::shared_ptr<const Material> current_ ABSL_GUARDED_BY(mu_);
};

}  // namespace tls
