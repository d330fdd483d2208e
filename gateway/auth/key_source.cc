#include "gateway/auth/key_source.h"

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "orchestrator/base/log.h"

namespace auth {

namespace {
constexpr size_t kWaitersMax = 1000;
}

struct KeySource::State {
  State(std::string name_in, Fetch fetch_in, Options options_in, base::Clock& clock_in)
      : name(std::move(name_in)),
        fetch(std::move(fetch_in)),
        options(options_in),
        clock(clock_in) {}

  const std::string name;
  const Fetch fetch;
  const Options options;
  base::Clock& clock;

  absl::Mutex mu;
  std::shared_ptr<const KeySet> keys ABSL_GUARDED_BY(mu);
  absl::Status status ABSL_GUARDED_BY(mu);
  bool fetching ABSL_GUARDED_BY(mu) = false;
  bool tried ABSL_GUARDED_BY(mu) = false;
  absl::Duration begun ABSL_GUARDED_BY(mu);    // the last fetch
  absl::Duration fetched ABSL_GUARDED_BY(mu);  // the last one that succeeded
  std::vector<absl::AnyInvocable<void()>> waiters ABSL_GUARDED_BY(mu);

  bool MayFetch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    return !tried || clock.Monotonic() - begun >= options.between_fetches;
  }
  void Take(absl::StatusOr<std::string> document);
};

void KeySource::State::Take(absl::StatusOr<std::string> document) {
  absl::StatusOr<KeySet> read = document.ok() ? KeySet::FromText(*document, options.shared_secrets)
                                              : absl::StatusOr<KeySet>(document.status());
  std::vector<absl::AnyInvocable<void()>> waiting;
  bool news = false;
  {
    absl::MutexLock lock(&mu);
    news = status.code() != read.status().code();
    status = read.status();
    if (read.ok()) {
      keys = std::make_shared<const KeySet>(*std::move(read));
      fetched = clock.Monotonic();
    }
    fetching = false;
    waiting.swap(waiters);
  }
  if (news && !read.status().ok()) {
    base::Log(base::LogLevel::kWarning,
              "the keys of tokens cannot be fetched; those fetched before stay in use", {},
              {{"from", name}, {"error", std::string(read.status().message())}});
  }
  for (auto& done : waiting) done();
}

KeySource::KeySource(std::string name, Fetch fetch, Options options, base::Clock& clock)
    : state_(std::make_shared<State>(std::move(name), std::move(fetch), options, clock)) {}

std::shared_ptr<const KeySet> KeySource::keys() const {
  absl::MutexLock lock(&state_->mu);
  return state_->keys;
}

absl::Status KeySource::status() const {
  absl::MutexLock lock(&state_->mu);
  return state_->status;
}

void KeySource::Start(const std::shared_ptr<State>& state) {
  state->fetch([state](absl::StatusOr<std::string> document) { state->Take(std::move(document)); });
}

void KeySource::RefreshWhenOld() {
  {
    absl::MutexLock lock(&state_->mu);
    const bool old = state_->keys == nullptr ||
                     state_->clock.Monotonic() - state_->fetched >= state_->options.refresh_after;
    if (!old || state_->fetching || !state_->MayFetch()) return;
    state_->fetching = state_->tried = true;
    state_->begun = state_->clock.Monotonic();
  }
  Start(state_);
}

void KeySource::Refresh(absl::AnyInvocable<void()> done) {
  bool start = false;
  {
    absl::MutexLock lock(&state_->mu);
    start = !state_->fetching && state_->MayFetch();
    const bool wait = (start || state_->fetching) && state_->waiters.size() < kWaitersMax;
    if (wait) state_->waiters.push_back(std::exchange(done, nullptr));
    if (start) {
      state_->fetching = state_->tried = true;
      state_->begun = state_->clock.Monotonic();
    }
  }
  if (start) Start(state_);
  if (done) done();
}

}  // namespace auth
