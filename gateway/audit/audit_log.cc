#include "gateway/audit/audit_log.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gateway/audit/head_file.h"
#include "gateway/audit/refusals.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/status_macros.h"

namespace audit {
namespace {

constexpr size_t kCommitMax = 5000;     // events of one commit
constexpr int kOpenCallsMax = 100'000;  // closed at a start
constexpr int kVerifyChunk = 1000;
constexpr absl::Duration kSweepInterval = absl::Seconds(10);
constexpr char kServer[] = "campaignd";
constexpr char kSaltKey[] = ".salt";

Event ServerEvent(std::string action, std::string subject, std::string outcome,
                  std::string detail) {
  return {.actor = kServer,
          .credential = "server",
          .action = std::move(action),
          .subject = std::move(subject),
          .outcome = std::move(outcome),
          .detail = std::move(detail)};
}

// The entries of `events` behind `head`, which becomes the new head.
Entry Chain(Event event, absl::Time time, Head* head) {
  Entry entry{.event = std::move(event),
              .sequence = head->sequence + 1,
              .time = absl::FromUnixMicros(absl::ToUnixMicros(time)),
              .prev_hash = head->hash};
  entry.hash = HashOf(entry);
  *head = {.sequence = entry.sequence, .hash = entry.hash};
  return entry;
}

// What is wrong with a trail that ends in `head`, by its head file.
absl::StatusOr<std::vector<std::string>> CompareWithHeadFile(AuditDatabase& database,
                                                             const Head& head,
                                                             const std::string& path,
                                                             const std::string& key) {
  std::vector<std::string> problems;
  const absl::StatusOr<HeadFile::Content> content = HeadFile::Read(path, key);
  if (!content.ok()) {
    if (head.sequence > 0 || !absl::IsNotFound(content.status())) {
      problems.push_back(std::string(content.status().message()));
    }
    return problems;
  }
  if (!key.empty() && !content->is_signed) {
    problems.push_back(absl::StrCat(
        path, " is not signed although there is a key: right at the first start with one"));
  }
  const int64_t known = content->head.sequence;
  if (known > head.sequence) {
    problems.push_back(absl::StrCat("the end is missing: the trail ends at event ", head.sequence,
                                    ", its head file knows event ", known));
  } else if (known > 0) {
    ASSIGN_OR_RETURN(const std::vector<Entry> there,
                     database.Read({.after = known - 1, .before = known + 1, .limit = 1}));
    if (there.empty() || there[0].hash != content->head.hash) {
      problems.push_back(absl::StrCat(
          "event ", known, " is not the one that the head file holds: it was written anew"));
    }
  }
  return problems;
}

absl::StatusOr<Verdict> VerifyAll(AuditDatabase& database, std::vector<Witness> witnesses) {
  Verifier verifier(std::move(witnesses));
  int64_t after = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<Entry> entries,
                     database.Read({.after = after, .limit = kVerifyChunk}));
    for (const Entry& entry : entries) {
      if (!verifier.Add(entry)) return verifier.Finish();
    }
    if (entries.empty()) return verifier.Finish();
    after = entries.back().sequence;
  }
}

// So that the first of these is an increase.
void CountFromZero(base::Metrics& metrics) {
  metrics.Counter("audit_commit_failures_total", "Commits of audit events that failed.");
  metrics.Counter("audit_events_lost_total", "Outcomes that could not be recorded.");
  metrics.Counter("audit_refusals_total", "Calls that were refused.",
                  {{"action", "sign-in.failed"}});
}

}  // namespace

struct AuditLog::Impl {
  struct Pending {
    Event event;
    absl::Time time;
    Appended done;  // may be null
  };
  struct Answer {
    Appended done;
    absl::StatusOr<int64_t> sequence;
  };

  Impl(Options options_in, base::Clock& clock_in, base::Metrics* metrics_in)
      : options(std::move(options_in)),
        clock(clock_in),
        metrics(metrics_in),
        writer(clock_in, "audit"),
        answers(clock_in, "audit-answer"),
        reader(clock_in, "audit-read") {}

