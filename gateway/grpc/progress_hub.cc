#include "gateway/grpc/progress_hub.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gateway/grpc/ids.h"
#include "gateway/grpc/progress.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace v1 = ::orchestrator::v1;
using campaign::v1::CampaignProgress;

namespace {

// Also how long a change that leaves no event (PAUSED, STUCK) may stay unseen.
constexpr int kWaitSeconds = 10;
// Waits without news after which the run is looked at all the same.
constexpr int kQuietWaitsMax = 6;
constexpr int kPageSize = 1000;

struct Snapshot {
  CampaignProgress progress;
  bool closed = false;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

// What makes two looks different: everything but the clock.
std::string TokenOf(CampaignProgress progress) {
  progress.clear_elapsed_seconds();
  progress.clear_resume_token();
  return HashHex(progress.SerializeAsString());
}

}  // namespace

struct ProgressHub::State {
  State(client::WorkflowClient& client_in, base::Clock& clock_in)
      : client(client_in), clock(clock_in) {}
  client::WorkflowClient& client;
  base::Clock& clock;
  absl::Mutex mu;
  // By namespace and workflow id. A feed removes itself when nobody is left.
  absl::flat_hash_map<std::string, std::shared_ptr<Feed>> feeds ABSL_GUARDED_BY(mu);
};

// One stream. It writes one snapshot at a time; the newest waits meanwhile.
class ProgressHub::Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  Watcher(base::Clock& clock, std::shared_ptr<Peer> peer, std::string token, StreamSlots::Slot slot,
          std::shared_ptr<Stream<CampaignProgress>> stream)
      : clock_(clock),
        peer_(std::move(peer)),
        token_(std::move(token)),
        slot_(std::move(slot)),
        stream_(std::move(stream)) {}

  // Before anything else: `left` is called when the stream has ended.
  void Prepare(absl::AnyInvocable<void()> left) { left_ = std::move(left); }

  void Start() {
    if (peer_ == nullptr) return;
    peer_->OnGone([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->Leave();
    });
  }

  void Offer(const SnapshotPtr& snapshot) {
    {
      absl::MutexLock lock(&mu_);
      if (finished_) return;
      next_ = snapshot;
      if (writing_) return;
    }
    Next();
  }

  void Finish(absl::Status status) {
    std::shared_ptr<Stream<CampaignProgress>> stream;
    {
      absl::MutexLock lock(&mu_);
      if (std::exchange(finished_, true)) return;
      if (writing_) {  // its callback finishes the stream
        final_ = std::move(status);
        return;
      }
      stream = std::move(stream_);
    }
    End(std::move(stream), std::move(status));
  }

 private:
  // Writes what waits, when it says something new.
  void Next() {
    SnapshotPtr snapshot;
    std::shared_ptr<Stream<CampaignProgress>> stream;  // a copy: Write's callback may let go of it
    bool known = false;
    {
      absl::MutexLock lock(&mu_);
      if (finished_ || writing_ || next_ == nullptr) return;
      snapshot = std::exchange(next_, nullptr);
      known = snapshot->progress.resume_token() == token_;
      if (known && opened_ && !snapshot->closed) return;
      token_ = snapshot->progress.resume_token();
      stream = stream_;
      writing_ = true;
      if (!std::exchange(opened_, true) && known && !snapshot->closed) {
        snapshot = nullptr;
      }
    }
    if (known) {
      // The caller has seen it: there may be nothing to say for long, but it is listened to.
      if (snapshot == nullptr) stream->Open();
      return Written(true, snapshot != nullptr);
    }
    CampaignProgress progress = snapshot->progress;
    if (!snapshot->closed) {  // the snapshot may be from a while ago
      const absl::Duration elapsed = clock_.Now() - history::FromProto(progress.started_at());
      progress.set_elapsed_seconds(
          std::max(progress.elapsed_seconds(), absl::ToDoubleSeconds(elapsed)));
    }
    stream->Write(std::move(progress), [self = shared_from_this(), closed = snapshot->closed](
                                           bool ok) { self->Written(ok, closed); });
  }

