#include "gateway/grpc/wizard_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/ids.h"
#include "gateway/grpc/wizard_database.h"
#include "gateway/grpc/wizard_query.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/disk_thread.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

using Wizard = campaign::v1::Wizard;
using campaign::v1::ListWizardsResponse;

constexpr int kPageSizeDefault = 50;

// Opaque to callers; another one after every change.
Wizard WithEtag(Wizard wizard) {
  wizard.set_etag(HashHex(absl::StrCat(wizard.wizard_id(), "/", wizard.revision())));
  return wizard;
}

}  // namespace

struct WizardStore::Impl {
  Impl(base::Clock& clock_in, base::Random& random_in)
      : clock(clock_in), random(random_in), thread(clock_in, "wizards") {}

  absl::StatusOr<Wizard> Create(NewWizard made);
  absl::StatusOr<std::optional<Wizard>> FindCreated(const std::string& ns,
                                                    const std::string& request_id,
                                                    const std::string& request_digest);
  absl::StatusOr<Wizard> Get(const std::string& ns, const std::string& wizard_id);
  absl::StatusOr<ListWizardsResponse> List(const std::string& ns,
                                           const campaign::v1::ListWizardsRequest& request);
  absl::StatusOr<Wizard> Update(const std::string& ns, const std::string& wizard_id,
                                Change& change);
  absl::StatusOr<Wizard> Delete(const std::string& ns, const std::string& wizard_id, Change& check);

  base::Clock& clock;
  base::Random& random;
  WizardDatabase database;
  database::DiskThread thread;
};

absl::StatusOr<std::optional<Wizard>> WizardStore::Impl::FindCreated(
    const std::string& ns, const std::string& request_id, const std::string& request_digest) {
  if (request_id.empty()) return std::optional<Wizard>();
  ASSIGN_OR_RETURN(auto before, database.FindByRequest(ns, request_id));
  if (!before.has_value()) return std::optional<Wizard>();
  if (before->request_digest != request_digest) {
    return absl::AlreadyExistsError(absl::StrCat("request_id ", request_id, " made wizard ",
                                                 before->wizard.wizard_id(),
                                                 " from another campaign; use a fresh request_id"));
  }
  return std::optional<Wizard>(WithEtag(std::move(before->wizard)));
}

absl::StatusOr<Wizard> WizardStore::Impl::Create(NewWizard made) {
  if (made.request_digest.empty()) made.request_digest = HashHex(made.spec.SerializeAsString());
  ASSIGN_OR_RETURN(auto before, FindCreated(made.ns, made.request_id, made.request_digest));
  if (before.has_value()) return *std::move(before);
  ASSIGN_OR_RETURN(const int64_t count, database.Count());
  if (count >= kWizardsMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ", count, " wizards, the most there may be"));
  }
  Wizard wizard;
  wizard.set_wizard_id(absl::StrCat("wz-", RandomHex(random)));
  *wizard.mutable_campaign() = std::move(made.spec);
  wizard.set_status(kWizardDraft);
  wizard.set_revision(1);
  wizard.set_namespace_(made.ns);
  wizard.set_created_by(made.created_by);
  wizard.set_cloned_from(made.cloned_from);
  *wizard.mutable_created_at() = history::ToProto(clock.Now());
  *wizard.mutable_updated_at() = wizard.created_at();
  RETURN_IF_ERROR(database.Insert(wizard, made.request_id, made.request_digest));
  return WithEtag(std::move(wizard));
}

absl::StatusOr<Wizard> WizardStore::Impl::Get(const std::string& ns, const std::string& wizard_id) {
  ASSIGN_OR_RETURN(Wizard wizard, database.Load(ns, wizard_id));
  return WithEtag(std::move(wizard));
}

