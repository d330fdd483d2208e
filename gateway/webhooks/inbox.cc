#include "gateway/webhooks/inbox.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/log.h"

namespace webhooks {
namespace {

constexpr absl::Duration kExpiryInterval = absl::Hours(1);

base::Failure DiskFailure(const absl::Status& status) {
  return base::Failure::Retryable("StoreUnavailable", std::string(status.message()));
}

}  // namespace

// Kept alive by the functions that are posted; what is not marked belongs to the loop's thread.
struct Inbox::State : std::enable_shared_from_this<Inbox::State> {
  State(base::EventLoop& on, base::Clock& time, base::Metrics& counts, InboxOptions o)
      : loop(on), clock(time), metrics(counts), options(o), disk(time, "webhooks") {}

  struct Item {
    Delivery delivery;
    int tries = 0;
  };

  prometheus::Counter& Outcome(const std::string& source, const char* outcome) {
    return metrics.Counter("webhook_deliveries_total",
                           "Webhooks by what became of them: accepted, repeated, refused, done, "
                           "retried, given_up.",
                           {{"source", source}, {"outcome", outcome}});
  }
  void Waiting(int change) {
    waiting += change;
    metrics.Gauge("webhook_deliveries_waiting", "Webhooks that were accepted and are not done.")
        .Set(waiting);
  }

  void Enqueue(Delivery delivery) {
    if (!started) return;  // Start finds it in the file
    ready.push_back(std::make_shared<Item>(Item{.delivery = std::move(delivery)}));
    WorkOn();
  }
  void WorkOn();
  void Begin(std::shared_ptr<Item> item);
  void End(const std::shared_ptr<Item>& item, base::Outcome<std::string> outcome);
  void Retry(const std::shared_ptr<Item>& item, const base::Failure& failure);
  void Close(const std::shared_ptr<Item>& item, std::string note, const char* outcome);
  void ExpireOld();
  // Runs `work` on the disk's thread and gives its answer to a coroutine of the loop.
  template <typename T>
  base::Task<base::Outcome<T>> OnDisk(absl::AnyInvocable<base::Outcome<T>()> work) {
    base::Completion<base::Outcome<T>> done;
    disk.Post([self = shared_from_this(), done, work = std::move(work)]() mutable {
      base::Outcome<T> outcome = work();
      self->loop.Post(
          [done, outcome = std::move(outcome)]() mutable { done.Set(std::move(outcome)); });
    });
    base::Outcome<T> outcome = co_await done;
    co_return outcome;
  }

  base::EventLoop& loop;
  base::Clock& clock;
  base::Metrics& metrics;
  const InboxOptions options;
  base::EpollLoop disk;                  // every call of `store`
  std::unique_ptr<DeliveryStore> store;  // disk thread
  std::atomic<int> waiting = 0;
  std::atomic<bool> stopped = false;

