// BatchServiceImpl: orchestrator.v1.BatchService over a WorkflowClient. A batch is a run of the
// system workflow "system.batch" (orchestrator/batches), in its caller's namespace, over that
// namespace's runs. gRPC and REST share it.
//
// Thread-safety: thread-safe. Each callback is called exactly once, on the caller's thread or an
// engine thread. The service outlives its calls.
//
// Example:
//   BatchServiceImpl service({client, random});
//   service.StartBatch(call, request, [](absl::StatusOr<v1::BatchInfo> info) { ... });
#pragma once

#include <string>

#include "gateway/grpc/call_info.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/base/random.h"
#include "orchestrator/client/client.h"
#include "orchestrator/v1/batch.pb.h"

namespace gateway {

namespace v1 = ::orchestrator::v1;
using client::Callback;

class BatchServiceImpl {
 public:
  struct Dependencies {
    client::WorkflowClient& client;
    base::Random& random;
  };
  explicit BatchServiceImpl(Dependencies dependencies) : d_(dependencies) {}

  void StartBatch(CallInfo call, v1::StartBatchRequest request, Callback<v1::BatchInfo> done);
  void ListBatches(CallInfo call, v1::ListBatchesRequest request,
                   Callback<v1::ListBatchesResponse> done);
  void GetBatch(CallInfo call, v1::GetBatchRequest request, Callback<v1::BatchInfo> done);
  void StopBatch(CallInfo call, v1::StopBatchRequest request, Callback<v1::BatchInfo> done);

  // What is wrong with a request (refused.h).
  void Check(const v1::StartBatchRequest& request, FieldViolations* violations) const;
  void Check(const v1::GetBatchRequest& request, FieldViolations* violations) const;
  void Check(const v1::ListBatchesRequest& request, FieldViolations* violations) const;
  void Check(const v1::StopBatchRequest& request, FieldViolations* violations) const;

 private:
  void DryRun(const std::string& ns, v1::StartBatchRequest request, int64_t count,
              Callback<v1::BatchInfo> done);
  void Start(const CallInfo& call, v1::StartBatchRequest request, Callback<v1::BatchInfo> done);
  // With its times, which are those of its run.
  void Look(const std::string& ns, const std::string& batch_id, Callback<v1::BatchInfo> done);

  const Dependencies d_;
};

}  // namespace gateway
