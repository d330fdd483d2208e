#include "orchestrator/codec/walk.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/codec/wrapping.h"

namespace codec {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// What a failure whose text is encoded says instead, and how its detail begins.
constexpr char kHiddenMessage[] = "(encoded)";
constexpr absl::string_view kHiddenDetail = "{\"encoded\":\"";
constexpr absl::string_view kHiddenDetailEnd = "\"}";

struct Visitor {
  absl::FunctionRef<absl::Status(v1::Payload&)> payload;
  absl::FunctionRef<absl::Status(v1::Failure&)> failure;
};

bool FindHolds(const Descriptor* type, std::set<const Descriptor*>& seen) {
  if (type == v1::Payload::descriptor() || type == v1::Failure::descriptor()) return true;
  if (!seen.insert(type).second) return false;
  for (int i = 0; i < type->field_count(); ++i) {
    const Descriptor* inner = type->field(i)->message_type();
    if (inner != nullptr && FindHolds(inner, seen)) return true;
  }
  return false;
}

// Whether messages of the type can hold payloads or failures.
bool MayHold(const Descriptor* type) {
  static absl::Mutex mutex(absl::kConstInit);
  static auto& known ABSL_GUARDED_BY(mutex) = *new absl::flat_hash_map<const Descriptor*, bool>();
  const absl::MutexLock lock(&mutex);
  const auto found = known.find(type);
  if (found != known.end()) return found->second;
  std::set<const Descriptor*> seen;
  return known[type] = FindHolds(type, seen);
}

absl::Status Walk(Message& message, const Visitor& visitor) {
  const Descriptor* type = message.GetDescriptor();
  if (type == v1::Payload::descriptor()) {
    auto& payload = static_cast<v1::Payload&>(message);
    // Nothing stays nothing.
    if (payload.metadata().empty() && payload.data().empty()) return absl::OkStatus();
    return visitor.payload(payload);
  }
  if (!MayHold(type)) return absl::OkStatus();
  const google::protobuf::Reflection* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!MayHold(field->message_type())) continue;
    if (!field->is_repeated()) {
      RETURN_IF_ERROR(Walk(*reflection->MutableMessage(&message, field), visitor));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      RETURN_IF_ERROR(Walk(*reflection->MutableRepeatedMessage(&message, field, i), visitor));
    }
  }
  if (type == v1::Failure::descriptor()) return visitor.failure(static_cast<v1::Failure&>(message));
  return absl::OkStatus();
}

absl::Status NoFailures(v1::Failure&) { return absl::OkStatus(); }

absl::Status EncodeFailure(const PayloadCodec& codec, v1::Failure& failure) {
  const bool nothing = failure.message().empty() && failure.detail_json().empty();
  if (nothing || absl::StartsWith(failure.detail_json(), kHiddenDetail)) return absl::OkStatus();
  v1::Failure text;
  text.set_message(failure.message());
  text.set_detail_json(failure.detail_json());
  v1::Payload payload;
  payload.set_data(text.SerializeAsString());
  RETURN_IF_ERROR(codec.Encode(payload, Use::kStored));
  failure.set_message(kHiddenMessage);
  failure.set_detail_json(
      absl::StrCat(kHiddenDetail, absl::Base64Escape(Wrap(payload)), kHiddenDetailEnd));
  return absl::OkStatus();
}

absl::Status DecodeFailure(const PayloadCodec& codec, v1::Failure& failure) {
  absl::string_view detail = failure.detail_json();
  if (failure.message() != kHiddenMessage || !absl::ConsumePrefix(&detail, kHiddenDetail) ||
      !absl::ConsumeSuffix(&detail, kHiddenDetailEnd)) {
    return absl::OkStatus();
  }
  std::string bytes;
  if (!absl::Base64Unescape(detail, &bytes)) return absl::OkStatus();  // a text that looks alike
  v1::Payload payload;
  RETURN_IF_ERROR(Unwrap(bytes, payload));
  RETURN_IF_ERROR(codec.Decode(payload));
  v1::Failure text;
  if (!text.ParseFromString(payload.data())) {
    return absl::DataLossError("the encoded text of a failure is damaged");
  }
  failure.set_message(text.message());
  failure.set_detail_json(text.detail_json());
  return absl::OkStatus();
}

}  // namespace

absl::Status MessageCodec::Encode(Message& message, Use use) const {
  const auto payload = [&](v1::Payload& found) { return codec_.Encode(found, use); };
  const auto failure = [&](v1::Failure& found) { return EncodeFailure(codec_, found); };
  if (!options_.failures) return Walk(message, {.payload = payload, .failure = NoFailures});
  return Walk(message, {.payload = payload, .failure = failure});
}

absl::Status MessageCodec::Decode(Message& message) const {
  const auto payload = [&](v1::Payload& found) { return codec_.Decode(found); };
  // Also when the option is off now: what was encoded before must be readable.
  const auto failure = [&](v1::Failure& found) { return DecodeFailure(codec_, found); };
  return Walk(message, {.payload = payload, .failure = failure});
}

void MessageCodec::DecodeWhatCan(Message& message) const {
  const auto payload = [&](v1::Payload& found) {
    v1::Payload copy = found;
    if (codec_.Decode(copy).ok()) found = std::move(copy);
    return absl::OkStatus();
  };
  const auto failure = [&](v1::Failure& found) {
    v1::Failure copy = found;
    if (DecodeFailure(codec_, copy).ok()) found = std::move(copy);
    return absl::OkStatus();
  };
  const absl::Status walked = Walk(message, {.payload = payload, .failure = failure});
  (void)walked;  // the visitors refuse nothing
}

}  // namespace codec
