// AuditServiceImpl: campaign.v1.AuditService: lists, exports and verifies the audit trail. gRPC and
// REST share it.
//
// Thread-safety: thread-safe. Each callback is called exactly once, on the caller's thread or the
// log's. The service and the log outlive its calls: stop the servers first.
//
// Example:
//   AuditServiceImpl service(*log);
//   service.ListAuditEvents(call, {}, [](absl::StatusOr<ListAuditEventsResponse> page) { ... });
#pragma once

#include <atomic>
#include <memory>

#include "campaign/v1/audit.pb.h"
#include "gateway/audit/audit_log.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/stream.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/client/client.h"

namespace gateway {

namespace cv1 = ::campaign::v1;
using client::Callback;

inline constexpr int kExportsMax = 8;

class AuditServiceImpl {
 public:
  // `log` may be null: the trail is off, and every call is FAILED_PRECONDITION.
  explicit AuditServiceImpl(audit::AuditLog* log) : log_(log) {}

  void ListAuditEvents(CallInfo call, cv1::ListAuditEventsRequest request,
                       Callback<cv1::ListAuditEventsResponse> done);
  // RESOURCE_EXHAUSTED beyond kExportsMax at once.
  void ExportAuditEvents(CallInfo call, cv1::ExportAuditEventsRequest request,
                         std::shared_ptr<Stream<cv1::AuditEvent>> stream);
  void VerifyAudit(CallInfo call, cv1::VerifyAuditRequest request,
                   Callback<cv1::VerifyAuditResponse> done);

  // What is wrong with a request (refused.h).
  void Check(const cv1::ListAuditEventsRequest& request, FieldViolations* violations) const;
  void Check(const cv1::ExportAuditEventsRequest& request, FieldViolations* violations) const;
  void Check(const cv1::VerifyAuditRequest& request, FieldViolations* violations) const;

 private:
  audit::AuditLog* const log_;
  const std::shared_ptr<std::atomic<int>> exports_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace gateway
