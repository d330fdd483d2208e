// CancelSource and CancelToken: explicit cancellation for coroutines on one loop.
// Thread-safety: loop thread only (one source and its tokens belong to one loop).
//
// Example:
//   base::CancelSource source;
//   auto id = source.token().OnCancel([&] { transfer.Abort(); });
//   source.Cancel("start-to-close time-out");
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace base {

class CancelToken {
 public:
  using CallbackId = uint64_t;
  CancelToken() = default;  // never canceled

  bool canceled() const { return state_ != nullptr && state_->canceled; }
  const std::string& reason() const {
    static const std::string kNone;
    return state_ == nullptr ? kNone : state_->reason;
  }
  // Calls `fn` once on cancellation; at once when already canceled (then the id is 0).
  CallbackId OnCancel(absl::AnyInvocable<void()> fn) const {
    if (state_ == nullptr) return 0;
    if (state_->canceled) {
      fn();
      return 0;
    }
    const CallbackId id = ++state_->next_id;
    state_->callbacks.emplace(id, std::move(fn));
    return id;
  }
  void Forget(CallbackId id) const {
    if (state_ != nullptr && id != 0) state_->callbacks.erase(id);
  }

 private:
  friend class CancelSource;
  struct State {
    bool canceled = false;
    std::string reason;
    CallbackId next_id = 0;
    std::map<CallbackId, absl::AnyInvocable<void()>> callbacks;
  };
  explicit CancelToken(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

class CancelSource {
 public:
  CancelSource() : state_(std::make_shared<CancelToken::State>()) {}
  CancelToken token() const { return CancelToken(state_); }
  void Cancel(std::string reason) {
    if (state_->canceled) return;
    state_->canceled = true;
    state_->reason = std::move(reason);
    auto callbacks = std::move(state_->callbacks);
    state_->callbacks.clear();
    for (auto& [id, fn] : callbacks) fn();
  }

 private:
  std::shared_ptr<CancelToken::State> state_;
};

}  // namespace base
