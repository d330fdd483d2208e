#include "orchestrator/sdk/context.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "orchestrator/base/check.h"
#include "orchestrator/sdk/instance.h"

namespace sdk {
namespace internal {

const ScopeState* CanceledBy(const ScopeState* scope) {
  while (scope != nullptr && !scope->canceled) scope = scope->parent.get();
  return scope;
}

}  // namespace internal

const RunInfo& Context::info() const { return instance_->info_; }

absl::Time Context::Now() const { return instance_->now_; }

uint64_t Context::Random() {
  instance_->RequireWritable("Random");
  return instance_->random_->Next();
}

std::string Context::NewUuid() {
  const uint64_t high = Random();
  const uint64_t low = Random();
  return absl::StrFormat("%08x-%04x-4%03x-%04x-%012x", high >> 32, (high >> 16) & 0xffff,
                         high & 0xfff, 0x8000 | ((low >> 48) & 0x3fff), low & 0xffffffffffff);
}

v1::Payload Context::SideEffectRaw(const std::function<v1::Payload()>& fn,
                                   std::source_location where) {
  return instance_->SideEffect(fn, where);
}

bool Context::Patched(const std::string& id, std::source_location where) {
  return instance_->Patched(id, /*deprecated=*/false, where);
}

void Context::DeprecatePatch(const std::string& id, std::source_location where) {
  (void)instance_->Patched(id, /*deprecated=*/true, where);
}

bool Context::is_replaying() const { return instance_->replaying_; }

Future<Unit> Context::Sleep(absl::Duration delay, std::source_location where) {
  return Future<Unit>(instance_->StartTimer(delay, scope_, where));
}

Workflow<Unit> Context::WaitUntil(std::function<bool()> condition, absl::Duration timeout,
                                  std::source_location where) {
  return Instance::WaitUntil(instance_, scope_, std::move(condition), timeout, where);
}

bool Context::HasSignal(const std::string& name) const {
  const auto it = instance_->signals_.find(name);
  return it != instance_->signals_.end() && !it->second.empty();
}

Outcome<v1::Payload> Context::TakeSignalRaw(const std::string& name) {
  if (!HasSignal(name)) return Failure::Permanent("NoSignal", "no signal \"" + name + "\" waits");
  std::deque<v1::Payload>& waiting = instance_->signals_[name];
  v1::Payload payload = std::move(waiting.front());
  waiting.pop_front();
  return payload;
}

bool Context::cancel_requested() const { return instance_->cancel_requested_; }

const std::string& Context::cancel_reason() const { return instance_->cancel_reason_; }

bool Context::timed_out() const { return instance_->timed_out_; }

Context Context::Shielded() const { return Context(instance_, instance_->shielded_scope_); }

Scope Context::NewScope() const {
  auto inner = std::make_shared<internal::ScopeState>();
  inner->parent = scope_;
  return Scope(Context(instance_, std::move(inner)));
}

void Scope::Cancel(const std::string& reason, std::source_location where) {
  instance_->CancelScope(*scope_, reason, where);
}

void Context::Record(v1::HistoryEvent event, std::source_location where) {
  CHECK(IsCommandEvent(event)) << "event type " << event.attributes_case();
  *instance_->AddCommand(where) = std::move(event);
}

void Context::UpsertSearchAttributes(v1::SearchAttributes attributes, std::source_location where) {
  v1::HistoryEvent event;
  *event.mutable_upsert_workflow_search_attributes()->mutable_search_attributes() =
      std::move(attributes);
  Record(std::move(event), where);
}

void Context::UpsertMemo(v1::Memo memo, std::source_location where) {
  v1::HistoryEvent event;
  *event.mutable_workflow_properties_modified()->mutable_upserted_memo() = std::move(memo);
  Record(std::move(event), where);
}

internal::FutureStatePtr Context::Schedule(const std::string& type, v1::Payload input,
                                           const ActivityOptions& options,
                                           std::source_location where) {
  return instance_->Schedule(type, std::move(input), options, scope_, where);
}

internal::FutureStatePtr Context::ExecuteLocalRaw(const std::string& type, v1::Payload input,
                                                  const LocalActivityOptions& options,
                                                  std::source_location where) {
  return instance_->StartLocal(type, std::move(input), options, scope_, where);
}

Context::ChildFutures Context::StartChild(const std::string& type, v1::Payload input,
                                          const ChildOptions& options, std::source_location where) {
  return instance_->StartChild(type, std::move(input), options, scope_, where);
}

internal::FutureStatePtr Context::SignalExternalRaw(const ExternalRun& run,
                                                    const std::string& signal_name,
                                                    v1::Payload input, std::source_location where) {
  return instance_->SignalExternal(run, signal_name, std::move(input), scope_, where);
}

Future<Unit> Context::CancelExternal(const ExternalRun& run, const std::string& reason,
                                     std::source_location where) {
  return Future<Unit>(instance_->CancelExternal(run, reason, scope_, where));
}

Failure Context::ContinueAsNewRaw(v1::Payload input, v1::CarriedSaga saga,
                                  std::source_location where) {
  auto* attributes = instance_->continue_as_new_.mutable_workflow_execution_continued_as_new();
  *attributes->mutable_input() = std::move(input);
  *attributes->mutable_carried_saga() = std::move(saga);
  return Failure::Permanent("sdk.ContinueAsNew", "continue as new");
}

bool Context::CancelRaw(const internal::FutureStatePtr& future, bool timers_only,
                        std::source_location where) {
  if (instance_->CancelTimer(future->id, where)) return true;
  if (timers_only) return false;
  return instance_->CancelActivity(future->id, where) ||
         instance_->CancelChild(future->id, where) ||
         instance_->CancelLocal(future->id, "local activity canceled");
}

internal::FutureStatePtr Context::SpawnRaw(Workflow<v1::Payload> workflow) {
  instance_->RequireWritable("Spawn");
  internal::FutureStatePtr future = instance_->NewFuture();
  Instance* instance = instance_;
  instance_->Launch(std::move(workflow), [instance, future](Outcome<v1::Payload> outcome) {
    instance->Resolve(future, std::move(outcome));
  });
  return future;
}

void Context::SetRawQueryHandler(const std::string& name, RawQuery handler) {
  instance_->queries_[name] = std::move(handler);
}

void Context::SetRawUpdateHandler(const std::string& name, RawValidator validator,
                                  RawUpdate handler) {
  instance_->updates_[name] = {std::move(validator), std::move(handler)};
}

}  // namespace sdk
