#include "orchestrator/engine/retention.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/filter/expression.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/history_file.h"

namespace engine {
namespace {

namespace v1 = store::v1;
using filter::Expression;

constexpr int kRunsPerBatch = 100;
constexpr size_t kBytesPerBatch = 16 << 20;
// Between batches callers come first.
constexpr absl::Duration kPause = absl::Milliseconds(20);

Expression Compare(filter::Field field, filter::Value value,
                   filter::Operator op = filter::Operator::kEqual) {
  return {.kind = Expression::Kind::kCompare, .field = field, .op = op, .value = std::move(value)};
}

Expression StatusIn(const std::vector<v1::RunStatus::Value>& statuses) {
  Expression any{.kind = Expression::Kind::kOr};
  for (const auto status : statuses) {
    any.operands.push_back(Compare(filter::Field::kStatus, static_cast<int64_t>(status)));
  }
  return any;
}

store::RunFilter ClosedBefore(absl::Time time, bool completed) {
  Expression all{.kind = Expression::Kind::kAnd};
  all.operands.push_back(Compare(filter::Field::kCloseTime, time, filter::Operator::kLess));
  Expression status = StatusIn({v1::RunStatus::COMPLETED, v1::RunStatus::CONTINUED_AS_NEW});
  if (!completed) {
    Expression other{.kind = Expression::Kind::kNot};
    other.operands.push_back(std::move(status));
    status = std::move(other);
  }
  all.operands.push_back(std::move(status));
  return {.where = std::make_shared<const Expression>(std::move(all))};
}

store::RunFilter OpenChildrenOf(const store::RunRow& row) {
  Expression all{.kind = Expression::Kind::kAnd};
  all.operands.push_back(Compare(filter::Field::kParentWorkflowId, row.workflow_id.value()));
  all.operands.push_back(
      StatusIn({v1::RunStatus::RUNNING, v1::RunStatus::PAUSED, v1::RunStatus::STUCK}));
  return {.ns = row.ns, .where = std::make_shared<const Expression>(std::move(all))};
}

bool SameMonth(absl::Time a, absl::Time b) {
  const absl::CivilMonth month(absl::ToCivilMonth(a, absl::UTCTimeZone()));
  return month == absl::ToCivilMonth(b, absl::UTCTimeZone());
}

}  // namespace

Retention::Retention(EngineOptions options, Dependencies dependencies)
    : options_(std::move(options)),
      deps_(std::move(dependencies)),
      archive_(options_.archive_dir) {}

Retention::~Retention() = default;

bool Retention::Wanted(const EngineOptions& options) {
  return options.retention > absl::ZeroDuration() ||
         options.retention_failed > absl::ZeroDuration();
}

void Retention::Start() {
  deps_.loop.Post([this] { BeginPass(); });
}

void Retention::BeginPass() {
  pass_ = {.begun = deps_.loop.clock().Now()};
  const absl::Duration failed = options_.retention_failed > absl::ZeroDuration()
                                    ? options_.retention_failed
                                    : options_.retention;
  if (failed > absl::ZeroDuration()) pass_.rules.push_back({.completed = false, .age = failed});
  if (options_.retention > absl::ZeroDuration()) {
    pass_.rules.push_back({.completed = true, .age = options_.retention});
  }
  page_.clear();
  next_in_page_ = 0;
  Step();
}

void Retention::Step() {
  while (next_in_page_ == page_.size()) {
    if (pass_.rules.empty()) return EndPass(absl::OkStatus());
    absl::StatusOr<store::RunPage> page = NextPage();
    if (!page.ok()) return EndPass(page.status());
    page_ = std::move(page->rows);
    next_in_page_ = 0;
    pass_.token = page->next_page_token;
    if (pass_.token.empty()) pass_.rules.pop_back();
  }
  absl::StatusOr<std::vector<store::RunRow>> gone = ArchiveSome(page_, next_in_page_);
  if (!gone.ok()) return EndPass(gone.status());
  if (gone->empty()) {
    deps_.loop.Post([this] { Step(); });
    return;
  }
  DeleteAll(*std::move(gone));
}

absl::StatusOr<store::RunPage> Retention::NextPage() {
  const Rule& rule = pass_.rules.back();
  return deps_.store.List(ClosedBefore(pass_.begun - rule.age, rule.completed),
                          store::RunOrder::kCloseTimeAscending, kRunsPerBatch, pass_.token);
}

absl::StatusOr<std::vector<store::RunRow>> Retention::ArchiveSome(
    const std::vector<store::RunRow>& rows, size_t& first) {
  Batch batch;
  while (first < rows.size() && batch.bytes < kBytesPerBatch) {
    const store::RunRow& row = rows[first];
    // A file holds runs of one month.
    if (!batch.rows.empty() && !SameMonth(row.close_time, batch.rows[0].close_time)) break;
    ++first;
    ASSIGN_OR_RETURN(const bool may_go, MayGo(row));
    if (!may_go) continue;
    if (!options_.archive_dir.empty()) {
      absl::StatusOr<std::string> text = Export(row);
      if (!text.ok()) {
        // One run that cannot be read does not keep the others.
        base::Log(base::LogLevel::kError, "a closed run cannot be archived and is kept",
                  {.run_id = row.run_id.value()}, {{"status", text.status().ToString()}});
        deps_.metrics.Counter("retention_failures_total", "Archiving steps that failed.")
            .Increment();
        if (absl::IsUnavailable(text.status())) return text.status();
        continue;
      }
      batch.bytes += text->size();
      batch.texts.push_back(*std::move(text));
    }
    batch.rows.push_back(row);
  }
  if (!batch.texts.empty()) {
    ASSIGN_OR_RETURN(
        const Archive::Written written,
        archive_.Write(batch.rows[0].close_time, deps_.loop.clock().Now(), batch.texts));
    deps_.metrics.Counter("archived_runs_total", "Closed runs that were written to the archive.")
        .Increment(static_cast<double>(batch.texts.size()));
    deps_.metrics.Counter("archived_bytes_total", "Bytes of archive files, compressed.")
        .Increment(static_cast<double>(written.bytes));
  }
  return std::move(batch.rows);
}

absl::StatusOr<bool> Retention::MayGo(const store::RunRow& row) {
  if (row.wake_at != absl::InfiniteFuture()) return false;  // it has messages to send
  if (!row.parent_workflow_id.empty()) {
    ASSIGN_OR_RETURN(const std::optional<store::RunRow> parent,
                     deps_.store.FindRun(row.ns, base::WorkflowId(row.parent_workflow_id)));
    if (parent.has_value() && parent->close_time == absl::InfiniteFuture()) return false;
  }
  ASSIGN_OR_RETURN(
      const store::RunPage children,
      deps_.store.List(OpenChildrenOf(row), store::RunOrder::kStartTimeDescending, 1, ""));
  return children.rows.empty();
}

absl::StatusOr<std::string> Retention::Export(const store::RunRow& row) {
  ASSIGN_OR_RETURN(const store::StoredRun run, deps_.store.LoadRun(row.run_id));
  std::vector<v1::HistoryEvent> events;
  for (const std::string& transition : run.transitions) {
    RETURN_IF_ERROR(history::Expand(transition, &events));
  }
  return history::WriteHistoryFile(history::MakeHistoryFile(std::move(events), row.status));
}

void Retention::DeleteAll(std::vector<store::RunRow> rows) {
  struct Answers {
    size_t missing = 0;
    absl::Status status;
  };
  auto answers = std::make_shared<Answers>();
  answers->missing = rows.size();
  for (const store::RunRow& row : rows) {
    deps_.delete_run(row,
                     [this, answers, alive = std::weak_ptr<bool>(alive_)](absl::Status status) {
                       if (alive.expired()) return;
                       deps_.loop.Post([this, answers, status] {
                         answers->status.Update(status);
                         if (status.ok()) {
                           ++pass_.runs;
                           deps_.metrics
                               .Counter("retention_deleted_runs_total",
                                        "Closed runs deleted when their time was up.")
                               .Increment();
                         }
                         if (--answers->missing > 0) return;
                         if (!answers->status.ok()) return EndPass(answers->status);
                         deps_.loop.PostAfter(kPause, [this] { Step(); });
                       });
                     });
  }
}

void Retention::EndPass(const absl::Status& status) {
  if (!status.ok()) {
    deps_.metrics.Counter("retention_failures_total", "Archiving steps that failed.").Increment();
    base::Log(base::LogLevel::kError, "retention stopped and will be tried again", {},
              {{"status", status.ToString()}, {"runs", pass_.runs}});
  } else if (pass_.runs > 0) {
    base::Log(base::LogLevel::kInfo, "closed runs were archived and deleted", {},
              {{"runs", pass_.runs}, {"archive_dir", options_.archive_dir}});
  }
  deps_.loop.PostAfter(options_.retention_interval, [this] { BeginPass(); });
}

}  // namespace engine
