// What the audit trail says of a call. Pure functions; thread-safe.
//
// Example:
//   if (IsAudited(rule)) log.Append(DescribeCall(rule, call, request), ...);
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"
#include "gateway/audit/entry.h"
#include "gateway/auth/permissions.h"
#include "gateway/grpc/call_info.h"

namespace gateway {

// Calls that change something, and exports of the trail itself.
bool IsAudited(const auth::Rule& rule);

// The event with audit::kStarted. `request` may be null (raw routes). Of it only ids, names,
// reasons and the like are taken: never a payload or a secret.
audit::Event DescribeCall(const auth::Rule& rule, const CallInfo& call,
                          const google::protobuf::Message* request);

// Of how it ended. `response` may be null; the ids in it are added.
audit::Event DescribeEnd(audit::Event started, int64_t sequence, const absl::Status& status,
                         const google::protobuf::Message* response);

// "ApproveCampaign" of "campaign.v1.CampaignService.ApproveCampaign".
std::string ActionOf(const auth::Rule& rule);
// "OK", "PERMISSION_DENIED".
std::string OutcomeOf(const absl::Status& status);
// Who it is as far as it is known: a proven identity, else what the request says of itself.
std::string ActorOf(const CallInfo& call, const google::protobuf::Message* request);

// What must not wait for the disk: switching the kill switch on.
bool IsEmergency(const google::protobuf::Message* request);

}  // namespace gateway
