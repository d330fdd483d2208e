#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gateway/grpc/progress.h"

namespace gateway {

namespace {

namespace v1 = ::orchestrator::v1;
using campaign::v1::CampaignProgress;

// Also how long a change that leaves no event (PAUSED, STUCK) may stay unseen.
constexpr int kWaitSeconds = 10;
constexpr int kPageSize = 1000;

// What makes two looks different: everything but the clock.
std::string Fingerprint(CampaignProgress progress) {
  progress.clear_elapsed_seconds();
  return progress.SerializeAsString();
}

// One watch. It always has exactly one thing under way (a look, a write, or a wait for events),
// whose callback does the next; so only the end needs the lock: the peer may leave at any time.
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  Watch(client::WorkflowClient& client, base::Clock& clock, std::string workflow_id,
        std::shared_ptr<Stream<CampaignProgress>> stream, std::shared_ptr<std::atomic<int>> slots)
      : client_(client),
        clock_(clock),
        workflow_id_(std::move(workflow_id)),
        stream_(std::move(stream)),
        slots_(std::move(slots)) {}

  void Start(const CallInfo& call) {
    peer_ = call.peer;
    if (peer_ != nullptr) {
      peer_->OnGone([weak = weak_from_this()] {
        if (auto self = weak.lock()) self->Leave();
      });
    }
    Look();
  }

 private:
  void Look() {
    if (finished()) return;
    LookAtProgress(client_, clock_, workflow_id_,
                   [self = shared_from_this()](absl::StatusOr<ProgressView> view) {
                     self->Looked(std::move(view));
                   });
  }

  void Looked(absl::StatusOr<ProgressView> view) {
    if (!view.ok()) return Finish(view.status());
    if (run_id_ != view->run_id) {  // the first look, or a new run of the same workflow
      run_id_ = view->run_id;
      after_event_id_ = 0;
    }
    after_event_id_ = std::max(after_event_id_, view->history_length);
    closed_ = view->closed;
    std::string fingerprint = Fingerprint(view->progress);
    if (fingerprint == written_) return Written(true);
    written_ = std::move(fingerprint);
    {
      absl::MutexLock lock(&mu_);
      if (finished_) return;
      writing_ = true;
    }
    // A copy: the callback may finish, and let go of, the stream before Write has returned.
    const std::shared_ptr<Stream<CampaignProgress>> stream = stream_;
    stream->Write(std::move(view->progress),
                  [self = shared_from_this()](bool ok) { self->Written(ok); });
  }

  void Written(bool ok) {
    bool left = !ok;
    {
      absl::MutexLock lock(&mu_);
      writing_ = false;
      left = left || leaving_;
    }
    if (left) return Finish(WhyLeft());
    if (closed_) return Finish(absl::OkStatus());
    Wait();
  }

  void Wait() {
    if (finished()) return;
    v1::GetWorkflowHistoryRequest request;
    request.set_workflow_id(workflow_id_);
    request.set_run_id(run_id_);
    request.set_after_event_id(after_event_id_);
    request.set_page_size(kPageSize);
    request.mutable_wait()->set_seconds(kWaitSeconds);
    client_.GetHistory(
        std::move(request),
        [self = shared_from_this()](absl::StatusOr<v1::GetWorkflowHistoryResponse> response) {
          if (!response.ok()) return self->Finish(response.status());
          if (!response->events().empty()) {
            self->after_event_id_ = response->events().rbegin()->event_id();
          }
          self->Look();
        });
  }

  // The peer has left. A write under way ends first; its callback then finishes the stream.
  void Leave() {
    {
      absl::MutexLock lock(&mu_);
      leaving_ = true;
      if (writing_) return;
    }
    Finish(WhyLeft());
  }

  absl::Status WhyLeft() const {
    absl::Status why = peer_ == nullptr ? absl::OkStatus() : peer_->why();
    return why.ok() ? absl::CancelledError("the caller has left") : why;
  }

  void Finish(absl::Status status) {
    {
      absl::MutexLock lock(&mu_);
      if (std::exchange(finished_, true)) return;
    }
    slots_->fetch_sub(1);
    // Let go of here: a wait for history may keep this object for a while yet.
    const std::shared_ptr<Stream<CampaignProgress>> stream = std::move(stream_);
    stream->Finish(std::move(status));
  }

  bool finished() {
    absl::MutexLock lock(&mu_);
    return finished_;
  }

  client::WorkflowClient& client_;
  base::Clock& clock_;
  const std::string workflow_id_;
  std::shared_ptr<Stream<CampaignProgress>> stream_;  // until finished
  const std::shared_ptr<std::atomic<int>> slots_;

  std::shared_ptr<Peer> peer_;  // constant after Start; may be null
  // Touched only by the callback of the one thing under way.
  std::string run_id_;
  int64_t after_event_id_ = 0;
  bool closed_ = false;
  std::string written_;

  absl::Mutex mu_;
  bool writing_ ABSL_GUARDED_BY(mu_) = false;
  bool leaving_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace

void FollowProgress(client::WorkflowClient& client, base::Clock& clock,
                    const std::string& workflow_id, CallInfo call,
                    std::shared_ptr<Stream<CampaignProgress>> stream,
                    std::shared_ptr<std::atomic<int>> slots) {
  std::make_shared<Watch>(client, clock, workflow_id, std::move(stream), std::move(slots))
      ->Start(call);
}

}  // namespace gateway