  std::string Path(const char* name) const { return absl::StrCat(options.directory, "/", name); }
  absl::Status OpenFiles();
  absl::Status RecordStart();
  absl::Status CommitNow(std::vector<Event> events,
                         const std::map<std::string, std::string>* settings = nullptr);
  absl::Status Commit(const std::vector<Entry>& entries, const Head& end,
                      const std::map<std::string, std::string>* settings);
  void Enqueue(Pending pending);
  void Flush();
  void FlushSome(std::vector<Pending> batch);
  void Resync();
  void Suspect(const Head& before);
  void Sweep(bool all);
  void LogHead(bool force);
  void StartVerify(std::vector<Witness> witnesses, Done<Verdict> done);
  void VerifySome(std::shared_ptr<Verifier> verifier, int64_t after, int64_t upto,
                  Done<Verdict> done);
  void Count(const std::vector<Entry>& entries, absl::Duration elapsed);

  const Options options;
  base::Clock& clock;
  base::Metrics* const metrics;

  std::unique_ptr<AuditDatabase> database;  // the writer's thread, after Open
  std::unique_ptr<AuditDatabase> view;      // the reader's thread
  std::unique_ptr<HeadFile> head_file;      // the writer's
  Head tail;                                // the writer's: what is committed
  Head logged_head;
  absl::Time head_logged_at = absl::InfinitePast();
  std::string salt;

  absl::Mutex mu;
  std::vector<Pending> queue ABSL_GUARDED_BY(mu);
  bool flush_posted ABSL_GUARDED_BY(mu) = false;
  bool flush_timed ABSL_GUARDED_BY(mu) = false;
  bool closed ABSL_GUARDED_BY(mu) = false;
  int64_t lost ABSL_GUARDED_BY(mu) = 0;
  Refusals refusals ABSL_GUARDED_BY(mu);
  Head committed ABSL_GUARDED_BY(mu);

  base::EpollLoop writer;
  base::EpollLoop answers;
  base::EpollLoop reader;
};

absl::Status AuditLog::Impl::OpenFiles() {
  ASSIGN_OR_RETURN(database, AuditDatabase::Open(Path(kFileName)));
  ASSIGN_OR_RETURN(view, AuditDatabase::OpenForReading(Path(kFileName)));
  ASSIGN_OR_RETURN(tail, database->ReadHead());
  return absl::OkStatus();
}

absl::Status AuditLog::Impl::RecordStart() {
  ASSIGN_OR_RETURN(const std::vector<std::string> problems,
                   CompareWithHeadFile(*database, tail, Path(kHeadFileName), options.key));
  std::vector<Event> events;
  for (const std::string& problem : problems) {
    base::Log(base::LogLevel::kError,
              "the audit trail does not fit its head: run `campaignctl audit verify`", {},
              {{"problem", problem}});
    events.push_back(ServerEvent("audit.suspect", "audit", "DATA_LOSS", problem));
  }
  events.push_back(ServerEvent("server.start", "server", kOk, options.version));
  ASSIGN_OR_RETURN(const std::vector<Entry> open, database->OpenCalls(kOpenCallsMax));
  for (const Entry& call : open) {
    Event event = call.event;
    event.outcome = kUnknown;
    event.detail = "the server ended before the call did";
    event.started_by = call.sequence;
    events.push_back(std::move(event));
  }
  ASSIGN_OR_RETURN(head_file, HeadFile::Open(Path(kHeadFileName), options.key));
  return CommitNow(std::move(events));
}

// Before the threads run, or on the writer's.
absl::Status AuditLog::Impl::CommitNow(std::vector<Event> events,
                                       const std::map<std::string, std::string>* settings) {
  std::vector<Entry> entries;
  Head end = tail;
  for (Event& event : events) {
    entries.push_back(Chain(Clean(std::move(event)), clock.Now(), &end));
  }
  return Commit(entries, end, settings);
}

