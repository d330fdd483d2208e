// Task<T>: a lazy coroutine with a single consumer. It starts when it is awaited or handed to
// Spawn, and resumes its awaiter by symmetric transfer. An exception leaves through the await.
//
// Thread-safety: a task and everything it awaits live on one EventLoop thread.
// Parameters of coroutines are taken by value unless the callee plainly outlives the task.
//
// Example:
//   Task<int> Twice(int x) { co_return 2 * x; }
//   Task<int> Sum(EventLoop& loop) {
//     co_await Sleep(loop, absl::Milliseconds(5));
//     int a = co_await Twice(2);
//     co_return a;
//   }
//   Spawn(Sum(loop), [](std::exception_ptr error, int* value) { ... });
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "orchestrator/base/cancel.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/event_loop.h"

namespace base {

template <typename T>
class Task;

namespace task_internal {

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr error;

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      return self.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() { error = std::current_exception(); }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T Take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void Take() {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace task_internal

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = task_internal::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      Destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { Destroy(); }

  auto operator co_await() && {
    struct Awaiter {
      Handle handle;
      bool await_ready() { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) {
        handle.promise().continuation = awaiting;
        return handle;
      }
      T await_resume() { return handle.promise().Take(); }
    };
    CHECK(handle_ != nullptr) << "awaiting an empty Task";
    return Awaiter{handle_};
  }

 private:
  void Destroy() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }
  Handle handle_;
};

namespace task_internal {

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

// A coroutine that owns itself: starts at once, frees its frame at the end.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

}  // namespace task_internal

// Starts `task` at once on the calling thread; `done(error, value)` is called at its end, with
// `value` null when `error` is set.
template <typename T, typename Fn>
task_internal::Detached Spawn(Task<T> task, Fn done) {
  std::exception_ptr error;
  std::optional<T> value;
  try {
    value.emplace(co_await std::move(task));
  } catch (...) {
    error = std::current_exception();
  }
  done(error, value.has_value() ? &*value : nullptr);
}
template <typename Fn>
task_internal::Detached Spawn(Task<void> task, Fn done) {
  std::exception_ptr error;
  try {
    co_await std::move(task);
  } catch (...) {
    error = std::current_exception();
  }
  done(error);
}

// One-shot value that a callback sets and one coroutine awaits. Loop thread only. Copies share
// the state, so the setter may outlive the awaiter.
template <typename T>
class Completion {
 public:
  Completion() : state_(std::make_shared<State>()) {}
  // The first Set wins; later ones are ignored. Resumes the awaiter inline.
  void Set(T value) const {
    if (state_->value.has_value()) return;
    state_->value.emplace(std::move(value));
    if (auto waiting = std::exchange(state_->waiting, nullptr)) waiting.resume();
  }
  bool is_set() const { return state_->value.has_value(); }

  auto operator co_await() const {
    struct Awaiter {
      std::shared_ptr<State> state;
      bool await_ready() { return state->value.has_value(); }
      void await_suspend(std::coroutine_handle<> handle) { state->waiting = handle; }
      T await_resume() { return std::move(*state->value); }
    };
    return Awaiter{state_};
  }

 private:
  struct State {
    std::optional<T> value;
    std::coroutine_handle<> waiting;
  };
  std::shared_ptr<State> state_;
};

// Waits `delay` on the loop; returns false at once when `token` is canceled first.
inline Task<bool> Sleep(EventLoop& loop, absl::Duration delay, CancelToken token = {}) {
  Completion<bool> done;
  const TimerId timer = loop.PostAfter(delay, [done] { done.Set(true); });
  const CancelToken::CallbackId callback = token.OnCancel([done] { done.Set(false); });
  const bool elapsed = co_await done;
  loop.CancelTimer(timer);
  token.Forget(callback);
  co_return elapsed;
}

// Runs all tasks at once and returns their values in the given order. The first exception is
// thrown after all have ended.
template <typename T>
Task<std::vector<T>> WhenAll(std::vector<Task<T>> tasks) {
  struct State {
    size_t pending;
    std::exception_ptr error;
    std::vector<std::optional<T>> values;
    Completion<bool> done;
  };
  auto state = std::make_shared<State>();
  state->pending = tasks.size();
  state->values.resize(tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    Spawn(std::move(tasks[i]), [state, i](std::exception_ptr error, T* value) {
      if (value != nullptr) state->values[i].emplace(std::move(*value));
      if (error && !state->error) state->error = error;
      if (--state->pending == 0) state->done.Set(true);
    });
  }
  if (!tasks.empty()) co_await state->done;
  if (state->error) std::rethrow_exception(state->error);
  std::vector<T> values;
  values.reserve(state->values.size());
  for (auto& value : state->values) values.push_back(std::move(*value));
  co_return values;
}

struct SemaphoreState {
  int available = 0;
  std::vector<Completion<bool>> waiting;  // oldest first
};

// A counted permit for coroutines of one loop, first come first served.
class Semaphore {
 public:
  explicit Semaphore(int permits) : state_(std::make_shared<State>()) {
    state_->available = permits;
  }
  // Returned by Acquire; gives the permit back when destroyed.
  class Permit {
   public:
    Permit() = default;
    Permit(Permit&& other) noexcept = default;
    Permit& operator=(Permit&& other) noexcept {
      Release();
      state_ = std::move(other.state_);
      return *this;
    }
    ~Permit() { Release(); }
    bool held() const { return state_ != nullptr; }

   private:
    friend class Semaphore;
    void Release();
    std::shared_ptr<SemaphoreState> state_;
  };
  // A permit that is not held when `token` was canceled while waiting.
  Task<Permit> Acquire(CancelToken token = {});

 private:
  using State = SemaphoreState;
  std::shared_ptr<State> state_;
};

inline void Semaphore::Permit::Release() {
  auto state = std::move(state_);
  if (state == nullptr) return;
  while (!state->waiting.empty()) {
    Completion<bool> next = state->waiting.front();
    state->waiting.erase(state->waiting.begin());
    if (next.is_set()) continue;  // was canceled
    next.Set(true);
    return;
  }
  ++state->available;
}

inline Task<Semaphore::Permit> Semaphore::Acquire(CancelToken token) {
  std::shared_ptr<State> state = state_;
  Permit permit;
  if (state->available > 0) {
    --state->available;
    permit.state_ = std::move(state);
    co_return permit;
  }
  Completion<bool> turn;
  state->waiting.push_back(turn);
  const CancelToken::CallbackId callback = token.OnCancel([turn] { turn.Set(false); });
  const bool granted = co_await turn;
  token.Forget(callback);
  if (granted) permit.state_ = std::move(state);
  co_return permit;
}

}  // namespace base
