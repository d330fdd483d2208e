#include "orchestrator/store/sqlite/reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/store/sqlite/encoding.h"
#include "orchestrator/store/sqlite/filter_sql.h"

namespace store::sqlite {
namespace {

constexpr int kPageSizeMax = 1000;

absl::Status DataLoss(const base::RunId& run_id, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("run ", run_id.value(), ": ", what,
                                          "; stop this run and restore it from a backup"));
}

// A page token is "<start or close time>_<row id>" of the last row of the page before.
struct ListPosition {
  int64_t start_time = INT64_MAX;
  int64_t row_id = INT64_MAX;
};

std::string FormatToken(const ListPosition& position) {
  return absl::StrCat(position.start_time, "_", position.row_id);
}

absl::StatusOr<ListPosition> ParseToken(const std::string& token) {
  ListPosition position;
  if (token.empty()) return position;
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '_');
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &position.start_time) ||
      !absl::SimpleAtoi(parts[1], &position.row_id)) {
    return absl::InvalidArgumentError(
        absl::StrCat("page token \"", token.substr(0, 64), "\" is not one that a list has given"));
  }
  return position;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Reader>> Reader::Open(const database::ConnectionOptions& options) {
  database::ConnectionOptions read_only = options;
  read_only.read_only = true;
  ASSIGN_OR_RETURN(std::unique_ptr<database::Connection> db, database::Connection::Open(read_only));
  std::unique_ptr<Reader> reader(new Reader(std::move(db)));
  RETURN_IF_ERROR(reader->PrepareAll());
  return reader;
}

absl::Status Reader::PrepareAll() {
  const struct {
    database::Statement& statement;
    std::string sql;
  } kAll[] = {
      {begin_, "BEGIN"},
      {end_, "COMMIT"},
      {find_, absl::StrCat("SELECT ", kRunColumns, " FROM runs", kRunJoins, " WHERE run_id = ?1")},
      {find_newest_, absl::StrCat("SELECT ", kRunColumns, " FROM runs", kRunJoins,
                                  " WHERE namespace = ?1 AND workflow_id = ?2 "
                                  "ORDER BY start_time DESC, id DESC LIMIT 1")},
      {history_,
       "SELECT key, event_count, data FROM history WHERE key BETWEEN ?1 AND ?2 "
       "ORDER BY key"},
      {attempts_, "SELECT key, data FROM attempts WHERE key BETWEEN ?1 AND ?2 ORDER BY key"},
      // The inner query finds the transition that holds the wanted event, which may begin before.
      {transitions_,
       "SELECT data FROM history WHERE key BETWEEN "
       "(SELECT max(key) FROM history WHERE key BETWEEN ?1 AND ?2) AND ?3 "
       "AND key + event_count > ?2 ORDER BY key LIMIT ?4"},
      {due_,
       "SELECT run_id, wake_at FROM runs INDEXED BY runs_due WHERE wake_at IS NOT NULL AND "
       "(wake_at, run_id) > (?1, ?2) AND wake_at <= ?3 AND slot BETWEEN ?4 AND ?5 "
       "ORDER BY wake_at, run_id LIMIT ?6"},
      {counts_,
       "SELECT workflow_type, status, count FROM run_counts WHERE count > 0 "
       "ORDER BY workflow_type, status"},
      {blob_, "SELECT data FROM blobs WHERE hash = ?1"},
  };
  for (const auto& [statement, sql] : kAll) {
    ASSIGN_OR_RETURN(statement, database::Statement::Prepare(*db_, sql));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Reader::FindRowId(const base::RunId& run_id, RunRow* row) {
  const RunKey key(run_id);
  database::Statement::Scope reset(find_);
  key.BindTo(find_, 1);
  ASSIGN_OR_RETURN(const bool found, find_.Next());
  if (!found) return absl::NotFoundError(absl::StrCat("no run ", run_id.value()));
  if (row != nullptr) *row = ReadRunRow(find_);
  return find_.Int(kRowIdColumn);
}

absl::StatusOr<StoredRun> Reader::LoadRun(const base::RunId& run_id) {
  return InSnapshot<StoredRun>([&] { return LoadInSnapshot(run_id); });
}

template <typename T, typename Fn>
absl::StatusOr<T> Reader::InSnapshot(Fn read) {
  RETURN_IF_ERROR(begin_.Run());
  absl::StatusOr<T> result = read();
  if (absl::Status ended = end_.Run(); !ended.ok()) {
    db_->RollBack();
    return ended;
  }
  return result;
}

absl::StatusOr<StoredRun> Reader::LoadInSnapshot(const base::RunId& run_id) {
  StoredRun run;
  ASSIGN_OR_RETURN(const int64_t row_id, FindRowId(run_id, &run.row));
  RETURN_IF_ERROR(LoadTransitions(row_id, run));
  RETURN_IF_ERROR(LoadAttempts(row_id, run));
  return run;
}

absl::Status Reader::LoadTransitions(int64_t row_id, StoredRun& run) {
  database::Statement::Scope reset(history_);
  history_.BindInt(1, EventKey(row_id, 0));
  history_.BindInt(2, EventKey(row_id, kEventIdMax));
  base::EventId next = 1;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, history_.Next());
    if (!found) break;
    const base::EventId first = EventIdOf(history_.Int(0));
    if (first != next) {
      return DataLoss(run.row.run_id, absl::StrCat("its history has a gap: event ", next,
                                                   " is missing, the next stored is ", first));
    }
    next += history_.Int(1);
    run.transitions.push_back(history_.Text(2));
  }
  if (next == run.row.next_event_id) return absl::OkStatus();
  return DataLoss(run.row.run_id, absl::StrCat("its history ends before event ", next,
                                               ", the run is at ", run.row.next_event_id));
}

absl::Status Reader::LoadAttempts(int64_t row_id, StoredRun& run) {
  database::Statement::Scope reset(attempts_);
  attempts_.BindInt(1, EventKey(row_id, 0));
  attempts_.BindInt(2, EventKey(row_id, kEventIdMax));
  while (true) {
    ASSIGN_OR_RETURN(const bool found, attempts_.Next());
    if (!found) return absl::OkStatus();
    const absl::string_view bytes = attempts_.Bytes(1);
    if (!run.attempts.emplace_back().ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return DataLoss(run.row.run_id, absl::StrCat("the stored attempt of the activity scheduled "
                                                   "by event ",
                                                   EventIdOf(attempts_.Int(0)), " cannot be read"));
    }
  }
}

absl::StatusOr<std::optional<RunRow>> Reader::FindRun(const base::Namespace& ns,
                                                      const base::WorkflowId& workflow_id) {
  database::Statement::Scope reset(find_newest_);
  find_newest_.BindText(1, ns.value());
  find_newest_.BindText(2, workflow_id.value());
  ASSIGN_OR_RETURN(const bool found, find_newest_.Next());
  if (!found) return std::nullopt;
  return ReadRunRow(find_newest_);
}

absl::StatusOr<std::optional<RunRow>> Reader::FindRunById(const base::RunId& run_id) {
  RunRow row;
  const absl::StatusOr<int64_t> found = FindRowId(run_id, &row);
  if (absl::IsNotFound(found.status())) return std::nullopt;
  if (!found.ok()) return found.status();
  return row;
}

absl::StatusOr<database::Statement*> Reader::ListStatement(const RunFilter& filter) {
  const bool by_ns = !filter.ns.empty();
  const bool by_status = filter.status != v1::RunStatus::UNSPECIFIED;
  const bool by_type = !filter.workflow_type.empty();
  database::Statement& statement = list_[by_ns + 2 * by_status + 4 * by_type];
  if (!statement) {
    const char* index = by_status ? "runs_status" : by_type ? "runs_type" : "runs_start";
    ASSIGN_OR_RETURN(
        statement,
        database::Statement::Prepare(
            *db_, absl::StrCat(
                      "SELECT ", kRunColumns, " FROM runs INDEXED BY ", index, kRunJoins,
                      " WHERE (start_time, id) < (?1, ?2)", by_status ? " AND status = ?4" : "",
                      by_type ? " AND workflow_type = ?5" : "", by_ns ? " AND namespace = ?6" : "",
                      " ORDER BY start_time DESC, id DESC LIMIT ?3")));
  }
  if (by_status) statement.BindInt(4, filter.status);
  if (by_type) statement.BindText(5, filter.workflow_type);
  if (by_ns) statement.BindText(6, filter.ns.value());
  return &statement;
}

absl::StatusOr<RunPage> Reader::List(const RunFilter& filter, RunOrder order, int page_size,
                                     const std::string& page_token) {
  if (filter.where == nullptr && order == RunOrder::kStartTimeDescending) {
    return ListPlain(filter, page_size, page_token);
  }
  const bool by_close =
      order == RunOrder::kCloseTimeDescending || order == RunOrder::kCloseTimeAscending;
  const bool down =
      order == RunOrder::kStartTimeDescending || order == RunOrder::kCloseTimeDescending;
  ASSIGN_OR_RETURN(ListPosition after, ParseToken(page_token));
  if (page_token.empty() && !down) after = {.start_time = INT64_MIN, .row_id = INT64_MIN};
  const Query query = CompileQuery(filter, order);
  const char* direction = down ? " DESC" : " ASC";
  ASSIGN_OR_RETURN(
      database::Statement list,
      database::Statement::Prepare(
          *db_, absl::StrCat("SELECT ", kRunColumns, " FROM ", query.from, " WHERE ",
                             query.where.text, " AND (", query.order_key, ", ", query.order_id,
                             down ? ") < (?, ?)" : ") > (?, ?)", " ORDER BY ", query.order_key,
                             direction, ", ", query.order_id, direction, " LIMIT ?")));
  const size_t size = std::clamp(page_size, 1, kPageSizeMax);
  const int next = BindAll(list, 1, query.where.values);
  list.BindInt(next, after.start_time);
  list.BindInt(next + 1, after.row_id);
  list.BindInt(next + 2, static_cast<int64_t>(size) + 1);
  RunPage page;
  ListPosition last;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, list.Next());
    if (!found) return page;
    if (page.rows.size() == size) {
      page.next_page_token = FormatToken(last);
      return page;
    }
    page.rows.push_back(ReadRunRow(list));
    const RunRow& row = page.rows.back();
    last = {.start_time = EncodeTime(by_close ? row.close_time : row.start_time),
            .row_id = list.Int(kRowIdColumn)};
  }
}

absl::StatusOr<RunPage> Reader::ListPlain(const RunFilter& filter, int page_size,
                                          const std::string& page_token) {
  ASSIGN_OR_RETURN(const ListPosition after, ParseToken(page_token));
  ASSIGN_OR_RETURN(database::Statement * list, ListStatement(filter));
  const size_t size = std::clamp(page_size, 1, kPageSizeMax);
  database::Statement::Scope reset(*list);
  list->BindInt(1, after.start_time);
  list->BindInt(2, after.row_id);
  list->BindInt(3, static_cast<int64_t>(size) + 1);  // one more says whether there is a next page
  RunPage page;
  ListPosition last;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, list->Next());
    if (!found) return page;
    if (page.rows.size() == size) {
      page.next_page_token = FormatToken(last);
      return page;
    }
    page.rows.push_back(ReadRunRow(*list));
    last = {.start_time = EncodeTime(page.rows.back().start_time),
            .row_id = list->Int(kRowIdColumn)};
  }
}

absl::StatusOr<std::vector<DueRun>> Reader::DueRuns(int slot_first, int slot_last,
                                                    const DueRun& after, absl::Time until,
                                                    int limit) {
  const RunKey after_key(after.run_id);
  database::Statement::Scope reset(due_);
  due_.BindInt(1, EncodeWake(after.wake_at));
  after_key.BindTo(due_, 2);
  due_.BindInt(3, EncodeWake(until));
  due_.BindInt(4, slot_first);
  due_.BindInt(5, slot_last);
  due_.BindInt(6, std::max(0, limit));
  std::vector<DueRun> due;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, due_.Next());
    if (!found) return due;
    due.push_back({.run_id = ReadRunId(due_, 0), .wake_at = DecodeWake(due_.Int(1))});
  }
}

absl::StatusOr<std::vector<std::string>> Reader::ReadTransitions(const base::RunId& run_id,
                                                                 base::EventId after_event_id,
                                                                 int limit) {
  return InSnapshot<std::vector<std::string>>(
      [&] { return TransitionsInSnapshot(run_id, after_event_id, limit); });
}

absl::StatusOr<std::vector<std::string>> Reader::TransitionsInSnapshot(const base::RunId& run_id,
                                                                       base::EventId after_event_id,
                                                                       int limit) {
  ASSIGN_OR_RETURN(const int64_t row_id, FindRowId(run_id, nullptr));
  const base::EventId wanted = std::clamp<base::EventId>(after_event_id, 0, kEventIdMax - 1) + 1;
  database::Statement::Scope reset(transitions_);
  transitions_.BindInt(1, EventKey(row_id, 0));
  transitions_.BindInt(2, EventKey(row_id, wanted));
  transitions_.BindInt(3, EventKey(row_id, kEventIdMax));
  transitions_.BindInt(4, std::max(0, limit));
  std::vector<std::string> transitions;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, transitions_.Next());
    if (!found) return transitions;
    transitions.push_back(transitions_.Text(0));
  }
}

absl::StatusOr<std::vector<StatusCount>> Reader::Count(const RunFilter& filter) {
  const bool groups_say =
      filter.ns.empty() && (filter.where == nullptr || OnlyGroups(*filter.where));
  Query query;
  std::string select;
  if (groups_say) {
    filter::Expression all{.kind = filter::Expression::Kind::kAnd};
    Sql& where = query.where;
    where.text = "count > 0";
    if (filter.where != nullptr) {
      Sql condition = CompileCondition(*filter.where);
      absl::StrAppend(&where.text, " AND ", condition.text);
      where.values = std::move(condition.values);
    }
    if (filter.status != v1::RunStatus::UNSPECIFIED) {
      where.text += " AND status = ?";
      where.values.push_back(static_cast<int64_t>(filter.status));
    }
    if (!filter.workflow_type.empty()) {
      where.text += " AND workflow_type = ?";
      where.values.push_back(filter.workflow_type);
    }
    select = "SELECT workflow_type, status, count FROM run_counts";
  } else {
    query = CompileQuery(filter, RunOrder::kStartTimeDescending);
    select = absl::StrCat("SELECT workflow_type, status, count(*) FROM ", query.from);
  }
  ASSIGN_OR_RETURN(database::Statement count,
                   database::Statement::Prepare(
                       *db_, absl::StrCat(select, " WHERE ", query.where.text,
                                          groups_say ? "" : " GROUP BY workflow_type, status",
                                          " ORDER BY workflow_type, status")));
  BindAll(count, 1, query.where.values);
  std::vector<StatusCount> counts;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, count.Next());
    if (!found) return counts;
    counts.push_back({.workflow_type = count.Text(0),
                      .status = static_cast<v1::RunStatus::Value>(count.Int(1)),
                      .count = count.Int(2)});
  }
}

absl::StatusOr<std::vector<VersionCount>> Reader::CountVersions(const base::Namespace& ns,
                                                                const std::string& workflow_type) {
  std::vector<VersionCount> versions;
  {
    ASSIGN_OR_RETURN(
        database::Statement count,
        database::Statement::Prepare(
            *db_,
            "SELECT kind, version, workflow_type, sum(open), sum(closed) FROM version_counts "
            "WHERE (?1 = '' OR namespace = ?1) AND (?2 = '' OR workflow_type = ?2) "
            "GROUP BY kind, version, workflow_type HAVING sum(open) > 0 OR sum(closed) > 0 "
            "ORDER BY kind, version, workflow_type"));
    count.BindText(1, ns.value());
    count.BindText(2, workflow_type);
    while (true) {
      ASSIGN_OR_RETURN(const bool found, count.Next());
      if (!found) break;
      versions.push_back({.kind = static_cast<VersionCount::Kind>(count.Int(0)),
                          .id = count.Text(1),
                          .workflow_type = count.Text(2),
                          .open = count.Int(3),
                          .closed = count.Int(4)});
    }
  }
  for (VersionCount& version : versions) {
    if (version.open > 0) RETURN_IF_ERROR(FindOldest(ns, version));
  }
  return versions;
}

absl::Status Reader::FindOldest(const base::Namespace& ns, VersionCount& version) {
  // A build has many runs, most of them closed: the open ones are walked. A patch has few.
  const std::string sql =
      version.kind == VersionCount::Kind::kBuild
          ? "SELECT workflow_id, start_time FROM runs INDEXED BY runs_status WHERE status = ?4 "
            "AND build = (SELECT number FROM builds WHERE build_id = ?1) AND workflow_type = ?2 "
            "AND (?3 = '' OR namespace = ?3) ORDER BY start_time LIMIT 1"
          : "SELECT workflow_id, start_time FROM attributes AS d INDEXED BY attributes_value "
            "CROSS JOIN runs ON runs.id = d.run WHERE d.name = 'patches' AND d.value = ?1 "
            "AND workflow_type = ?2 AND (?3 = '' OR namespace = ?3) AND status = ?4 "
            "ORDER BY d.started LIMIT 1";
  ASSIGN_OR_RETURN(database::Statement oldest, database::Statement::Prepare(*db_, sql));
  for (const auto status : {v1::RunStatus::RUNNING, v1::RunStatus::PAUSED, v1::RunStatus::STUCK}) {
    database::Statement::Scope reset(oldest);
    oldest.BindText(1, version.id);
    oldest.BindText(2, version.workflow_type);
    oldest.BindText(3, ns.value());
    oldest.BindInt(4, status);
    ASSIGN_OR_RETURN(const bool found, oldest.Next());
    if (!found || DecodeTime(oldest.Int(1)) >= version.oldest_open_start) continue;
    version.oldest_open = base::WorkflowId(oldest.Text(0));
    version.oldest_open_start = DecodeTime(oldest.Int(1));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Reader::ReadBlobs(const std::vector<std::string>& hashes) {
  std::vector<std::string> data;
  for (const std::string& hash : hashes) {
    database::Statement::Scope reset(blob_);
    blob_.BindBlob(1, hash);
    ASSIGN_OR_RETURN(const bool found, blob_.Next());
    if (!found) {
      return absl::DataLossError(absl::StrCat(
          "the payload with the SHA-256 ", absl::BytesToHexString(hash), " is not in the store"));
    }
    data.push_back(blob_.Text(0));
  }
  return data;
}

absl::StatusOr<std::vector<StatusCount>> Reader::CountRuns() {
  database::Statement::Scope reset(counts_);
  std::vector<StatusCount> counts;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, counts_.Next());
    if (!found) return counts;
    counts.push_back({.workflow_type = counts_.Text(0),
                      .status = static_cast<v1::RunStatus::Value>(counts_.Int(1)),
                      .count = counts_.Int(2)});
  }
}

}  // namespace store::sqlite
