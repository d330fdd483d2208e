#include "gateway/grpc/batch_service.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/grpc/described_runs.h"
#include "gateway/grpc/ids.h"
#include "gateway/grpc/refused.h"
#include "gateway/grpc/validate.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/batches/batch_workflow.h"
#include "orchestrator/history/payload.h"

namespace gateway {
namespace {

constexpr size_t kBatchIdLengthMax = 200;
constexpr size_t kFilterLengthMax = 8000;
constexpr size_t kNameLengthMax = 200;
constexpr int kPageSizeDefault = 20;
constexpr int kPageSizeMax = 100;
constexpr int kSamplesMax = 10;

std::string IdOf(const v1::WorkflowInfo& run) {
  return run.workflow_id().substr(sizeof(batches::kIdPrefix) - 1);
}

void CheckBatchId(const std::string& id, FieldViolations* violations) {
  CheckWorkflowId("batch_id", id, violations);
  if (id.size() > kBatchIdLengthMax) {
    violations->Add("batch_id", absl::StrCat("must have at most ", kBatchIdLengthMax,
                                             " characters, has ", id.size()));
  }
}

void CheckBatch(const v1::Batch& batch, FieldViolations* violations) {
  if (absl::StripAsciiWhitespace(batch.filter()).empty()) {
    violations->Add("batch.filter", "is required; workflow_type = \"*\" finds all runs");
  }
  CheckText("batch.filter", batch.filter(), kFilterLengthMax, Presence::kOptional, Lines::kMultiple,
            violations);
  CheckText("batch.reason", batch.reason(), kReasonLengthMax, Presence::kOptional, Lines::kMultiple,
            violations);
  CheckRange("batch.runs_per_second", batch.runs_per_second(), 0, batches::kRunsPerSecondMax,
             violations);
  if (batch.verb() == v1::BatchVerb::UNSPECIFIED || !v1::BatchVerb::Value_IsValid(batch.verb())) {
    violations->Add("batch.verb",
                    "must be CANCEL, TERMINATE, SIGNAL, PAUSE, RESUME, RETRY_NOW, RESET or DELETE");
  }
  if (batch.verb() == v1::BatchVerb::SIGNAL) {
    CheckName("batch.signal_name", batch.signal_name(), kNameLengthMax, violations);
  } else if (!batch.signal_name().empty()) {
    violations->Add("batch.signal_name", "is for the verb SIGNAL only");
  }
  if (batch.verb() != v1::BatchVerb::RESET) return;
  if (!v1::BatchResetPoint::Value_IsValid(batch.reset_point())) {
    violations->Add("batch.reset_point", "must be FIRST_TASK, LAST_TASK or EVENT");
  }
  if (batch.reset_point() == v1::BatchResetPoint::EVENT && batch.reset_event_id() < 1) {
    violations->Add("batch.reset_event_id", "must be an event id, from 1");
  }
}

absl::Status NoSuch(const std::string& batch_id) {
  return absl::NotFoundError(absl::StrCat("there is no batch \"", batch_id, "\""));
}

}  // namespace

void BatchServiceImpl::Check(const v1::StartBatchRequest& request,
                             FieldViolations* violations) const {
  if (!request.batch_id().empty()) CheckBatchId(request.batch_id(), violations);
  CheckRequestId("request_id", request.request_id(), violations);
  CheckText("identity", request.identity(), kNameLengthMax, Presence::kOptional, Lines::kSingle,
            violations);
  CheckBatch(request.batch(), violations);
}

void BatchServiceImpl::StartBatch(CallInfo call, v1::StartBatchRequest request,
                                  Callback<v1::BatchInfo> done) {
  if (Refused(*this, request, done)) return;
  // Counting says what is wrong with the filter before anything is begun.
  v1::CountWorkflowsRequest count;
  count.set_namespace_(call.ns);
  count.set_filter(request.batch().filter());
  if (request.dry_run()) count.set_filter(batches::FilterOf(request.batch()));
  d_.client.CountWorkflows(
      std::move(count),
      [this, call = std::move(call), request = std::move(request),
       done = std::move(done)](absl::StatusOr<v1::CountWorkflowsResponse> counted) mutable {
        if (absl::IsInvalidArgument(counted.status())) {
          return done(FieldError("batch.filter", counted.status().message()));
        }
        if (!counted.ok()) return done(counted.status());
        if (request.dry_run()) {
          return DryRun(call.ns, std::move(request), counted->count(), std::move(done));
        }
        Start(call, std::move(request), std::move(done));
      });
}

void BatchServiceImpl::DryRun(const std::string& ns, v1::StartBatchRequest request, int64_t count,
                              Callback<v1::BatchInfo> done) {
  v1::ListWorkflowsRequest list;
  list.set_namespace_(ns);
  list.set_filter(batches::FilterOf(request.batch()));
  list.set_page_size(kSamplesMax);
  d_.client.ListWorkflows(std::move(list),
                          [request = std::move(request), count, done = std::move(done)](
                              absl::StatusOr<v1::ListWorkflowsResponse> runs) mutable {
                            if (!runs.ok()) return done(runs.status());
                            v1::BatchInfo info;
                            info.set_batch_id(request.batch_id());
                            *info.mutable_batch() = request.batch();
                            info.set_dry_run(true);
                            info.mutable_progress()->set_total(count);
                            for (const v1::WorkflowInfo& run : runs->workflows()) {
                              v1::BatchSample* sample = info.add_samples();
                              sample->set_workflow_id(run.workflow_id());
                              sample->set_run_id(run.run_id());
                              sample->set_workflow_type(run.workflow_type());
                              sample->set_status(run.status());
                              *sample->mutable_start_time() = run.start_time();
                            }
                            done(std::move(info));
                          });
}

void BatchServiceImpl::Start(const CallInfo& call, v1::StartBatchRequest request,
                             Callback<v1::BatchInfo> done) {
  v1::BatchInput input;
  input.set_batch_id(!request.batch_id().empty()     ? request.batch_id()
                     : !request.request_id().empty() ? HashHex(request.request_id())
                                                     : RandomHex(d_.random));
  *input.mutable_batch() = request.batch();
  input.set_identity(call.IdentityOr(request.identity()));
  v1::StartWorkflowRequest start;
  start.set_namespace_(call.ns);
  start.set_workflow_id(batches::WorkflowIdOf(input.batch_id()));
  start.set_workflow_type(batches::kBatchType);
  *start.mutable_input() = history::ToPayload(input);
  // A batch id is for one batch: the same one begins nothing new.
  start.set_request_id(request.request_id().empty() ? absl::StrCat("batch:", input.batch_id())
                                                    : request.request_id());
  start.set_correlation_id(call.correlation_id);
  start.set_traceparent(call.traceparent);
  start.set_identity(input.identity());
  start.set_workflow_id_reuse_policy(v1::WorkflowIdReusePolicy::REJECT_DUPLICATE);
  d_.client.StartWorkflow(
      std::move(start), [this, ns = call.ns, id = input.batch_id(), done = std::move(done)](
                            absl::StatusOr<v1::StartWorkflowResponse> started) mutable {
        if (absl::IsAlreadyExists(started.status())) {
          return done(absl::AlreadyExistsError(
              absl::StrCat("there is another batch \"", id, "\"; choose another batch_id")));
        }
        if (!started.ok()) return done(started.status());
        Look(ns, id, std::move(done));
      });
}

void BatchServiceImpl::Look(const std::string& ns, const std::string& batch_id,
                            Callback<v1::BatchInfo> done) {
  v1::GetWorkflowRequest get;
  get.set_namespace_(ns);
  get.set_workflow_id(batches::WorkflowIdOf(batch_id));
  d_.client.GetWorkflow(
      get, [this, batch_id, done = std::move(done)](absl::StatusOr<v1::WorkflowInfo> run) mutable {
        if (absl::IsNotFound(run.status())) return done(NoSuch(batch_id));
        if (!run.ok()) return done(run.status());
        v1::QueryWorkflowRequest query;
        query.set_namespace_(run->namespace_());
        query.set_workflow_id(run->workflow_id());
        query.set_query_name(batches::kDescribe);
        *query.mutable_input() = history::ToPayload(v1::BatchInput());
        d_.client.Query(std::move(query), [run = *std::move(run), done = std::move(done)](
                                              absl::StatusOr<v1::QueryWorkflowResponse> r) mutable {
          if (!r.ok()) return done(r.status());
          absl::StatusOr<v1::BatchInfo> info = history::FromPayload<v1::BatchInfo>(r->result());
          if (!info.ok()) return done(info.status());
          info->set_status(r->status() == v1::RunStatus::CONTINUED_AS_NEW ? v1::RunStatus::RUNNING
                                                                          : r->status());
          info->set_status_reason(run.status_reason());
          *info->mutable_start_time() = run.start_time();
          if (run.has_close_time() && info->status() != v1::RunStatus::RUNNING) {
            *info->mutable_close_time() = run.close_time();
          }
          done(*std::move(info));
        });
      });
}

void BatchServiceImpl::Check(const v1::GetBatchRequest& request,
                             FieldViolations* violations) const {
  CheckBatchId(request.batch_id(), violations);
}

void BatchServiceImpl::GetBatch(CallInfo call, v1::GetBatchRequest request,
                                Callback<v1::BatchInfo> done) {
  if (Refused(*this, request, done)) return;
  Look(call.ns, request.batch_id(), std::move(done));
}

void BatchServiceImpl::Check(const v1::ListBatchesRequest& request,
                             FieldViolations* violations) const {
  CheckRange("page_size", request.page_size(), 0, kPageSizeMax, violations);
}

void BatchServiceImpl::ListBatches(CallInfo call, v1::ListBatchesRequest request,
                                   Callback<v1::ListBatchesResponse> done) {
  if (Refused(*this, request, done)) return;
  v1::ListWorkflowsRequest list;
  list.set_namespace_(call.ns);
  list.set_filter(absl::StrCat("workflow_type = \"", batches::kBatchType,
                               "\" AND NOT status = CONTINUED_AS_NEW"));
  list.set_page_size(request.page_size() == 0 ? kPageSizeDefault : request.page_size());
  list.set_page_token(request.page_token());
  ListDescribed<v1::BatchInfo>(
      d_.client, std::move(list),
      [this](const v1::WorkflowInfo& run, Callback<v1::BatchInfo> each) {
        Look(run.namespace_(), IdOf(run), std::move(each));
      },
      [done = std::move(done)](absl::StatusOr<DescribedPage<v1::BatchInfo>> page) mutable {
        if (!page.ok()) return done(page.status());
        v1::ListBatchesResponse response;
        for (auto& [run, info] : page->items) {
          v1::BatchInfo* batch = response.add_batches();
          if (info.ok()) {
            *batch = *std::move(info);
            continue;
          }
          batch->set_batch_id(IdOf(run));  // one that cannot answer must not hide the others
          batch->set_status(run.status());
          batch->set_status_reason(std::string(info.status().message()));
          *batch->mutable_start_time() = run.start_time();
        }
        response.set_next_page_token(page->next_page_token);
        done(std::move(response));
      });
}

void BatchServiceImpl::Check(const v1::StopBatchRequest& request,
                             FieldViolations* violations) const {
  CheckBatchId(request.batch_id(), violations);
  CheckText("reason", request.reason(), kReasonLengthMax, Presence::kOptional, Lines::kMultiple,
            violations);
  CheckText("identity", request.identity(), kNameLengthMax, Presence::kOptional, Lines::kSingle,
            violations);
}

void BatchServiceImpl::StopBatch(CallInfo call, v1::StopBatchRequest request,
                                 Callback<v1::BatchInfo> done) {
  if (Refused(*this, request, done)) return;
  v1::CancelWorkflowRequest cancel;
  cancel.set_namespace_(call.ns);
  cancel.set_workflow_id(batches::WorkflowIdOf(request.batch_id()));
  cancel.set_reason(request.reason());
  cancel.set_identity(call.IdentityOr(request.identity()));
  d_.client.Cancel(
      std::move(cancel), [this, ns = call.ns, id = request.batch_id(), done = std::move(done)](
                             absl::StatusOr<v1::CancelWorkflowResponse> canceled) mutable {
        if (absl::IsNotFound(canceled.status())) return done(NoSuch(id));
        if (absl::IsFailedPrecondition(canceled.status())) {
          return done(absl::FailedPreconditionError(absl::StrCat("batch \"", id, "\" has ended")));
        }
        if (!canceled.ok()) return done(canceled.status());
        Look(ns, id, std::move(done));
      });
}

}  // namespace gateway