  std::map<std::string, Work> works;
  std::deque<std::shared_ptr<Item>> ready;
  bool started = false;
  int at_once = 0;
  base::CancelSource cancel;
  absl::AnyInvocable<void()> on_idle;  // set by Stop
};

void Inbox::State::WorkOn() {
  while (!stopped && at_once < options.at_once_max && !ready.empty()) {
    std::shared_ptr<Item> item = std::move(ready.front());
    ready.pop_front();
    Begin(std::move(item));
  }
}

void Inbox::State::Begin(std::shared_ptr<Item> item) {
  const auto found = works.find(item->delivery.source);
  if (found == works.end()) {
    // Accepted by another version of us: it stays in the file.
    base::Log(base::LogLevel::kWarning, "nobody works on this webhook", {},
              {{"source", item->delivery.source}, {"delivery", item->delivery.id}});
    return;
  }
  ++at_once;
  ++item->tries;
  base::Spawn(found->second(item->delivery, cancel.token()),
              [self = shared_from_this(), item](std::exception_ptr error,
                                                base::Outcome<std::string>* outcome) {
                base::Outcome<std::string> ended =
                    outcome != nullptr ? std::move(*outcome)
                                       : base::Outcome<std::string>(base::Failure::Permanent(
                                             "Internal", "the webhook's work threw an exception"));
                // Not on the coroutine's own stack.
                self->loop.Post([self, item, ended = std::move(ended)]() mutable {
                  self->End(item, std::move(ended));
                });
              });
}

void Inbox::State::End(const std::shared_ptr<Item>& item, base::Outcome<std::string> outcome) {
  --at_once;
  if (outcome.ok()) {
    Close(item, *outcome, "done");
  } else if (stopped) {
    // Stays in the file for the next start.
  } else if (!outcome.failure().retryable) {
    base::Log(base::LogLevel::kError, "a webhook was given up", {},
              {{"source", item->delivery.source},
               {"delivery", item->delivery.id},
               {"error", outcome.failure().ToString()}});
    Close(item, absl::StrCat("given up: ", outcome.failure().message), "given_up");
  } else {
    Retry(item, outcome.failure());
  }
  if (stopped && at_once == 0 && on_idle) std::exchange(on_idle, nullptr)();
  WorkOn();
}

void Inbox::State::Retry(const std::shared_ptr<Item>& item, const base::Failure& failure) {
  if (clock.Now() - item->delivery.received_at > options.give_up_after) {
    base::Log(base::LogLevel::kError, "a webhook was given up", {},
              {{"source", item->delivery.source},
               {"delivery", item->delivery.id},
               {"tries", item->tries},
               {"error", failure.ToString()}});
    return Close(item, absl::StrCat("given up: ", failure.message), "given_up");
  }
  absl::Duration pause = options.pause_first * (1 << std::min(item->tries - 1, 16));
  pause = std::max(std::min(pause, options.pause_max),
                   std::min(failure.retry_after, options.pause_max));
  Outcome(item->delivery.source, "retried").Increment();
  base::Log(base::LogLevel::kWarning, "a webhook is tried again", {},
            {{"source", item->delivery.source},
             {"delivery", item->delivery.id},
             {"tries", item->tries},
             {"pause_seconds", absl::ToDoubleSeconds(pause)},
             {"error", failure.ToString()}});
  loop.PostAfter(pause, [self = shared_from_this(), item] {
    self->ready.push_back(item);
    self->WorkOn();
  });
}

void Inbox::State::Close(const std::shared_ptr<Item>& item, std::string note, const char* outcome) {
  Outcome(item->delivery.source, outcome).Increment();
  Waiting(-1);
  disk.Post([self = shared_from_this(), item, note = std::move(note)] {
    const absl::Status status =
        self->store->Close(item->delivery.source, item->delivery.id, note, self->clock.Now());
    if (!status.ok()) {  // it will be worked on again after the next start
      base::Log(base::LogLevel::kWarning, "a webhook that is done could not be marked", {},
                {{"delivery", item->delivery.id}, {"error", std::string(status.message())}});
    }
  });
}

void Inbox::State::ExpireOld() {
  disk.Post([self = shared_from_this()] {
    const absl::Status status = self->store->Expire(self->clock.Now() - self->options.keep);
    if (!status.ok()) {
      base::Log(base::LogLevel::kWarning, "old webhooks could not be forgotten", {},
                {{"error", std::string(status.message())}});
    }
  });
  loop.PostAfter(kExpiryInterval, [self = shared_from_this()] {
    if (!self->stopped) self->ExpireOld();
  });
}

absl::StatusOr<std::unique_ptr<Inbox>> Inbox::Open(const std::string& path, base::EventLoop& loop,
                                                   base::Clock& clock, base::Metrics& metrics,
                                                   InboxOptions options) {
  auto store = DeliveryStore::Open(path);
  if (!store.ok()) return store.status();
  auto state = std::make_shared<State>(loop, clock, metrics, options);
  state->store = *std::move(store);
  return std::unique_ptr<Inbox>(new Inbox(std::move(state)));
}

Inbox::Inbox(std::shared_ptr<State> state) : state_(std::move(state)) { state_->disk.Start(); }

Inbox::~Inbox() { Stop(); }

void Inbox::Handle(std::string source, Work work) {
  state_->Outcome(source, "given_up");  // with 0, so that the first one is an increase
  state_->works[std::move(source)] = std::move(work);
}

void Inbox::Start() {
  state_->disk.Post([self = state_] {
    absl::StatusOr<std::vector<Delivery>> open = self->store->Open();
    if (!open.ok()) {
      base::Log(base::LogLevel::kError, "webhooks from before the start cannot be read", {},
                {{"error", std::string(open.status().message())}});
      open = std::vector<Delivery>();
    }
    self->Waiting(static_cast<int>(open->size()) - self->waiting);
    // What is accepted from here on is enqueued after this.
    self->loop.Post([self, open = *std::move(open)]() mutable {
      self->started = true;
      for (Delivery& delivery : open) self->Enqueue(std::move(delivery));
    });
  });
  state_->loop.Post([self = state_] { self->ExpireOld(); });
}

void Inbox::Accept(Delivery delivery, absl::AnyInvocable<void(absl::StatusOr<bool>)> done) {
  State& s = *state_;
  if (s.stopped) return done(absl::UnavailableError("the server is stopping; send it again"));
  if (s.waiting >= s.options.waiting_max) {
    s.Outcome(delivery.source, "refused").Increment();
    return done(absl::ResourceExhaustedError(
        absl::StrCat("there are ", s.options.waiting_max, " webhooks waiting; send it again")));
  }
  delivery.received_at = s.clock.Now();
  s.disk.Post([self = state_, delivery = std::move(delivery), done = std::move(done)]() mutable {
    // Whoever stops the disk's loop has set `stopped` before: nothing is accepted and then lost.
    const absl::StatusOr<bool> is_new = self->store->Add(delivery);
    if (!is_new.ok()) {
      self->Outcome(delivery.source, "refused").Increment();
      return done(absl::UnavailableError(is_new.status().message()));
    }
    self->Outcome(delivery.source, *is_new ? "accepted" : "repeated").Increment();
    if (!*is_new) return done(false);
    self->Waiting(+1);
    self->loop.Post(
        [self, delivery = std::move(delivery)]() mutable { self->Enqueue(std::move(delivery)); });
    done(true);
  });
}

void Inbox::Stop(absl::Duration limit) {
  if (state_->stopped.exchange(true)) return;
  const auto idle = std::make_shared<std::promise<void>>();
  std::future<void> is_idle = idle->get_future();
  state_->loop.Post([self = state_, idle] {
    self->cancel.Cancel("the server is stopping");
    self->ready.clear();
    if (self->at_once == 0) return idle->set_value();
    self->on_idle = [idle] { idle->set_value(); };
  });
  if (is_idle.wait_for(absl::ToChronoMilliseconds(limit)) != std::future_status::ready) {
    base::Log(base::LogLevel::kWarning,
              "work on webhooks did not end in time; it goes on after "
              "the next start");
  }
  state_->disk.Stop();
}

base::Task<base::Outcome<std::string>> Inbox::Fact(std::string name) {
  State* state = state_.get();  // work ends before the inbox
  base::Outcome<std::string> value =
      co_await state->OnDisk<std::string>([state, name]() -> base::Outcome<std::string> {
        absl::StatusOr<std::string> found = state->store->Fact(name);
        if (!found.ok()) return DiskFailure(found.status());
        return *std::move(found);
      });
  co_return value;
}

base::Task<base::Done> Inbox::SetFact(std::string name, std::string value) {
  State* state = state_.get();
  base::Done done = co_await state->OnDisk<base::Unit>([state, name, value]() -> base::Done {
    const absl::Status status = state->store->SetFact(name, value, state->clock.Now());
    if (!status.ok()) return DiskFailure(status);
    return base::Unit{};
  });
  co_return done;
}

}  // namespace webhooks