absl::Status AuditLog::Impl::Commit(const std::vector<Entry>& entries, const Head& end,
                                    const std::map<std::string, std::string>* settings) {
  const absl::Duration start = clock.Monotonic();
  if (options.fail_commit) RETURN_IF_ERROR(options.fail_commit());
  if (absl::Status status = database->Append(entries, settings); !status.ok()) {
    const Head before = tail;
    Resync();
    // A commit whose outcome was unknown may have been one.
    if (!(tail == end)) {
      if (!(tail == before)) Suspect(before);
      return status;
    }
  }
  tail = end;
  {
    absl::MutexLock lock(&mu);
    committed = tail;
  }
  if (absl::Status status = head_file->Write(tail); !status.ok()) {
    base::Log(base::LogLevel::kError, "the head of the audit trail could not be written", {},
              {{"error", std::string(status.message())}});
  }
  Count(entries, clock.Monotonic() - start);
  return absl::OkStatus();
}

void AuditLog::Impl::Resync() {
  const absl::StatusOr<Head> head = database->ReadHead();
  if (!head.ok()) return;
  tail = *head;
}

// Somebody else wrote into the file: what he wrote is left in it, and is told apart by this event.
void AuditLog::Impl::Suspect(const Head& before) {
  const std::string problem =
      absl::StrCat("the trail ended at event ", before.sequence, " and now ends at event ",
                   tail.sequence, ": what lies between was not written by this server");
  base::Log(base::LogLevel::kError, "the audit trail was changed by somebody else", {},
            {{"problem", problem}});
  absl::MutexLock lock(&mu);
  queue.push_back(
      {.event = ServerEvent("audit.suspect", "audit", "DATA_LOSS", problem), .time = clock.Now()});
}

void AuditLog::Impl::Count(const std::vector<Entry>& entries, absl::Duration elapsed) {
  if (metrics == nullptr) return;
  for (const Entry& entry : entries) {
    metrics
        ->Counter("audit_events_total", "Events in the audit trail.",
                  {{"outcome", entry.event.outcome}})
        .Increment();
  }
  metrics->Gauge("audit_sequence", "The last event of the audit trail; it never goes back.")
      .Set(static_cast<double>(tail.sequence));
  metrics
      ->Histogram("audit_commit_seconds", "Time of a commit of audit events.", {},
                  base::Metrics::LatencyBuckets())
      .Observe(absl::ToDoubleSeconds(elapsed));
}

void AuditLog::Impl::Enqueue(Pending pending) {
  absl::Status refused;
  {
    absl::MutexLock lock(&mu);
    if (closed) {
      refused = absl::UnavailableError("the server is stopping; try again");
    } else if (queue.size() >= options.waiting_max) {
      refused = absl::ResourceExhaustedError("too much waits for the audit trail; try again later");
      if (!pending.done) ++lost;
    } else {
      const bool at_once = static_cast<bool>(pending.done);
      queue.push_back(std::move(pending));
      if (flush_posted) return;
      if (at_once || queue.size() >= kCommitMax) {
        flush_posted = true;
        writer.Post([this] { Flush(); });
      } else if (!std::exchange(flush_timed, true)) {
        writer.Post([this] { writer.PostAfter(options.later_max, [this] { Flush(); }); });
      }
      return;
    }
  }
  if (pending.done) pending.done(refused);
}

void AuditLog::Impl::Flush() {
  std::vector<Pending> all;
  int64_t lost_now = 0;
  {
    absl::MutexLock lock(&mu);
    flush_posted = false;
    flush_timed = false;
    all.swap(queue);
    lost_now = std::exchange(lost, 0);
  }
  if (lost_now > 0) {
    if (metrics != nullptr) {
      metrics->Counter("audit_events_lost_total", "Outcomes that could not be recorded.")
          .Increment(static_cast<double>(lost_now));
    }
    all.push_back({.event = ServerEvent("audit.lost", "audit", "RESOURCE_EXHAUSTED",
                                        absl::StrCat(lost_now, " outcomes were not recorded")),
                   .time = clock.Now()});
  }
  for (size_t at = 0; at < all.size(); at += kCommitMax) {
    const size_t end = std::min(all.size(), at + kCommitMax);
    FlushSome({std::make_move_iterator(all.begin() + static_cast<ptrdiff_t>(at)),
               std::make_move_iterator(all.begin() + static_cast<ptrdiff_t>(end))});
  }
}

