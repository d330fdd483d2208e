#include "gateway/grpc/wizard_store.h"

#include <limits>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "gateway/grpc/ids.h"
#include "gateway/grpc/wizard_database.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

using Wizard = campaign::v1::Wizard;
using campaign::v1::ListWizardsResponse;

constexpr int kPageSizeDefault = 50;

struct PageStart {
  int64_t created_us = std::numeric_limits<int64_t>::max();
  std::string wizard_id;
};

std::string PageToken(const Wizard& last) {
  const int64_t created_us = absl::ToUnixMicros(history::FromProto(last.created_at()));
  return absl::WebSafeBase64Escape(absl::StrCat(created_us, "/", last.wizard_id()));
}

absl::StatusOr<PageStart> ParsePageToken(const std::string& token) {
  PageStart start;
  if (token.empty()) return start;
  std::string text;
  std::vector<std::string> parts;
  if (absl::WebSafeBase64Unescape(token, &text)) {
    parts = absl::StrSplit(text, absl::MaxSplits('/', 1));
  }
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &start.created_us)) {
    return FieldError("page_token", "is not a token that this service gave");
  }
  start.wizard_id = parts[1];
  return start;
}

}  // namespace

struct WizardStore::Impl {
  Impl(base::Clock& clock_in, base::Random& random_in)
      : clock(clock_in), random(random_in), loop(clock_in, "wizards") {}

  absl::StatusOr<Wizard> Create(campaign::v1::CampaignSpec spec, const std::string& request_id);
  absl::StatusOr<ListWizardsResponse> List(int page_size, const std::string& page_token);
  absl::StatusOr<Wizard> Update(const std::string& wizard_id, Change& change);

  // Runs `work` on the store's thread and answers with what it returns.
  template <typename T, typename Work>
  void Run(client::Callback<T> done, Work work) {
    {
      absl::ReaderMutexLock lock(&mu);
      if (!closed) {
        loop.Post([done = std::move(done), work = std::move(work)]() mutable { done(work()); });
        return;
      }
    }
    done(absl::UnavailableError("the wizard store is closed; try again"));
  }

  base::Clock& clock;
  base::Random& random;
  WizardDatabase database;
  absl::Mutex mu;
  bool closed ABSL_GUARDED_BY(mu) = false;  // then the loop takes nothing more
  base::EpollLoop loop;
};

absl::StatusOr<Wizard> WizardStore::Impl::Create(campaign::v1::CampaignSpec spec,
                                                 const std::string& request_id) {
  const std::string digest = HashHex(spec.SerializeAsString());
  if (!request_id.empty()) {
    ASSIGN_OR_RETURN(auto before, database.FindByRequest(request_id));
    if (before.has_value()) {
      if (before->request_digest == digest) return std::move(before->wizard);
      return absl::AlreadyExistsError(
          absl::StrCat("request_id ", request_id, " made wizard ", before->wizard.wizard_id(),
                       " from another campaign; use a fresh request_id"));
    }
  }
  ASSIGN_OR_RETURN(const int64_t count, database.Count());
  if (count >= kWizardsMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ", count, " wizards, the most there may be"));
  }
  Wizard wizard;
  wizard.set_wizard_id(absl::StrCat("wz-", RandomHex(random)));
  *wizard.mutable_campaign() = std::move(spec);
  wizard.set_status(kWizardDraft);
  wizard.set_revision(1);
  *wizard.mutable_created_at() = history::ToProto(clock.Now());
  *wizard.mutable_updated_at() = wizard.created_at();
  RETURN_IF_ERROR(database.Insert(wizard, request_id, digest));
  return wizard;
}

absl::StatusOr<ListWizardsResponse> WizardStore::Impl::List(int page_size,
                                                            const std::string& page_token) {
  if (page_size == 0) page_size = kPageSizeDefault;
  ASSIGN_OR_RETURN(const PageStart start, ParsePageToken(page_token));
  ASSIGN_OR_RETURN(std::vector<Wizard> wizards,
                   database.Page(start.created_us, start.wizard_id, page_size + 1));
  ListWizardsResponse response;
  const bool more = wizards.size() > static_cast<size_t>(page_size);
  if (more) wizards.pop_back();
  for (Wizard& wizard : wizards) *response.add_wizards() = std::move(wizard);
  if (more) response.set_next_page_token(PageToken(*response.wizards().rbegin()));
  return response;
}

absl::StatusOr<Wizard> WizardStore::Impl::Update(const std::string& wizard_id, Change& change) {
  // The store's thread is the only writer: reading and writing back is atomic by that.
  ASSIGN_OR_RETURN(Wizard wizard, database.Load(wizard_id));
  const std::string before = wizard.SerializeAsString();
  RETURN_IF_ERROR(change(wizard));
  if (wizard.SerializeAsString() == before) return wizard;
  wizard.set_revision(wizard.revision() + 1);
  *wizard.mutable_updated_at() = history::ToProto(clock.Now());
  RETURN_IF_ERROR(database.Save(wizard));
  return wizard;
}

WizardStore::WizardStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<WizardStore>> WizardStore::Open(const std::string& path,
                                                               base::Clock& clock,
                                                               base::Random& random) {
  auto impl = std::make_unique<Impl>(clock, random);
  RETURN_IF_ERROR(impl->database.Open(path));
  impl->loop.Start();
  return std::unique_ptr<WizardStore>(new WizardStore(std::move(impl)));
}

WizardStore::~WizardStore() { Close(); }

void WizardStore::Close() {
  {
    absl::MutexLock lock(&impl_->mu);
    impl_->closed = true;
  }
  impl_->loop.Stop();  // runs what was posted before
}

void WizardStore::Create(campaign::v1::CampaignSpec spec, std::string request_id,
                         Callback<Wizard> done) {
  impl_->Run(std::move(done), [impl = impl_.get(), spec = std::move(spec),
                               request_id = std::move(request_id)]() mutable {
    return impl->Create(std::move(spec), request_id);
  });
}

void WizardStore::Get(std::string wizard_id, Callback<Wizard> done) {
  impl_->Run(std::move(done), [impl = impl_.get(), wizard_id = std::move(wizard_id)] {
    return impl->database.Load(wizard_id);
  });
}

void WizardStore::List(int page_size, std::string page_token, Callback<ListWizardsResponse> done) {
  impl_->Run(std::move(done), [impl = impl_.get(), page_size, page_token = std::move(page_token)] {
    return impl->List(page_size, page_token);
  });
}

void WizardStore::Update(std::string wizard_id, Change change, Callback<Wizard> done) {
  impl_->Run(std::move(done),
             [impl = impl_.get(), wizard_id = std::move(wizard_id),
              change = std::move(change)]() mutable { return impl->Update(wizard_id, change); });
}

}  // namespace gateway
