// The calls of the workflow service that look over many runs, and the deletion of one.
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/grpc/refused.h"
#include "gateway/grpc/validate.h"
#include "gateway/grpc/workflow_service.h"
#include "gateway/json/field_violations.h"

namespace gateway {
namespace {

constexpr size_t kNameLengthMax = 200;
constexpr int kPageSizeMax = 1000;
constexpr size_t kPageTokenLengthMax = 1024;
constexpr size_t kFilterLengthMax = 8192;
constexpr size_t kOrderLengthMax = 100;

void CheckSpace(const std::string& ns, const std::string& type, FieldViolations* violations) {
  if (!ns.empty()) CheckName("namespace", ns, kNameLengthMax, violations);
  if (!type.empty()) CheckName("workflow_type", type, kNameLengthMax, violations);
}

// The engine says of a filter, an order or a token what is wrong with it: that becomes a violation
// of the field.
template <typename Response>
Callback<Response> NamingField(Callback<Response> done) {
  return [done = std::move(done)](absl::StatusOr<Response> response) mutable {
    if (absl::IsInvalidArgument(response.status())) {
      const std::string message(response.status().message());
      for (const char* field : {"filter", "order_by", "page_token"}) {
        if (!absl::StartsWith(message, field)) continue;
        size_t end = std::string(field).size();
        if (message.compare(end, 1, ":") == 0) ++end;
        if (message.compare(end, 1, " ") == 0) ++end;
        return done(FieldError(field, message.substr(end)));
      }
    }
    done(std::move(response));
  };
}

// The runs of schedules and batches are shown when they are asked for. OR binds tighter than AND,
// so the filter needs no parentheses.
void HideSystem(v1::ListWorkflowsRequest* request) {
  if (!request->workflow_type().empty() || absl::StrContains(request->filter(), "workflow_type") ||
      absl::StrContains(request->filter(), "workflow_id")) {
    return;
  }
  constexpr char kNotSystem[] = "NOT workflow_type = \"system.*\"";
  const bool all = absl::StripAsciiWhitespace(request->filter()).empty();
  request->set_filter(all ? kNotSystem : absl::StrCat(request->filter(), " AND ", kNotSystem));
}

}  // namespace

void WorkflowServiceImpl::Check(const v1::ListWorkflowsRequest& request,
                                FieldViolations* violations) const {
  CheckRange("page_size", request.page_size(), 0, kPageSizeMax, violations);
  if (!v1::RunStatus::Value_IsValid(request.status())) {
    violations->Add("status", "is not a run status");
  }
  CheckSpace(request.namespace_(), request.workflow_type(), violations);
  CheckText("filter", request.filter(), kFilterLengthMax, Presence::kOptional, Lines::kMultiple,
            violations);
  CheckText("order_by", request.order_by(), kOrderLengthMax, Presence::kOptional, Lines::kSingle,
            violations);
  if (request.page_token().size() > kPageTokenLengthMax) {
    violations->Add("page_token", "is not a token that this service gave");
  }
}

void WorkflowServiceImpl::ListWorkflows(CallInfo call, v1::ListWorkflowsRequest request,
                                        Callback<v1::ListWorkflowsResponse> done) {
  if (Refused(*this, request, done)) return;
  HideSystem(&request);
  client_.ListWorkflows(std::move(request), NamingField(std::move(done)));
}

void WorkflowServiceImpl::Check(const v1::CountWorkflowsRequest& request,
                                FieldViolations* violations) const {
  CheckSpace(request.namespace_(), "", violations);
  CheckText("filter", request.filter(), kFilterLengthMax, Presence::kOptional, Lines::kMultiple,
            violations);
}

void WorkflowServiceImpl::CountWorkflows(CallInfo call, v1::CountWorkflowsRequest request,
                                         Callback<v1::CountWorkflowsResponse> done) {
  if (Refused(*this, request, done)) return;
  client_.CountWorkflows(std::move(request), NamingField(std::move(done)));
}

void WorkflowServiceImpl::Check(const v1::ListVersionsRequest& request,
                                FieldViolations* violations) const {
  CheckSpace(request.namespace_(), request.workflow_type(), violations);
}

void WorkflowServiceImpl::ListVersions(CallInfo call, v1::ListVersionsRequest request,
                                       Callback<v1::ListVersionsResponse> done) {
  if (Refused(*this, request, done)) return;
  client_.ListVersions(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::DeleteWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckWorkflowId("workflow_id", request.workflow_id(), violations);
  CheckRunId(request.run_id(), violations);
  CheckText("reason", request.reason(), kReasonLengthMax, Presence::kOptional, Lines::kMultiple,
            violations);
  CheckText("identity", request.identity(), kNameLengthMax, Presence::kOptional, Lines::kSingle,
            violations);
}

void WorkflowServiceImpl::DeleteWorkflow(CallInfo call, v1::DeleteWorkflowRequest request,
                                         Callback<v1::DeleteWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.DeleteWorkflow(std::move(request), std::move(done));
}

}  // namespace gateway
