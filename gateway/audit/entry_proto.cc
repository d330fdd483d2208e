#include "gateway/audit/entry_proto.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace audit {
namespace {

constexpr int64_t kMicros = 1'000'000;

bool ReadHash(const std::string& hex, std::string* hash) {
  if (hex.size() != 2 * kHashBytes ||
      hex.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
    return false;
  }
  *hash = absl::HexStringToBytes(hex);
  return true;
}

}  // namespace

campaign::v1::AuditEvent ToProto(const Entry& entry) {
  campaign::v1::AuditEvent event;
  const Event& e = entry.event;
  const int64_t us = absl::ToUnixMicros(entry.time);
  const int64_t second = us >= 0 ? us / kMicros : -((-us + kMicros - 1) / kMicros);
  event.set_sequence(entry.sequence);
  event.mutable_time()->set_seconds(second);
  event.mutable_time()->set_nanos(static_cast<int32_t>((us - second * kMicros) * 1000));
  event.set_actor(e.actor);
  event.set_credential(e.credential);
  event.set_action(e.action);
  event.set_subject(e.subject);
  event.set_outcome(e.outcome);
  event.set_detail(e.detail);
  event.set_correlation_id(e.correlation_id);
  event.set_address(e.address);
  event.set_namespace_(e.ns);
  event.set_started_by(e.started_by);
  event.set_prev_hash(absl::BytesToHexString(entry.prev_hash));
  event.set_hash(absl::BytesToHexString(entry.hash));
  return event;
}

campaign::v1::AuditHead ToProto(const Head& head) {
  campaign::v1::AuditHead proto;
  proto.set_sequence(head.sequence);
  proto.set_hash(absl::BytesToHexString(head.hash));
  return proto;
}

absl::StatusOr<Entry> FromProto(const campaign::v1::AuditEvent& event) {
  Entry entry;
  entry.sequence = event.sequence();
  entry.time =
      absl::FromUnixSeconds(event.time().seconds()) + absl::Nanoseconds(event.time().nanos());
  entry.event = {.actor = event.actor(),
                 .credential = event.credential(),
                 .action = event.action(),
                 .subject = event.subject(),
                 .outcome = event.outcome(),
                 .detail = event.detail(),
                 .correlation_id = event.correlation_id(),
                 .address = event.address(),
                 .ns = event.namespace_(),
                 .started_by = event.started_by()};
  if (!ReadHash(event.prev_hash(), &entry.prev_hash) || !ReadHash(event.hash(), &entry.hash)) {
    return absl::InvalidArgumentError(
        absl::StrCat("event ", event.sequence(), ": its hashes are not 64 hexadecimal digits"));
  }
  return entry;
}

}  // namespace audit