absl::StatusOr<ListWizardsResponse> WizardStore::Impl::List(
    const std::string& ns, const campaign::v1::ListWizardsRequest& request) {
  const int page_size = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  ASSIGN_OR_RETURN(const WizardQuery query, WizardQuery::Parse(ns, request));
  ASSIGN_OR_RETURN(std::vector<Wizard> wizards, database.Page(query, page_size + 1));
  ListWizardsResponse response;
  const bool more = wizards.size() > static_cast<size_t>(page_size);
  if (more) wizards.pop_back();
  for (Wizard& wizard : wizards) *response.add_wizards() = WithEtag(std::move(wizard));
  if (more) response.set_next_page_token(query.TokenAfter(*response.wizards().rbegin()));
  return response;
}

absl::StatusOr<Wizard> WizardStore::Impl::Update(const std::string& ns,
                                                 const std::string& wizard_id, Change& change) {
  // The store's thread is the only writer: reading and writing back is atomic by that.
  ASSIGN_OR_RETURN(Wizard wizard, Get(ns, wizard_id));
  const std::string before = wizard.SerializeAsString();
  RETURN_IF_ERROR(change(wizard));
  if (wizard.SerializeAsString() == before) return wizard;
  wizard.set_revision(wizard.revision() + 1);
  *wizard.mutable_updated_at() = history::ToProto(clock.Now());
  wizard.clear_etag();
  RETURN_IF_ERROR(database.Save(wizard));
  return WithEtag(std::move(wizard));
}

absl::StatusOr<Wizard> WizardStore::Impl::Delete(const std::string& ns,
                                                 const std::string& wizard_id, Change& check) {
  ASSIGN_OR_RETURN(Wizard wizard, Get(ns, wizard_id));
  RETURN_IF_ERROR(check(wizard));
  RETURN_IF_ERROR(database.Delete(ns, wizard_id));
  return wizard;
}

WizardStore::WizardStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<WizardStore>> WizardStore::Open(const std::string& path,
                                                               base::Clock& clock,
                                                               base::Random& random) {
  auto impl = std::make_unique<Impl>(clock, random);
  RETURN_IF_ERROR(impl->database.Open(path));
  impl->thread.Start();
  return std::unique_ptr<WizardStore>(new WizardStore(std::move(impl)));
}

WizardStore::~WizardStore() { Close(); }

void WizardStore::Close() { impl_->thread.Close(); }

void WizardStore::Create(NewWizard wizard, Callback<Wizard> done) {
  impl_->thread.Run(std::move(done), [impl = impl_.get(), wizard = std::move(wizard)]() mutable {
    return impl->Create(std::move(wizard));
  });
}

void WizardStore::FindCreated(std::string ns, std::string request_id, std::string request_digest,
                              Callback<std::optional<Wizard>> done) {
  impl_->thread.Run(std::move(done),
                    [impl = impl_.get(), ns = std::move(ns), request_id = std::move(request_id),
                     request_digest = std::move(request_digest)] {
                      return impl->FindCreated(ns, request_id, request_digest);
                    });
}

void WizardStore::Get(std::string ns, std::string wizard_id, Callback<Wizard> done) {
  impl_->thread.Run(std::move(done),
                    [impl = impl_.get(), ns = std::move(ns), wizard_id = std::move(wizard_id)] {
                      return impl->Get(ns, wizard_id);
                    });
}

void WizardStore::List(std::string ns, campaign::v1::ListWizardsRequest request,
                       Callback<ListWizardsResponse> done) {
  impl_->thread.Run(std::move(done),
                    [impl = impl_.get(), ns = std::move(ns), request = std::move(request)] {
                      return impl->List(ns, request);
                    });
}

void WizardStore::Update(std::string ns, std::string wizard_id, Change change,
                         Callback<Wizard> done) {
  impl_->thread.Run(
      std::move(done),
      [impl = impl_.get(), ns = std::move(ns), wizard_id = std::move(wizard_id),
       change = std::move(change)]() mutable { return impl->Update(ns, wizard_id, change); });
}

void WizardStore::Delete(std::string ns, std::string wizard_id, Change check,
                         Callback<Wizard> done) {
  impl_->thread.Run(
      std::move(done),
      [impl = impl_.get(), ns = std::move(ns), wizard_id = std::move(wizard_id),
       check = std::move(check)]() mutable { return impl->Delete(ns, wizard_id, check); });
}

}  // namespace gateway
