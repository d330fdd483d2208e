// Entries as protobuf messages and back. Pure; thread-safe.
#pragma once

#include "absl/status/statusor.h"
#include "campaign/v1/audit.pb.h"
#include "gateway/audit/entry.h"

namespace audit {

campaign::v1::AuditEvent ToProto(const Entry& entry);
campaign::v1::AuditHead ToProto(const Head& head);
// INVALID_ARGUMENT when a hash is not 64 hexadecimal digits.
absl::StatusOr<Entry> FromProto(const campaign::v1::AuditEvent& event);

}  // namespace audit