  void Written(bool ok, bool closed) {
    std::shared_ptr<Stream<CampaignProgress>> stream;
    absl::Status status;
    {
      absl::MutexLock lock(&mu_);
      writing_ = false;
      if (finished_) {
        stream = std::move(stream_);
        status = std::move(final_);
      }
    }
    if (stream != nullptr) return End(std::move(stream), std::move(status));
    if (!ok) return Leave();
    if (closed) return Finish(absl::OkStatus());
    Next();
  }

  void Leave() {
    absl::Status why = peer_ == nullptr ? absl::OkStatus() : peer_->why();
    Finish(why.ok() ? absl::CancelledError("the caller has left") : why);
  }

  // The one place where a stream ends; nothing is under way.
  void End(std::shared_ptr<Stream<CampaignProgress>> stream, absl::Status status) {
    slot_.reset();
    stream->Finish(std::move(status));
    if (auto left = std::exchange(left_, nullptr)) left();
  }

  base::Clock& clock_;
  const std::shared_ptr<Peer> peer_;  // may be null
  absl::AnyInvocable<void()> left_;   // touched by Prepare and End only

  absl::Mutex mu_;
  std::string token_ ABSL_GUARDED_BY(mu_);  // of the last snapshot written
  StreamSlots::Slot slot_;                  // touched by End only
  std::shared_ptr<Stream<CampaignProgress>> stream_ ABSL_GUARDED_BY(mu_);
  SnapshotPtr next_ ABSL_GUARDED_BY(mu_);
  bool opened_ ABSL_GUARDED_BY(mu_) = false;  // something was written, or Open called
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status final_ ABSL_GUARDED_BY(mu_);
};

// One campaign. It has exactly one thing under way (a look or a wait), whose callback does the
// next, until nobody watches.
class ProgressHub::Feed : public std::enable_shared_from_this<Feed> {
 public:
  Feed(std::shared_ptr<State> state, std::string key, std::string ns, std::string workflow_id)
      : state_(std::move(state)),
        key_(std::move(key)),
        ns_(std::move(ns)),
        workflow_id_(std::move(workflow_id)) {}

  // False: the feed has ended; make another one.
  bool Add(const std::shared_ptr<Watcher>& watcher) {
    watcher->Prepare([weak = weak_from_this(), raw = watcher.get()] {
      if (auto self = weak.lock()) self->Remove(raw);
    });
    SnapshotPtr snapshot;
    {
      absl::MutexLock lock(&mu_);
      if (ended_) return false;
      watchers_.push_back(watcher);
      snapshot = snapshot_;
    }
    watcher->Start();
    if (snapshot != nullptr) watcher->Offer(snapshot);
    return true;
  }

  void Look() {
    if (EndIfLonely()) return;
    LookAtProgress(state_->client, state_->clock, ns_, workflow_id_,
                   [self = shared_from_this()](absl::StatusOr<ProgressView> view) {
                     self->Looked(std::move(view));
                   });
  }

 private:
  void Remove(Watcher* watcher) {
    absl::MutexLock lock(&mu_);
    const auto found = std::find_if(watchers_.begin(), watchers_.end(),
                                    [&](const auto& w) { return w.get() == watcher; });
    if (found == watchers_.end()) return;
    std::swap(*found, watchers_.back());
    watchers_.pop_back();
  }

  // A feed whose last watcher has left ends when its wait does; who comes before finds it working.
  bool EndIfLonely() {
    absl::MutexLock lock(&state_->mu);
    absl::MutexLock own(&mu_);
    if (!watchers_.empty()) return false;
    ended_ = true;
    state_->feeds.erase(key_);
    return true;
  }

  // Takes no more watchers; those it had.
  std::vector<std::shared_ptr<Watcher>> Shut() {
    absl::MutexLock lock(&state_->mu);
    absl::MutexLock own(&mu_);
    ended_ = true;
    state_->feeds.erase(key_);
    return std::exchange(watchers_, {});
  }

