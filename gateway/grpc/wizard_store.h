// WizardStore: drafted campaigns in their own SQLite file (WAL, synchronous=FULL). It has one
// thread, so that no caller waits for the disk.
//
// A wizard is `draft`, then `approving` (frozen: its campaign is being started), then `approved`.
// It belongs to a namespace: in another one it is NOT_FOUND. Its etag follows from its revision.
//
// Thread-safety: thread-safe. Callbacks are called exactly once, on the store's thread after the
// commit; after Close, with UNAVAILABLE, on the caller's. Codes: NOT_FOUND, ALREADY_EXISTS (the
// request_id made another wizard), RESOURCE_EXHAUSTED (kWizardsMax), UNAVAILABLE (disk), DATA_LOSS.
//
// Example:
//   ASSIGN_OR_RETURN(auto store, WizardStore::Open(data_dir + "/wizards.db", clock, random));
//   store->Create({.ns = "default", .spec = spec, .request_id = "request-1"},
//                 [](absl::StatusOr<campaign::v1::Wizard> wizard) { ... });
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "campaign/v1/service.pb.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/random.h"
#include "orchestrator/client/client.h"

namespace gateway {

inline constexpr char kWizardDraft[] = "draft";
inline constexpr char kWizardApproving[] = "approving";
inline constexpr char kWizardApproved[] = "approved";
inline constexpr int64_t kWizardsMax = 100'000;

class WizardStore {
 public:
  using Wizard = campaign::v1::Wizard;
  template <typename T>
  using Callback = client::Callback<T>;
  // Changes a wizard in place, or says why not (then nothing is written).
  using Change = absl::AnyInvocable<absl::Status(Wizard&)>;

  static absl::StatusOr<std::unique_ptr<WizardStore>> Open(const std::string& path,
                                                           base::Clock& clock,
                                                           base::Random& random);
  ~WizardStore();  // calls Close

  struct NewWizard {
    std::string ns;
    campaign::v1::CampaignSpec spec;
    std::string request_id;
    std::string request_digest;  // of the whole request; empty: that of the spec
    std::string created_by;
    std::string cloned_from;
  };
  // With a request_id seen before: the wizard that it made, as it is now.
  void Create(NewWizard wizard, Callback<Wizard> done);
  // What Create with this request_id made, if anything; ALREADY_EXISTS when the digest differs.
  void FindCreated(std::string ns, std::string request_id, std::string request_digest,
                   Callback<std::optional<Wizard>> done);
  void Get(std::string ns, std::string wizard_id, Callback<Wizard> done);
  // INVALID_ARGUMENT for a wrong filter, order or token.
  void List(std::string ns, campaign::v1::ListWizardsRequest request,
            Callback<campaign::v1::ListWizardsResponse> done);
  // Reads, changes and writes in one transaction; `revision` and `updated_at` are the store's.
  void Update(std::string ns, std::string wizard_id, Change change, Callback<Wizard> done);
  // Removes the wizard unless `check` refuses; gives the wizard that was removed.
  void Delete(std::string ns, std::string wizard_id, Change check, Callback<Wizard> done);
  // Finishes what was asked before, then refuses. Idempotent.
  void Close();

 private:
  struct Impl;
  explicit WizardStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway
