#include "gateway/webhooks/google_chat_notifier.h"

#include <prometheus/counter.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "activities/campaign/names.h"
#include "activities/connectors/wire/uuid.h"
#include "gateway/grpc/progress.h"
#include "gateway/webhooks/google_chat_cards.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/base/task.h"
#include "orchestrator/history/payload.h"

namespace webhooks {
namespace {

namespace v1 = ::orchestrator::v1;
namespace cv1 = ::campaign::v1;
using gateway::ProgressView;
using Review = ChatWatch::Review;

constexpr int kWaitSeconds = 30;  // of one look at a history
constexpr absl::Duration kPauseFirst = absl::Seconds(1);
constexpr absl::Duration kPauseMax = absl::Minutes(1);
constexpr absl::Duration kStartLimit = absl::Minutes(10);  // for a campaign to be there
constexpr absl::Duration kPatience = absl::Minutes(1);     // of one try to send
constexpr absl::Duration kGiveUpAfter = absl::Hours(24);   // for what is said once

// What no repetition mends: the space or the message is not ours any more.
bool IsFinal(const base::Failure& failure) {
  return failure.type == "NotFound" || failure.type == "Forbidden" ||
         failure.type == "InvalidRequest" || failure.type == "MessageTooLong";
}

}  // namespace

// Everything below runs on the notifier's thread, but for Live and what client and chat call back,
// which only post to it.
struct GoogleChatNotifier::State : std::enable_shared_from_this<State> {
  State(Parts parts_in, std::unique_ptr<GoogleChatStore> store_in)
      : p(parts_in), store(std::move(store_in)), loop(parts_in.clock, "google-chat") {}

  using Step = void (State::*)(const std::string& key);

  // Runs `fn` on the notifier's thread unless it has stopped.
  void Post(absl::AnyInvocable<void()> fn) {
    absl::ReaderMutexLock lock(&mu);
    if (!stopped) loop.Post(std::move(fn));
  }
  template <typename T>
  auto Posted(absl::AnyInvocable<void(T)> fn) {
    return [self = shared_from_this(), fn = std::move(fn)](T value) mutable {
      self->Post(
          [fn = std::move(fn), value = std::move(value)]() mutable { fn(std::move(value)); });
    };
  }
  void Later(const std::string& key, Step step) {
    absl::Duration& pause = pauses[key];
    pause = pause == absl::ZeroDuration() ? kPauseFirst : std::min(kPauseMax, pause * 2);
    loop.PostAfter(pause, [this, key, step] { (this->*step)(key); });
  }
  void Count(const char* what, const char* result) {
    p.metrics
        .Counter("google_chat_notifications_total", "Messages sent to Google Chat by themselves.",
                 {{"kind", what}, {"result", result}})
        .Increment();
  }

  void Load();
  void Look(const std::string& key);
  void Saw(const std::string& key, absl::StatusOr<ProgressView> view);
  void WaitForMore(const std::string& key, int64_t history_length);
  void ShowReview(const std::string& key, const cv1::CampaignProgress& progress);
  void CloseReview(const std::string& key, const cv1::CampaignProgress& progress);
  void RefreshReview(const std::string& key, const cv1::CampaignProgress& progress);
  void UpdateReview(const std::string& key, const char* what, const std::string& cards,
                    absl::AnyInvocable<void(base::Outcome<bool>)> done);
  void End(const std::string& key, const ProgressView& view);
  void SayEnd(const std::string& key, const cv1::CampaignProgress& progress,
              const cv1::CampaignResult& result);
  void SaveReview(const std::string& key, Review review);
  void Remove(const std::string& key);
  void Send(const std::string& request_id);

  outbound::CallContext CallFor(const std::string& workflow_id, const std::string& once) {
    return {.workflow_id = workflow_id,
            .activity_name = "google_chat",
            .idempotency_key = once,
            .deadline = p.clock.Now() + kPatience};
  }
  // Creates the message and calls `done` on the notifier's thread.
  void Create(google_chat::Message message, const std::string& workflow_id,
              absl::AnyInvocable<void(base::Outcome<google_chat::Posted>)> done) {
    auto posted = Posted<base::Outcome<google_chat::Posted>>(std::move(done));
    p.loop.Post([this, self = shared_from_this(), message = std::move(message), workflow_id,
                 posted = std::move(posted)]() mutable {
      const std::string once = absl::StrCat("google_chat/", message.request_id);
      base::Spawn(p.chat.CreateMessage(std::move(message), CallFor(workflow_id, once)),
                  [self, posted = std::move(posted)](
                      std::exception_ptr error, base::Outcome<google_chat::Posted>* made) mutable {
                    if (error) return posted(base::Failure::Permanent("Thrown", "an exception"));
                    posted(std::move(*made));
                  });
    });
  }
  // Of what the watch is told of once.
  std::string Once(const ChatWatch& watch, const char* what) const {
    return wire::UuidOf(absl::StrCat(watch.key(), "/", what));
  }

