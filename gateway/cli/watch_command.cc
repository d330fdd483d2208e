// watch: follows a campaign, over restarts of the server, until it ends.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gateway/cli/command.h"
#include "gateway/cli/progress_text.h"
#include "gateway/cli/reconnect.h"
#include "gateway/cli/table.h"
#include "gateway/json/json_writer.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"

namespace cli {

namespace {

using campaign::v1::CampaignProgress;

constexpr absl::Duration kRedrawInterval = absl::Seconds(1);

bool Closed(const CampaignProgress& progress) {
  return progress.status() != "RUNNING" && progress.status() != "PAUSED" &&
         progress.status() != "STUCK";
}

absl::Time DeadlineOf(const Session& session) {
  return session.timeout_given() ? absl::Now() + session.timeout() : absl::InfiniteFuture();
}

// Reads the stream on a thread of its own, so that the screen's clock goes on in between.
class Follower {
 public:
  Follower(Session& session, std::string workflow_id)
      : session_(session),
        workflow_id_(std::move(workflow_id)),
        deadline_(DeadlineOf(session)),
        reader_(clock_, "watch") {
    reader_.Start();
    reader_.Post([this] { Read(); });  // blocks its loop, which has nothing else to do
  }
  ~Follower() { reader_.Stop(); }

  // The next progress, or nothing after `timeout`, at a notice or at the end.
  std::optional<CampaignProgress> Next(absl::Duration timeout) {
    absl::MutexLock lock(&mu_);
    mu_.AwaitWithTimeout(absl::Condition(this, &Follower::Ready), timeout);
    return std::exchange(latest_, std::nullopt);
  }
  // What is to be said about the connection.
  std::vector<std::string> TakeNotices() {
    absl::MutexLock lock(&mu_);
    return std::exchange(notices_, {});
  }
  bool ended() {
    absl::MutexLock lock(&mu_);
    return ended_ && !latest_.has_value() && notices_.empty();
  }
  absl::Status status() {
    absl::MutexLock lock(&mu_);
    return status_;
  }

 private:
  bool Ready() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return latest_.has_value() || ended_ || !notices_.empty();
  }

  void Read() {
    Reconnect reconnect(session_.connection(), deadline_, [this](const std::string& line) {
      absl::MutexLock lock(&mu_);
      notices_.push_back(line);
    });
    absl::Status status;
    bool closed = false;
    do {
      status = ReadOnce(&reconnect, &closed);
    } while (!closed && reconnect.Again(status));
    absl::MutexLock lock(&mu_);
    status_ = closed ? absl::OkStatus() : status;
    ended_ = true;
  }

  absl::Status ReadOnce(Reconnect* reconnect, bool* closed) {
    grpc::ClientContext context;
    session_.connection().AddCaller(&context);
    if (deadline_ != absl::InfiniteFuture()) context.set_deadline(absl::ToChronoTime(deadline_));
    campaign::v1::GetProgressRequest request;
    request.set_workflow_id(workflow_id_);
    auto reader = session_.connection().campaigns().WatchProgress(&context, request);
    CampaignProgress progress;
    while (reader->Read(&progress)) {
      reconnect->Reached();
      *closed = Closed(progress);
      absl::MutexLock lock(&mu_);
      latest_ = progress;
    }
    const absl::Status status = FromGrpc(reader->Finish());
    return status.ok() ? absl::UnavailableError("the stream has ended") : status;
  }

  Session& session_;
  const std::string workflow_id_;
  const absl::Time deadline_;

  absl::Mutex mu_;
  std::optional<CampaignProgress> latest_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> notices_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  base::SystemClock clock_;
  base::EpollLoop reader_;  // last: it uses the others
};

// The block on the screen, drawn over itself.
class Screen {
 public:
  void Draw(const CampaignProgress& progress) {
    if (lines_ > 0) std::cout << "\x1b[" << lines_ << "A\x1b[J";
    const std::string block = ProgressBlock(progress, absl::Now(), Colors(), TerminalWidth());
    lines_ = std::count(block.begin(), block.end(), '\n');
    std::cout << block << std::flush;
  }
  // Other text has come below the block: the next one is drawn below that.
  void Leave() { lines_ = 0; }

 private:
  int64_t lines_ = 0;
};

}  // namespace

void Watch(Session& session, const std::string& workflow_id) {
  session.connection();
  Follower follower(session, workflow_id);
  Screen screen;
  const bool in_place = !session.json() && StdoutIsTerminal();
  std::optional<CampaignProgress> last;
  std::string last_line;
  while (!follower.ended()) {
    auto progress = follower.Next(kRedrawInterval);
    const bool changed = progress.has_value();
    if (changed) last = std::move(progress);
    for (const std::string& notice : follower.TakeNotices()) {
      screen.Leave();
      std::cerr << notice << std::endl;
    }
    if (!last.has_value()) continue;
    if (in_place) {
      screen.Draw(*last);
    } else if (changed && session.json()) {
      std::cout << gateway::ToJson(*last) << std::endl;
    } else if (changed) {
      const std::string line = ProgressLine(*last, absl::Now());
      if (line.substr(8) != last_line) std::cout << line << std::flush;  // 8: the time
      last_line = line.substr(8);
    }
  }
  if (!follower.status().ok()) return session.Fail(follower.status());
  if (!last.has_value() || session.json()) {
    session.exit_code = last.has_value() && last->status() == "COMPLETED" ? kOk : kEndedBadly;
    return;
  }
  orchestrator::v1::GetWorkflowResultRequest request;
  request.set_workflow_id(workflow_id);
  request.set_run_id(last->run_id());
  Reconnect reconnect(session.connection(), DeadlineOf(session), &Reconnect::ToStderr);
  reconnect.Reached();
  absl::StatusOr<orchestrator::v1::GetWorkflowResultResponse> result;
  do {
    result = session.connection().Call(&orchestrator::v1::WorkflowService::Stub::GetWorkflowResult,
                                       request);
  } while (!result.ok() && reconnect.Again(result.status()));
  if (!result.ok()) return session.Fail(result.status());
  PrintResult(session, *result);
}

void AddWatchCommand(CLI::App& app, Session& session) {
  auto id = std::make_shared<std::string>();
  CLI::App* watch = AddCommand(
      app, "watch", "Follows a campaign until it ends; the exit code is its outcome",
      "campaignctl watch campaign-2c26b46b68ffc68f", [&session, id] { Watch(session, *id); });
  watch->add_option("WORKFLOW_ID", *id, "The campaign's workflow id")->required();
}

}  // namespace cli
