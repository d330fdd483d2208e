#include "gateway/grpc/operations_store.h"

#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/grpc/operations_database.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/disk_thread.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

constexpr int kPageSizeDefault = 50;
constexpr char kKillSwitchSubject[] = "kill-switch";

const char* ActionOf(outbound::BreakerForce force) {
  switch (force) {
    case outbound::BreakerForce::kOpen:
      return "force-open";
    case outbound::BreakerForce::kClosed:
      return "force-close";
    case outbound::BreakerForce::kNone:
      return "reset";
  }
  return "reset";
}

}  // namespace

struct OperationsStore::Impl {
  Impl(base::Clock& clock_in, outbound::KillSwitch& kill_switch_in, outbound::Breakers& breakers_in)
      : clock(clock_in),
        kill_switch(kill_switch_in),
        breakers(breakers_in),
        thread(clock_in, "operations") {}

  campaign::v1::OperatorChange MakeChange(const std::string& by, const std::string& subject,
                                          const std::string& action, const std::string& reason);
  absl::StatusOr<outbound::KillSwitchState> SetKillSwitch(bool on, const std::string& by,
                                                          const std::string& reason);
  absl::StatusOr<outbound::BreakerStatus> Force(const std::string& service,
                                                outbound::BreakerForce force, const std::string& by,
                                                const std::string& reason);
  absl::StatusOr<Changes> ListChanges(int page_size, const std::string& page_token);

  base::Clock& clock;
  outbound::KillSwitch& kill_switch;
  outbound::Breakers& breakers;
  OperationsDatabase database;
  outbound::KillSwitchState stored;  // the store's thread only
  database::DiskThread thread;
};

campaign::v1::OperatorChange OperationsStore::Impl::MakeChange(const std::string& by,
                                                               const std::string& subject,
                                                               const std::string& action,
                                                               const std::string& reason) {
  campaign::v1::OperatorChange change;
  *change.mutable_time() = history::ToProto(clock.Now());
  change.set_identity(by);
  change.set_subject(subject);
  change.set_action(action);
  change.set_reason(reason);
  return change;
}

absl::StatusOr<outbound::KillSwitchState> OperationsStore::Impl::SetKillSwitch(
    bool on, const std::string& by, const std::string& reason) {
  if (stored.on != on) {
    const outbound::KillSwitchState state{
        .on = on, .reason = reason, .changed_by = by, .changed_at = clock.Now()};
    absl::Status saved = database.SaveKillSwitch(
        state, MakeChange(by, kKillSwitchSubject, on ? "on" : "off", reason));
    if (!saved.ok()) {
      if (!on) return saved;
      return absl::UnavailableError(absl::StrCat(
          "the kill switch is on, but only until the server ends, for its order could not be "
          "stored: ",
          std::string(saved.message())));
    }
    stored = state;
  }
  kill_switch.Set(stored);
  return stored;
}

absl::StatusOr<outbound::BreakerStatus> OperationsStore::Impl::Force(const std::string& service,
                                                                     outbound::BreakerForce force,
                                                                     const std::string& by,
                                                                     const std::string& reason) {
  RETURN_IF_ERROR(breakers.Get(service).status());
  RETURN_IF_ERROR(database.SaveBreaker(
      service, {.force = force, .by = by, .reason = reason},
      MakeChange(by, absl::StrCat("breaker ", service), ActionOf(force), reason)));
  base::Log(base::LogLevel::kWarning, "an operator changed a circuit breaker", {},
            {{"service", service}, {"action", ActionOf(force)}, {"by", by}, {"reason", reason}});
  return breakers.Force(service, force, by, reason);
}

absl::StatusOr<OperationsStore::Changes> OperationsStore::Impl::ListChanges(
    int page_size, const std::string& page_token) {
  if (page_size == 0) page_size = kPageSizeDefault;
  int64_t before_id = std::numeric_limits<int64_t>::max();
  if (!page_token.empty() && !absl::SimpleAtoi(page_token, &before_id)) {
    return FieldError("page_token", "is not a token that this service gave");
  }
  ASSIGN_OR_RETURN(auto changes, database.Changes(before_id, page_size + 1));
  Changes response;
  const bool more = changes.size() > static_cast<size_t>(page_size);
  if (more) changes.pop_back();
  for (auto& change : changes) *response.add_changes() = std::move(change);
  if (more) response.set_next_page_token(absl::StrCat(response.changes().rbegin()->id()));
  return response;
}

OperationsStore::OperationsStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<OperationsStore>> OperationsStore::Open(
    const std::string& path, base::Clock& clock, outbound::KillSwitch& kill_switch,
    outbound::Breakers& breakers) {
  auto impl = std::make_unique<Impl>(clock, kill_switch, breakers);
  RETURN_IF_ERROR(impl->database.Open(path));
  ASSIGN_OR_RETURN(impl->stored, impl->database.LoadKillSwitch());
  if (impl->stored.changed_at != absl::InfinitePast()) kill_switch.Set(impl->stored);
  ASSIGN_OR_RETURN(const auto orders, impl->database.LoadBreakers());
  for (const auto& [service, order] : orders) {
    breakers.Restore(service, order.force, order.by, order.reason);
  }
  impl->thread.Start();
  return std::unique_ptr<OperationsStore>(new OperationsStore(std::move(impl)));
}

OperationsStore::~OperationsStore() { Close(); }

void OperationsStore::Close() { impl_->thread.Close(); }

void OperationsStore::SetKillSwitch(bool on, std::string by, std::string reason,
                                    client::Callback<outbound::KillSwitchState> done) {
  // At once: what must stop does not wait for the disk.
  if (on && !impl_->kill_switch.on()) {
    impl_->kill_switch.Set(
        {.on = true, .reason = reason, .changed_by = by, .changed_at = impl_->clock.Now()});
  }
  impl_->thread.Run(std::move(done),
                    [impl = impl_.get(), on, by = std::move(by), reason = std::move(reason)] {
                      return impl->SetKillSwitch(on, by, reason);
                    });
}

void OperationsStore::Force(std::string service, outbound::BreakerForce force, std::string by,
                            std::string reason, client::Callback<outbound::BreakerStatus> done) {
  impl_->thread.Run(std::move(done), [impl = impl_.get(), service = std::move(service), force,
                                      by = std::move(by), reason = std::move(reason)] {
    return impl->Force(service, force, by, reason);
  });
}

void OperationsStore::ListChanges(int page_size, std::string page_token,
                                  client::Callback<Changes> done) {
  impl_->thread.Run(std::move(done),
                    [impl = impl_.get(), page_size, page_token = std::move(page_token)] {
                      return impl->ListChanges(page_size, page_token);
                    });
}

}  // namespace gateway