void AuditLog::Impl::FlushSome(std::vector<Pending> batch) {
  Head end = tail;
  std::vector<Entry> entries;
  entries.reserve(batch.size());
  for (Pending& pending : batch) {
    entries.push_back(Chain(Clean(pending.event), pending.time, &end));
  }
  const absl::Status status = Commit(entries, end, nullptr);
  if (!status.ok()) {
    base::Log(base::LogLevel::kError, "audit events could not be recorded", {},
              {{"events", batch.size()}, {"error", std::string(status.message())}});
    if (metrics != nullptr) {
      metrics->Counter("audit_commit_failures_total", "Commits of audit events that failed.")
          .Increment();
    }
  }
  std::vector<Answer> answered;
  std::vector<Pending> again;  // nobody waits for them: they are tried once more with the next
  for (size_t i = 0; i < batch.size(); ++i) {
    if (batch[i].done) {
      answered.push_back({.done = std::move(batch[i].done),
                          .sequence = status.ok() ? absl::StatusOr<int64_t>(entries[i].sequence)
                                                  : absl::StatusOr<int64_t>(status)});
    } else if (!status.ok()) {
      again.push_back(std::move(batch[i]));
    }
  }
  if (!again.empty()) {
    absl::MutexLock lock(&mu);
    const size_t room = options.waiting_max - std::min(options.waiting_max, queue.size());
    if (again.size() > room) {
      lost += static_cast<int64_t>(again.size() - room);
      again.resize(room);
    }
    queue.insert(queue.begin(), std::make_move_iterator(again.begin()),
                 std::make_move_iterator(again.end()));
  }
  if (answered.empty()) return;
  answers.Post([answered = std::move(answered)]() mutable {
    for (Answer& answer : answered) answer.done(std::move(answer.sequence));
  });
}

void AuditLog::Impl::Sweep(bool all) {
  std::vector<Event> events;
  {
    absl::MutexLock lock(&mu);
    events = refusals.Sweep(clock.Now(), all);
  }
  for (Event& event : events) {
    Enqueue({.event = std::move(event), .time = clock.Now()});
  }
  Flush();  // also what a failed commit left
  LogHead(false);
  if (!all) writer.PostAfter(kSweepInterval, [this] { Sweep(false); });
}

// Logs are kept elsewhere: a head in them is a witness.
void AuditLog::Impl::LogHead(bool force) {
  if (tail == logged_head || (!force && clock.Now() < head_logged_at + options.head_log_interval)) {
    return;
  }
  logged_head = tail;
  head_logged_at = clock.Now();
  base::Log(base::LogLevel::kInfo, "audit head", {}, {{"head", HeadText(tail)}});
}

void AuditLog::Impl::VerifySome(std::shared_ptr<Verifier> verifier, int64_t after, int64_t upto,
                                Done<Verdict> done) {
  const absl::StatusOr<std::vector<Entry>> entries =
      view->Read({.after = after, .before = upto + 1, .limit = kVerifyChunk});
  if (!entries.ok()) return done(entries.status());
  for (const Entry& entry : *entries) {
    if (!verifier->Add(entry)) return done(verifier->Finish());
  }
  if (entries->empty()) return done(verifier->Finish());
  const int64_t last = entries->back().sequence;
  // Lists get their turn in between.
  reader.Post([this, verifier = std::move(verifier), last, upto, done = std::move(done)]() mutable {
    VerifySome(std::move(verifier), last, upto, std::move(done));
  });
}

// On the writer's thread nothing is committed meanwhile: the file and the memory belong together.
void AuditLog::Impl::StartVerify(std::vector<Witness> witnesses, Done<Verdict> done) {
  Flush();
  witnesses.push_back({"the server's memory", tail});
  const absl::StatusOr<HeadFile::Content> file = HeadFile::Read(Path(kHeadFileName), options.key);
  if (!file.ok()) {
    Verdict verdict{.intact = false, .head = tail, .first_bad = tail.sequence};
    verdict.problem = std::string(file.status().message());
    return answers.Post(
        [verdict = std::move(verdict), done = std::move(done)]() mutable { done(verdict); });
  }
  witnesses.push_back({"the head file", file->head});
  reader.Post([this, verifier = std::make_shared<Verifier>(std::move(witnesses)),
               upto = tail.sequence, done = std::move(done)]() mutable {
    VerifySome(std::move(verifier), 0, upto, std::move(done));
  });
}

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditLog::~AuditLog() { Close(); }

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(Options options, base::Clock& clock,
                                                         base::Metrics* metrics) {
  if (metrics != nullptr) CountFromZero(*metrics);
  auto impl = std::make_unique<Impl>(std::move(options), clock, metrics);
  RETURN_IF_ERROR(impl->OpenFiles());
  RETURN_IF_ERROR(impl->RecordStart());
  impl->LogHead(true);
  for (base::EpollLoop* loop : {&impl->writer, &impl->answers, &impl->reader}) loop->Start();
  impl->writer.Post([impl = impl.get()] {
    impl->writer.PostAfter(kSweepInterval, [impl] { impl->Sweep(false); });
  });
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(impl)));
}

absl::StatusOr<int64_t> AuditLog::AppendOffline(Options options, base::Clock& clock, Event event) {
  Impl impl(std::move(options), clock, nullptr);
  RETURN_IF_ERROR(impl.OpenFiles());
  const std::string head_path = impl.Path(kHeadFileName);
  ASSIGN_OR_RETURN(const std::vector<std::string> problems,
                   CompareWithHeadFile(*impl.database, impl.tail, head_path, impl.options.key));
  std::vector<Event> events;
  // The new head would cover it up.
  for (const std::string& problem : problems) {
    events.push_back(ServerEvent("audit.suspect", "audit", "DATA_LOSS", problem));
  }
  events.push_back(std::move(event));
  ASSIGN_OR_RETURN(impl.head_file, HeadFile::Open(head_path, impl.options.key));
  RETURN_IF_ERROR(impl.CommitNow(std::move(events)));
  return impl.tail.sequence;
}

void AuditLog::Append(Event event, Appended done) {
  impl_->Enqueue({.event = std::move(event), .time = impl_->clock.Now(), .done = std::move(done)});
}

void AuditLog::AppendLater(Event event) {
  impl_->Enqueue({.event = std::move(event), .time = impl_->clock.Now()});
}

void AuditLog::AppendRefusal(Event event) {
  if (impl_->metrics != nullptr) {
    impl_->metrics
        ->Counter("audit_refusals_total", "Calls that were refused.", {{"action", event.action}})
        .Increment();
  }
  std::optional<Event> now;
  {
    absl::MutexLock lock(&impl_->mu);
    now = impl_->refusals.Add(std::move(event), impl_->clock.Now());
  }
  if (now.has_value()) AppendLater(*std::move(now));
}