  const Parts p;
  const std::unique_ptr<GoogleChatStore> store;
  std::map<std::string, ChatWatch> watches;
  std::map<std::string, ChatMessage> messages;
  std::map<std::string, absl::Duration> pauses;
  // The texts that a review shows; after a restart nobody knows, and it is shown again.
  std::map<std::string, int> shown_revisions;
  absl::Mutex mu;
  bool stopped ABSL_GUARDED_BY(mu) = false;
  base::EpollLoop loop;
};

void GoogleChatNotifier::State::Load() {
  auto old_watches = store->Watches();
  auto old_messages = store->Messages();
  for (const absl::Status& status : {old_watches.status(), old_messages.status()}) {
    if (status.ok()) continue;
    base::Log(base::LogLevel::kError, "what Google Chat is to be told cannot be read", {},
              {{"error", status.ToString()}});
  }
  if (old_watches.ok()) {
    for (ChatWatch& watch : *old_watches) {
      const std::string key = watch.key();
      if (watches.emplace(key, std::move(watch)).second) Look(key);
    }
  }
  if (!old_messages.ok()) return;
  for (ChatMessage& message : *old_messages) {
    const std::string id = message.request_id;
    if (messages.emplace(id, std::move(message)).second) Send(id);
  }
}

void GoogleChatNotifier::State::Look(const std::string& key) {
  const auto found = watches.find(key);
  if (found == watches.end()) return;
  const ChatWatch& watch = found->second;
  gateway::LookAtProgress(
      p.client, p.clock, watch.ns, watch.workflow_id,
      Posted<absl::StatusOr<ProgressView>>(
          [this, key](absl::StatusOr<ProgressView> view) { Saw(key, std::move(view)); }));
}

void GoogleChatNotifier::State::Saw(const std::string& key, absl::StatusOr<ProgressView> view) {
  const auto found = watches.find(key);
  if (found == watches.end()) return;
  const ChatWatch& watch = found->second;
  if (absl::IsNotFound(view.status()) && p.clock.Now() - watch.since > kStartLimit) {
    base::Log(base::LogLevel::kWarning, "a campaign that Google Chat waits for is not there",
              {.workflow_id = watch.workflow_id}, {});
    return Remove(key);
  }
  if (!view.ok()) return Later(key, &State::Look);
  pauses.erase(key);
  const cv1::CampaignProgress& progress = view->progress;
  const bool over = view->closed || progress.has_decision();
  if (watch.review == Review::kNone && progress.waiting_for_approval() && !over) {
    return ShowReview(key, progress);
  }
  if (watch.review == Review::kShown && over) return CloseReview(key, progress);
  const auto shown = shown_revisions.find(key);
  if (watch.review == Review::kShown &&
      (shown == shown_revisions.end() || shown->second != progress.content_revision())) {
    return RefreshReview(key, progress);
  }
  if (view->closed) return End(key, *view);
  WaitForMore(key, view->history_length);
}

void GoogleChatNotifier::State::WaitForMore(const std::string& key, int64_t history_length) {
  const ChatWatch& watch = watches.at(key);
  v1::GetWorkflowHistoryRequest more;
  more.set_namespace_(watch.ns);
  more.set_workflow_id(watch.workflow_id);
  more.set_after_event_id(history_length);
  more.set_page_size(1);
  more.mutable_wait()->set_seconds(kWaitSeconds);
  p.client.GetHistory(std::move(more),
                      Posted<absl::StatusOr<v1::GetWorkflowHistoryResponse>>(
                          [this, key](absl::StatusOr<v1::GetWorkflowHistoryResponse> events) {
                            if (!events.ok()) return Later(key, &State::Look);
                            Look(key);
                          }));
}

void GoogleChatNotifier::State::ShowReview(const std::string& key,
                                           const cv1::CampaignProgress& progress) {
  const ChatWatch& watch = watches.at(key);
  Create({.space = watch.space,
          .thread = watch.thread,
          .text = absl::StrCat("Campaign ", progress.campaign_name(), " waits for a decision."),
          .cards_json = ReviewCards(progress),
          .request_id = Once(watch, "review")},
         watch.workflow_id,
         [this, key,
          revision = progress.content_revision()](base::Outcome<google_chat::Posted> posted) {
           if (!watches.contains(key)) return;
           if (posted.ok()) {
             watches.at(key).review_message = posted->name;
             shown_revisions[key] = revision;
             Count("review", "sent");
             return SaveReview(key, Review::kShown);
           }
           base::Log(base::LogLevel::kWarning, "a review could not be shown in Google Chat",
                     {.workflow_id = watches.at(key).workflow_id},
                     {{"error", posted.failure().ToString()}});
           if (!IsFinal(posted.failure())) return Later(key, &State::Look);
           Count("review", "gave_up");
           SaveReview(key, Review::kClosed);  // goes on: the end may be told yet
         });
}

void GoogleChatNotifier::State::UpdateReview(const std::string& key, const char* what,
                                             const std::string& cards,
                                             absl::AnyInvocable<void(base::Outcome<bool>)> done) {
  const ChatWatch& watch = watches.at(key);
  auto updated = Posted<base::Outcome<bool>>(std::move(done));
  p.loop.Post([this, self = shared_from_this(), name = watch.review_message, cards,
               workflow_id = watch.workflow_id,
               once = absl::StrCat("google_chat/", Once(watch, what)),
               updated = std::move(updated)]() mutable {
    base::Spawn(p.chat.UpdateMessage(name, "", cards, CallFor(workflow_id, once)),
                [self, updated = std::move(updated)](std::exception_ptr error,
                                                     base::Outcome<bool>* answer) mutable {
                  if (error) return updated(base::Failure::Permanent("Thrown", "an exception"));
                  updated(std::move(*answer));
                });
  });
}

void GoogleChatNotifier::State::CloseReview(const std::string& key,
                                            const cv1::CampaignProgress& progress) {
  UpdateReview(key, "closed", ClosedReviewCards(progress, ""),
               [this, key](base::Outcome<bool> updated) {
                 if (!watches.contains(key)) return;
                 if (!updated.ok() && !IsFinal(updated.failure())) return Later(key, &State::Look);
                 SaveReview(key, Review::kClosed);
               });
}

// The texts were changed: what is approved is what the card shows.
void GoogleChatNotifier::State::RefreshReview(const std::string& key,
                                              const cv1::CampaignProgress& progress) {
  UpdateReview(key, "refresh", ReviewCards(progress),
               [this, key, revision = progress.content_revision()](base::Outcome<bool> updated) {
                 if (!watches.contains(key)) return;
                 if (!updated.ok() && !IsFinal(updated.failure())) return Later(key, &State::Look);
                 shown_revisions[key] = revision;
                 Look(key);
               });
}

void GoogleChatNotifier::State::End(const std::string& key, const ProgressView& view) {
  const ChatWatch& watch = watches.at(key);
  v1::GetWorkflowResultRequest get;
  get.set_namespace_(watch.ns);
  get.set_workflow_id(watch.workflow_id);
  get.set_run_id(view.run_id);
  p.client.GetResult(std::move(get),
                     Posted<absl::StatusOr<v1::GetWorkflowResultResponse>>(
                         [this, key, progress = view.progress](
                             absl::StatusOr<v1::GetWorkflowResultResponse> answer) mutable {
                           if (!watches.contains(key)) return;
                           if (!answer.ok()) return Later(key, &State::Look);
                           if (answer->has_failure()) {
                             progress.set_message(answer->failure().message());
                           }
                           SayEnd(key, progress,
                                  history::FromPayload<cv1::CampaignResult>(answer->result())
                                      .value_or(cv1::CampaignResult()));
                         }));
}

void GoogleChatNotifier::State::SayEnd(const std::string& key,
                                       const cv1::CampaignProgress& progress,
                                       const cv1::CampaignResult& result) {
  const ChatWatch& watch = watches.at(key);
  Create({.space = watch.space,
          .thread = watch.thread,
          .text = absl::StrCat("Campaign ", progress.campaign_name(),
                               " has ended: ", progress.status()),
          .cards_json = DoneCards(progress, result),
          .request_id = Once(watch, "done")},
         watch.workflow_id, [this, key](base::Outcome<google_chat::Posted> posted) {
           if (!watches.contains(key)) return;
           if (!posted.ok()) {
             base::Log(base::LogLevel::kWarning, "an end could not be told in Google Chat",
                       {.workflow_id = watches.at(key).workflow_id},
                       {{"error", posted.failure().ToString()}});
             if (!IsFinal(posted.failure())) return Later(key, &State::Look);
           }
           Count("done", posted.ok() ? "sent" : "gave_up");
           Remove(key);
         });
}

void GoogleChatNotifier::State::SaveReview(const std::string& key, Review review) {
  ChatWatch& watch = watches.at(key);
  const Review before = watch.review;
  watch.review = review;
  if (const absl::Status saved = store->SaveReview(watch); !saved.ok()) {
    watch.review = before;  // tried again, with the same request id
    return Later(key, &State::Look);
  }
  Look(key);
}

void GoogleChatNotifier::State::Remove(const std::string& key) {
  if (const absl::Status removed = store->RemoveWatch(watches.at(key)); !removed.ok()) {
    return Later(key, &State::Look);
  }
  watches.erase(key);
  pauses.erase(key);
  shown_revisions.erase(key);
}

void GoogleChatNotifier::State::Send(const std::string& request_id) {
  const auto found = messages.find(request_id);
  if (found == messages.end()) return;
  const ChatMessage& message = found->second;
  Create({.space = message.space,
          .thread = message.thread,
          .text = message.text,
          .cards_json = message.cards,
          .request_id = message.request_id},
         message.workflow_id, [this, request_id](base::Outcome<google_chat::Posted> posted) {
           const auto sent = messages.find(request_id);
           if (sent == messages.end()) return;
           const bool give_up = !posted.ok() && (IsFinal(posted.failure()) ||
                                                 p.clock.Now() - sent->second.since > kGiveUpAfter);
           if (!posted.ok() && !give_up) return Later(request_id, &State::Send);
           if (!store->RemoveMessage(request_id).ok()) return Later(request_id, &State::Send);
           Count("answer", posted.ok() ? "sent" : "gave_up");
           messages.erase(sent);
           pauses.erase(request_id);
         });
}

absl::StatusOr<std::unique_ptr<GoogleChatNotifier>> GoogleChatNotifier::Open(
    const std::string& path, Parts parts) {
  ASSIGN_OR_RETURN(std::unique_ptr<GoogleChatStore> store, GoogleChatStore::Open(path));
  return std::unique_ptr<GoogleChatNotifier>(
      new GoogleChatNotifier(std::make_shared<State>(parts, std::move(store))));
}

GoogleChatNotifier::~GoogleChatNotifier() { Stop(); }

void GoogleChatNotifier::Start() {
  state_->loop.Start();
  state_->Post([state = state_.get()] { state->Load(); });
}

void GoogleChatNotifier::Watch(ChatWatch watch, absl::AnyInvocable<void(absl::Status)> done) {
  {
    absl::ReaderMutexLock lock(&state_->mu);
    if (!state_->stopped) {
      state_->loop.Post(
          [state = state_.get(), watch = std::move(watch), done = std::move(done)]() mutable {
            if (state->watches.size() >= kChatWatchesMax) {
              return done(absl::ResourceExhaustedError(absl::StrCat(
                  "there are ", kChatWatchesMax, " campaigns from Google Chat already")));
            }
            watch.since = state->p.clock.Now();
            const absl::Status added = state->store->AddWatch(watch);
            const std::string key = watch.key();
            const bool is_new = added.ok() && state->watches.emplace(key, std::move(watch)).second;
            done(added);
            if (is_new) state->Look(key);
          });
      return;
    }
  }
  done(absl::UnavailableError("the server is stopping; try again"));
}

void GoogleChatNotifier::Forget(ChatWatch watch) {
  state_->Post([state = state_.get(), key = watch.key()] {
    if (state->watches.contains(key)) state->Remove(key);
  });
}

void GoogleChatNotifier::Say(ChatMessage message) {
  state_->Post([state = state_.get(), message = std::move(message)]() mutable {
    const std::string id = message.request_id;
    if (state->messages.contains(id)) return;
    if (state->messages.size() >= kChatMessagesMax) {
      state->Count("answer", "dropped");
      return base::Log(base::LogLevel::kError,
                       "an answer for Google Chat was dropped: too many wait",
                       {.workflow_id = message.workflow_id}, {{"waiting", kChatMessagesMax}});
    }
    message.since = state->p.clock.Now();
    if (const absl::Status added = state->store->AddMessage(message); !added.ok()) {
      base::Log(base::LogLevel::kError, "an answer for Google Chat could not be kept", {},
                {{"error", added.ToString()}});
    }
    state->messages.emplace(id, std::move(message));
    state->Send(id);
  });
}

void GoogleChatNotifier::Stop() {
  {
    absl::MutexLock lock(&state_->mu);
    if (std::exchange(state_->stopped, true)) return;
  }
  state_->loop.Stop();
}

}  // namespace webhooks
