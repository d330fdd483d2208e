#include "orchestrator/engine/blob_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/sha256.h"
#include "orchestrator/base/status_macros.h"

namespace engine {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
namespace v1 = ::orchestrator::v1;

constexpr char kEncoding[] = "encoding";
constexpr char kOurs[] = "blob/sha256";
constexpr char kHash[] = "blob";
constexpr char kOriginal[] = "blob/encoding";

bool IsOurs(const v1::Payload& payload) {
  const auto encoding = payload.metadata().find(kEncoding);
  return encoding != payload.metadata().end() && encoding->second == kOurs;
}

// Calls `visit` with every payload in the message, however deep.
void ForEachPayload(Message& message, const std::function<void(v1::Payload&)>& visit) {
  if (message.GetDescriptor() == v1::Payload::descriptor()) {
    return visit(static_cast<v1::Payload&>(message));
  }
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      ForEachPayload(*reflection->MutableMessage(&message, field), visit);
      continue;
    }
    // A map is a repeated field of entries to reflection.
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      ForEachPayload(*reflection->MutableRepeatedMessage(&message, field, i), visit);
    }
  }
}

// Takes the payload's data away into a blob, unless it is small and does not look like ours.
bool Offload(v1::Payload& payload, size_t threshold, base::EventId attempt,
             std::vector<store::Blob>& blobs) {
  const bool large = threshold > 0 && payload.data().size() >= threshold;
  if (!large && !IsOurs(payload)) return false;
  // What the caller called "blob" and "blob/encoding" must come back too.
  v1::Payload original = std::move(payload);
  payload.Clear();
  auto& metadata = *payload.mutable_metadata();
  for (const auto& [key, value] : original.metadata()) {
    if (key == kEncoding) {
      metadata[kOriginal] = value;
    } else {
      metadata[absl::StartsWith(key, kHash) ? absl::StrCat("blob/", key) : key] = value;
    }
  }
  const std::string hash = base::Sha256(original.data());
  metadata[kEncoding] = kOurs;
  metadata[kHash] = absl::BytesToHexString(hash);
  const bool known = std::any_of(blobs.begin(), blobs.end(), [&](const store::Blob& blob) {
    return blob.hash == hash && blob.attempt == attempt;
  });
  if (!known) {
    blobs.push_back(
        {.hash = hash, .data = std::move(*original.mutable_data()), .attempt = attempt});
  }
  return true;
}

void PutBack(v1::Payload& payload, std::string data) {
  v1::Payload reference = std::move(payload);
  payload.Clear();
  auto& metadata = *payload.mutable_metadata();
  for (const auto& [key, value] : reference.metadata()) {
    if (key == kEncoding || key == kHash) continue;
    if (key == kOriginal) {
      metadata[kEncoding] = value;
    } else {
      metadata[absl::StartsWith(key, "blob/blob") ? key.substr(5) : key] = value;
    }
  }
  payload.set_data(std::move(data));
}

void OffloadWrite(store::RunWrite& write, size_t threshold) {
  const auto offload = [&](Message& message, base::EventId attempt) {
    bool changed = false;
    ForEachPayload(message, [&](v1::Payload& payload) {
      changed |= Offload(payload, threshold, attempt, write.blobs);
    });
    return changed;
  };
  v1::Transition transition;
  // What cannot be parsed is not ours to judge: it is written as it is.
  if (transition.ParseFromString(write.transition) && offload(transition, 0)) {
    write.transition = transition.SerializeAsString();
  }
  for (v1::ActivityAttemptState& attempt : write.attempts_put) {
    offload(attempt, attempt.scheduled_event_id());
  }
}

}  // namespace

BlobStore::BlobStore(store::Store* store, int threshold_bytes)
    : ForwardingStore(store), threshold_(std::max(0, threshold_bytes)) {}