absl::Status AuditLog::RecordSettings(const std::map<std::string, SettingValue>& settings) {
  absl::Status result;
  absl::Mutex mu;
  bool done = false;
  impl_->writer.Post([&] {
    const auto record = [&]() -> absl::Status {
      ASSIGN_OR_RETURN(const auto before, impl_->database->ReadSettings());
      const bool first = before.empty();
      std::map<std::string, std::string> now;
      const auto salt = before.find(kSaltKey);
      // The chain's first hash is as unpredictable as its first moment; secrets are long.
      now[kSaltKey] = salt == before.end() ? absl::BytesToHexString(Sha256(HeadText(impl_->tail)))
                                           : salt->second;
      std::vector<Event> events;
      for (const auto& [key, setting] : settings) {
        std::string kept = setting.value;
        if (setting.secret && !kept.empty()) {
          // 16 bits: enough to see a change, too few to find the secret by.
          kept = absl::BytesToHexString(
              Sha256(absl::StrCat(now[kSaltKey], "\n", key, "\n", setting.value)).substr(0, 2));
        }
        now[key] = kept;
        const auto old = before.find(key);
        if (old != before.end() ? old->second == kept : (first && setting.is_default)) continue;
        std::string detail;
        if (setting.secret) {
          detail = kept.empty()                                 ? "removed"
                   : old == before.end() || old->second.empty() ? "set"
                                                                : "changed";
        } else {
          detail = old == before.end()
                       ? absl::StrCat("\"", setting.value, "\"")
                       : absl::StrCat("\"", old->second, "\" -> \"", setting.value, "\"");
        }
        if (!setting.source.empty()) absl::StrAppend(&detail, " (", setting.source, ")");
        events.push_back(
            ServerEvent("settings.change", absl::StrCat("setting/", key), kOk, std::move(detail)));
      }
      if (events.empty() && !first) return absl::OkStatus();
      return impl_->CommitNow(std::move(events), &now);
    };
    const absl::Status status = record();
    absl::MutexLock lock(&mu);
    result = status;
    done = true;
  });
  absl::MutexLock lock(&mu);
  mu.Await(absl::Condition(&done));
  return result;
}

Head AuditLog::head() const {
  absl::MutexLock lock(&impl_->mu);
  return impl_->committed;
}

bool AuditLog::head_signed() const { return !impl_->options.key.empty(); }

void AuditLog::Read(AuditDatabase::Query query, Done<std::vector<Entry>> done) {
  {
    absl::MutexLock lock(&impl_->mu);
    if (!impl_->closed) {
      impl_->writer.Post(
          [impl = impl_.get(), query = std::move(query), done = std::move(done)]() mutable {
            impl->Flush();
            impl->reader.Post([impl, query = std::move(query), done = std::move(done)]() mutable {
              done(impl->view->Read(query));
            });
          });
      return;
    }
  }
  done(absl::UnavailableError("the server is stopping; try again"));
}

void AuditLog::Verify(std::optional<Head> expected, Done<Verdict> done) {
  std::vector<Witness> witnesses;
  if (expected.has_value()) witnesses.push_back({"the expected head", *expected});
  {
    absl::MutexLock lock(&impl_->mu);
    if (!impl_->closed) {
      impl_->writer.Post(
          [impl = impl_.get(), witnesses = std::move(witnesses), done = std::move(done)]() mutable {
            impl->StartVerify(std::move(witnesses), std::move(done));
          });
      return;
    }
  }
  done(absl::UnavailableError("the server is stopping; try again"));
}

void AuditLog::Close() {
  {
    absl::MutexLock lock(&impl_->mu);
    if (std::exchange(impl_->closed, true)) return;
    for (Event& event : impl_->refusals.Sweep(impl_->clock.Now(), /*all=*/true)) {
      impl_->queue.push_back({.event = std::move(event), .time = impl_->clock.Now()});
    }
    impl_->queue.push_back(
        {.event = ServerEvent("server.stop", "server", kOk, ""), .time = impl_->clock.Now()});
  }
  impl_->writer.Post([impl = impl_.get()] {
    impl->Flush();
    impl->LogHead(true);
  });
  impl_->writer.Stop();
  impl_->reader.Stop();
  impl_->answers.Stop();
}

absl::StatusOr<Verdict> VerifyFile(const std::string& path, const std::string& head_path,
                                   const std::string& key, std::optional<Head> expected) {
  ASSIGN_OR_RETURN(auto database, AuditDatabase::OpenForReading(path));
  std::vector<Witness> witnesses;
  if (expected.has_value()) witnesses.push_back({"the expected head", *expected});
  if (!head_path.empty()) {
    ASSIGN_OR_RETURN(const HeadFile::Content content, HeadFile::Read(head_path, key));
    witnesses.push_back({"the head file", content.head});
  }
  return VerifyAll(*database, std::move(witnesses));
}

}  // namespace audit
