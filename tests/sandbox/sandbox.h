// The whole sandbox without sockets: takes a request, finds the vendor, lets faults strike, gives
// a reply. State changes are in the store when Handle returns and durable after Commit.
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   Sandbox sandbox;
//   absl::Status status = sandbox.Open("/tmp/sandbox");
//   Reply reply = sandbox.Handle(MakeRequest("GET", "/__sandbox/healthz"));
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/sandbox/call_log.h"
#include "tests/sandbox/faults.h"
#include "tests/sandbox/hooks.h"
#include "tests/sandbox/http.h"
#include "tests/sandbox/store.h"
#include "tests/sandbox/vendor.h"

namespace sandbox {

class Admin;

class Sandbox {
 public:
  Sandbox();
  ~Sandbox();

  // Empty directory = state in memory only. Errors as of Store::Open.
  absl::Status Open(const std::string& data_directory);

  Reply Handle(const Request& request);

  bool has_uncommitted() const { return store_.has_uncommitted(); }
  absl::Status Commit() { return store_.Commit(); }

  // Webhooks that are to be sent now, each once; and how one ended.
  std::vector<HookRequest> TakeHooks() { return Hooks(store_).Take(); }
  void HookDone(const std::string& id, int status, const std::string& answer) {
    Hooks(store_).Done(id, status, answer);
  }

  // Forgets everything but what the sandbox comes with, and where webhooks go.
  void Reset();

  Store& store() { return store_; }
  Faults& faults() { return *faults_; }
  CallLog& calls() { return calls_; }
  const std::vector<std::unique_ptr<Vendor>>& vendors() const { return vendors_; }

 private:
  Vendor* VendorOf(const Request& request) const;
  Reply HandleVendor(Vendor& vendor, const Request& request);

  Store store_;
  CallLog calls_;
  std::vector<std::unique_ptr<Vendor>> vendors_;
  std::unique_ptr<Faults> faults_;
  std::unique_ptr<Admin> admin_;
};

}  // namespace sandbox