bool BlobStore::IsLarge(const store::RunWrite& write) const {
  if (threshold_ > 0 && write.transition.size() >= threshold_) return true;
  if (absl::StrContains(write.transition, kOurs)) return true;
  return std::any_of(write.attempts_put.begin(), write.attempts_put.end(), [&](const auto& put) {
    if (!put.has_last_heartbeat()) return false;
    const v1::Payload& payload = put.last_heartbeat();
    return (threshold_ > 0 && payload.data().size() >= threshold_) || IsOurs(payload);
  });
}

absl::Status BlobStore::Commit(const store::WriteBatch& batch) {
  const bool any = std::any_of(batch.writes.begin(), batch.writes.end(),
                               [this](const store::RunWrite& write) { return IsLarge(write); });
  if (!any) return store().Commit(batch);
  store::WriteBatch changed = batch;
  for (store::RunWrite& write : changed.writes) {
    if (IsLarge(write)) OffloadWrite(write, threshold_);
  }
  return store().Commit(changed);
}

absl::Status BlobStore::Restore(const base::RunId& run_id, std::string& bytes) {
  if (!absl::StrContains(bytes, kOurs)) return absl::OkStatus();
  v1::Transition transition;
  if (!transition.ParseFromString(bytes)) return absl::OkStatus();  // the reader of it will say so
  std::vector<v1::Payload*> payloads;
  std::vector<std::string> hashes;
  ForEachPayload(transition, [&](v1::Payload& payload) {
    if (!IsOurs(payload)) return;
    payloads.push_back(&payload);
    hashes.push_back(absl::HexStringToBytes(payload.metadata().at(kHash)));
  });
  if (payloads.empty()) return absl::OkStatus();
  absl::StatusOr<std::vector<std::string>> data = store().ReadBlobs(hashes);
  if (!data.ok()) {
    return absl::Status(data.status().code(),
                        absl::StrCat("run=", run_id.value(), ": ", data.status().message()));
  }
  for (size_t i = 0; i < payloads.size(); ++i) PutBack(*payloads[i], std::move((*data)[i]));
  bytes = transition.SerializeAsString();
  return absl::OkStatus();
}

absl::StatusOr<store::StoredRun> BlobStore::LoadRun(const base::RunId& run_id) {
  ASSIGN_OR_RETURN(store::StoredRun run, store().LoadRun(run_id));
  absl::Status status = absl::OkStatus();
  for (std::string& transition : run.transitions) {
    status.Update(Restore(run_id, transition));
  }
  for (v1::ActivityAttemptState& attempt : run.attempts) {
    if (!attempt.has_last_heartbeat() || !IsOurs(attempt.last_heartbeat())) continue;
    auto data =
        store().ReadBlobs({absl::HexStringToBytes(attempt.last_heartbeat().metadata().at(kHash))});
    status.Update(data.status());
    if (data.ok()) PutBack(*attempt.mutable_last_heartbeat(), std::move((*data)[0]));
  }
  if (status.ok()) return run;
  // It may have been deleted, or its attempts replaced, since it was read.
  ASSIGN_OR_RETURN(std::optional<store::RunRow> row, store().FindRunById(run_id));
  if (!row.has_value()) return absl::NotFoundError(absl::StrCat("no run ", run_id.value()));
  return status;
}

absl::StatusOr<std::vector<std::string>> BlobStore::ReadTransitions(const base::RunId& run_id,
                                                                    base::EventId after_event_id,
                                                                    int limit) {
  ASSIGN_OR_RETURN(std::vector<std::string> transitions,
                   store().ReadTransitions(run_id, after_event_id, limit));
  for (std::string& transition : transitions) {
    absl::Status status = Restore(run_id, transition);
    if (status.ok()) continue;
    ASSIGN_OR_RETURN(std::optional<store::RunRow> row, store().FindRunById(run_id));
    if (!row.has_value()) return absl::NotFoundError(absl::StrCat("no run ", run_id.value()));
    return status;
  }
  return transitions;
}

}  // namespace engine
