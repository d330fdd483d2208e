// WizardStore: drafted campaigns in their own SQLite file (WAL, synchronous=FULL). It has one
// thread, so that no caller waits for the disk.
//
// A wizard is `draft`, then `approving` (frozen: its campaign is being started), then `approved`.
//
// Thread-safety: thread-safe. Callbacks run on the store's thread, after the commit; each is
// called exactly once (UNAVAILABLE after Close). Codes: NOT_FOUND, ALREADY_EXISTS (the request_id
// made another wizard), RESOURCE_EXHAUSTED (kWizardsMax), UNAVAILABLE (disk), DATA_LOSS.
//
// Example:
//   ASSIGN_OR_RETURN(auto store, WizardStore::Open("/var/lib/campaignd/wizards.db", clock,
//   random)); store->Create(spec, "request-1", [](absl::StatusOr<campaign::v1::Wizard> wizard) {
//   ... });
#pragma once

#include <memory>
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

  // With a request_id seen before: the wizard that it made, as it is now.
  void Create(campaign::v1::CampaignSpec spec, std::string request_id, Callback<Wizard> done);
  void Get(std::string wizard_id, Callback<Wizard> done);
  // Newest first; `page_token` is empty or from the page before.
  void List(int page_size, std::string page_token,
            Callback<campaign::v1::ListWizardsResponse> done);
  // Reads, changes and writes in one transaction; `revision` and `updated_at` are the store's.
  void Update(std::string wizard_id, Change change, Callback<Wizard> done);
  // Finishes what was asked before, then refuses. Idempotent.
  void Close();

 private:
  struct Impl;
  explicit WizardStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway
