#include "tests/contract/store/store_conformance.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "orchestrator/base/check.h"

namespace contract {

StoreConformance::StoreConformance() : database_(GetParam()()) {
  store_ = OpenAnother();
  epoch_ = store_->AcquirePartition(0, "node-1").value();
}

std::unique_ptr<store::Store> StoreConformance::OpenAnother() { return database_->Open().value(); }

void StoreConformance::Reopen() {
  store_.reset();
  store_ = OpenAnother();
}

absl::Status StoreConformance::Commit(std::vector<store::RunWrite> writes) {
  return store_->Commit({.partition = 0, .epoch = epoch_, .writes = std::move(writes)});
}

void StoreConformance::Create(const std::vector<store::RunRow>& rows) {
  std::vector<store::RunWrite> writes;
  for (const store::RunRow& row : rows) writes.push_back(Creation(row));
  const absl::Status status = Commit(std::move(writes));
  CHECK(status.ok()) << status.ToString();
}

absl::Time At(int64_t seconds) {
  return absl::FromUnixSeconds(1767225600) + absl::Seconds(seconds);
}

base::RunId RunIdOf(int n) {
  return base::RunId(absl::StrFormat("0190a0b0-%04x-7%03x-8000-%012x", n >> 12, n & 0xfff, n));
}

store::RunRow RowOf(int n) {
  store::RunRow row;
  row.ns = base::Namespace("default");
  row.workflow_id = base::WorkflowId(absl::StrCat("workflow-", n));
  row.run_id = RunIdOf(n);
  row.workflow_type = "Campaign";
  row.task_queue = "campaigns";
  row.request_id = absl::StrCat("request-", n);
  row.correlation_id = absl::StrCat("correlation-", n);
  row.trace_id = absl::StrCat("trace-", n);
  row.start_time = At(n);
  row.next_event_id = 2;
  return row;
}

store::RunWrite Creation(store::RunRow row) {
  store::RunWrite write{.is_new = true, .first_event_id = 1};
  write.transition = absl::StrCat("created ", row.run_id.value());
  write.row = std::move(row);
  return write;
}

store::RunWrite Append(store::RunRow& row, int events, absl::string_view bytes) {
  store::RunWrite write{.expected_next_event_id = row.next_event_id,
                        .first_event_id = row.next_event_id,
                        .transition = std::string(bytes)};
  row.next_event_id += events;
  write.row = row;
  return write;
}

v1::ActivityAttemptState AttemptOf(base::EventId scheduled, int attempt) {
  v1::ActivityAttemptState state;
  state.set_scheduled_event_id(scheduled);
  state.set_attempt(attempt);
  state.mutable_last_failure()->set_type("VendorUnavailable");
  return state;
}

std::string Describe(const store::RunRow& row) {
  std::string properties;
  if (row.properties != nullptr) {
    properties = absl::StrCat(" attributes=", row.properties->search_attributes.fields().size(),
                              " memo=", row.properties->memo.fields().size(),
                              " patches=", absl::StrJoin(row.properties->patches, ","));
  }
  return absl::StrCat(row.run_id.value(), " ns=", row.ns.value(),
                      " workflow=", row.workflow_id.value(), " type=", row.workflow_type,
                      " queue=", row.task_queue, " request=", row.request_id,
                      " correlation=", row.correlation_id, " trace=", row.trace_id,
                      " start=", absl::FormatTime(row.start_time), " status=", row.status,
                      " reason=", row.status_reason, " close=", absl::FormatTime(row.close_time),
                      " next=", row.next_event_id, " wake=", absl::FormatTime(row.wake_at),
                      " saga=", row.saga_state, " parent=", row.parent_workflow_id,
                      " build=", row.build_id, properties);
}

std::vector<std::string> RunIdsOf(const std::vector<store::RunRow>& rows) {
  std::vector<std::string> ids;
  for (const store::RunRow& row : rows) ids.push_back(row.run_id.value());
  return ids;
}

}  // namespace contract