  void End(const absl::Status& status) {
    for (const auto& watcher : Shut()) watcher->Finish(status);
  }

  void Looked(absl::StatusOr<ProgressView> view) {
    if (!view.ok()) return End(view.status());
    if (run_id_ != view->run_id) {  // the first look, or a new run of the same workflow
      run_id_ = view->run_id;
      after_event_id_ = 0;
    }
    after_event_id_ = std::max(after_event_id_, view->history_length);
    quiet_waits_ = 0;
    v1::RunStatus::Value_Parse(view->progress.status(), &status_);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->closed = view->closed;
    snapshot->progress = std::move(view->progress);
    snapshot->progress.set_resume_token(TokenOf(snapshot->progress));
    std::vector<std::shared_ptr<Watcher>> watchers;
    {
      absl::MutexLock lock(&mu_);
      snapshot_ = snapshot;
      watchers = watchers_;
    }
    for (const auto& watcher : watchers) watcher->Offer(snapshot);
    if (snapshot->closed) return Close(snapshot);
    Wait();
  }

  // Watchers that have come since get the last snapshot too.
  void Close(const SnapshotPtr& snapshot) {
    for (const auto& watcher : Shut()) watcher->Offer(snapshot);
  }

  void Wait() {
    if (EndIfLonely()) return;
    v1::GetWorkflowHistoryRequest request;
    request.set_namespace_(ns_);
    request.set_workflow_id(workflow_id_);
    request.set_run_id(run_id_);
    request.set_after_event_id(after_event_id_);
    request.set_page_size(kPageSize);
    request.mutable_wait()->set_seconds(kWaitSeconds);
    state_->client.GetHistory(
        std::move(request),
        [self = shared_from_this()](absl::StatusOr<v1::GetWorkflowHistoryResponse> response) {
          if (!response.ok()) return self->End(response.status());
          const bool news = !response->events().empty() || response->status() != self->status_;
          if (!response->events().empty()) {
            self->after_event_id_ = response->events().rbegin()->event_id();
          }
          if (!news && ++self->quiet_waits_ < kQuietWaitsMax) return self->Wait();
          self->Look();
        });
  }

  const std::shared_ptr<State> state_;
  const std::string key_;
  const std::string ns_;
  const std::string workflow_id_;
  // Touched only by the callback of the one thing under way.
  std::string run_id_;
  int64_t after_event_id_ = 0;
  int quiet_waits_ = 0;
  v1::RunStatus::Value status_ = v1::RunStatus::UNSPECIFIED;

  absl::Mutex mu_;  // after State::mu
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  SnapshotPtr snapshot_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<Watcher>> watchers_ ABSL_GUARDED_BY(mu_);
};

ProgressHub::ProgressHub(client::WorkflowClient& client, base::Clock& clock)
    : state_(std::make_shared<State>(client, clock)) {}

ProgressHub::~ProgressHub() = default;

void ProgressHub::Watch(const std::string& workflow_id, const std::string& resume_token,
                        const CallInfo& call, StreamSlots::Slot slot,
                        std::shared_ptr<Stream<CampaignProgress>> stream) {
  auto watcher = std::make_shared<Watcher>(state_->clock, call.peer, resume_token, std::move(slot),
                                           std::move(stream));
  const std::string key = absl::StrCat(call.ns, "/", workflow_id);
  while (true) {
    std::shared_ptr<Feed> feed;
    bool is_new = false;
    {
      absl::MutexLock lock(&state_->mu);
      std::shared_ptr<Feed>& slot_of = state_->feeds[key];
      is_new = slot_of == nullptr;
      if (is_new) slot_of = std::make_shared<Feed>(state_, key, call.ns, workflow_id);
      feed = slot_of;
    }
    if (!feed->Add(watcher)) continue;  // it ended in between; the next one is new
    if (is_new) feed->Look();
    return;
  }
}

}  // namespace gateway
