#include "gateway/json/json_writer.h"

#include <google/protobuf/any.pb.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gateway/json/text_values.h"
#include "orchestrator/history/payload.h"

namespace gateway {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int kDepthMax = 100;
constexpr int64_t kExactIntegerMax = int64_t{1} << 53;

std::unique_ptr<Message> NewMessage(absl::string_view type_name) {
  const auto* type = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
      std::string(type_name));
  if (type == nullptr) return nullptr;
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

bool OmitsDefaults(const Descriptor* type) {
  return type->file()->name() == "orchestrator/v1/history.proto" ||
         type->full_name() == "orchestrator.v1.Failure";
}

class Writer {
 public:
  Writer(std::string* out, bool pretty) : out_(out), pretty_(pretty) {}

  void Write(const Message& message) {
    const std::string& type = message.GetDescriptor()->full_name();
    if (++depth_ > kDepthMax) {
      out_->append("null");
    } else if (type == "google.protobuf.Timestamp") {
      Quote(TimestampText(static_cast<const google::protobuf::Timestamp&>(message)));
    } else if (type == "google.protobuf.Duration") {
      Quote(DurationText(static_cast<const google::protobuf::Duration&>(message)));
    } else if (type == "google.protobuf.FieldMask") {
      Quote(absl::StrJoin(static_cast<const google::protobuf::FieldMask&>(message).paths(), ","));
    } else if (type == "google.protobuf.Any") {
      WriteAny(static_cast<const google::protobuf::Any&>(message));
    } else if (type == "orchestrator.v1.Payload") {
      WritePayload(static_cast<const history::v1::Payload&>(message));
    } else {
      Open('{');
      WriteFields(message);
      Close('}');
    }
    --depth_;
  }

 private:
  void WriteFields(const Message& message) {
    const Descriptor* type = message.GetDescriptor();
    const Reflection* reflection = message.GetReflection();
    const bool omit_defaults = OmitsDefaults(type);
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (field->is_repeated()) {
        if (omit_defaults && reflection->FieldSize(message, field) == 0) continue;
      } else if (field->has_presence() || omit_defaults) {
        if (!reflection->HasField(message, field)) continue;
      }
      Key(field->name());
      if (field->is_map()) {
        WriteMap(message, field);
      } else if (field->is_repeated()) {
        WriteList(message, field);
      } else {
        WriteValue(message, field, -1);
      }
    }
  }

  void WriteList(const Message& message, const FieldDescriptor* field) {
    Open('[');
    const int size = message.GetReflection()->FieldSize(message, field);
    for (int i = 0; i < size; ++i) {
      Separate();
      WriteValue(message, field, i);
    }
    Close(']');
  }

  void WriteMap(const Message& message, const FieldDescriptor* field) {
    const Reflection* reflection = message.GetReflection();
    const FieldDescriptor* key_field = field->message_type()->map_key();
    std::vector<std::pair<std::string, const Message*>> entries;
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      const Message& entry = reflection->GetRepeatedMessage(message, field, i);
      std::string key;
      if (key_field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        key = entry.GetReflection()->GetString(entry, key_field);
      } else {
        Writer(&key, false).WriteValue(entry, key_field, -1);
      }
      entries.emplace_back(std::move(key), &entry);
    }
    std::sort(entries.begin(), entries.end());
    Open('{');
    for (const auto& [key, entry] : entries) {
      Key(key);
      WriteValue(*entry, field->message_type()->map_value(), -1);
    }
    Close('}');
  }

  // The field's value, or its `index`-th element when index >= 0.
  void WriteValue(const Message& message, const FieldDescriptor* field, int index) {
    const Reflection* r = message.GetReflection();
    const bool at = index >= 0;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string scratch;
        const std::string& text =
            at ? r->GetRepeatedStringReference(message, field, index, &scratch)
               : r->GetStringReference(message, field, &scratch);
        if (field->type() == FieldDescriptor::TYPE_BYTES) return Quote(absl::Base64Escape(text));
        return Quote(text);
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        out_->append((at ? r->GetRepeatedBool(message, field, index) : r->GetBool(message, field))
                         ? "true"
                         : "false");
        return;
      case FieldDescriptor::CPPTYPE_INT32:
        absl::StrAppend(
            out_, at ? r->GetRepeatedInt32(message, field, index) : r->GetInt32(message, field));
        return;
      case FieldDescriptor::CPPTYPE_UINT32:
        absl::StrAppend(
            out_, at ? r->GetRepeatedUInt32(message, field, index) : r->GetUInt32(message, field));
        return;
      case FieldDescriptor::CPPTYPE_INT64: {
        const int64_t value =
            at ? r->GetRepeatedInt64(message, field, index) : r->GetInt64(message, field);
        const bool exact = value <= kExactIntegerMax && value >= -kExactIntegerMax;
        absl::StrAppend(out_, exact ? "" : "\"", value, exact ? "" : "\"");
        return;
      }
      case FieldDescriptor::CPPTYPE_UINT64: {
        const uint64_t value =
            at ? r->GetRepeatedUInt64(message, field, index) : r->GetUInt64(message, field);
        const bool exact = value <= static_cast<uint64_t>(kExactIntegerMax);
        absl::StrAppend(out_, exact ? "" : "\"", value, exact ? "" : "\"");
        return;
      }
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return Real(at ? r->GetRepeatedDouble(message, field, index)
                       : r->GetDouble(message, field));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return Real(at ? r->GetRepeatedFloat(message, field, index) : r->GetFloat(message, field));
      case FieldDescriptor::CPPTYPE_ENUM: {
        const int number =
            at ? r->GetRepeatedEnumValue(message, field, index) : r->GetEnumValue(message, field);
        const auto* value = field->enum_type()->FindValueByNumber(number);
        if (value == nullptr) {
          absl::StrAppend(out_, number);
        } else {
          Quote(value->name());
        }
        return;
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Write(at ? r->GetRepeatedMessage(message, field, index)
                        : r->GetMessage(message, field));
    }
  }

  void WriteAny(const google::protobuf::Any& any) {
    Open('{');
    Key("@type");
    Quote(any.type_url());
    const size_t slash = any.type_url().rfind('/');
    std::unique_ptr<Message> message = NewMessage(any.type_url().substr(slash + 1));
    if (message != nullptr && message->ParseFromString(any.value())) {
      WriteFields(*message);
    } else {
      Key("value");
      Quote(absl::Base64Escape(any.value()));
    }
    Close('}');
  }

  void WritePayload(const history::v1::Payload& payload) {
    Open('{');
    Key("metadata");
    WriteMap(payload, payload.GetDescriptor()->FindFieldByName("metadata"));
    const auto type_name = payload.metadata().find(history::kMessageTypeKey);
    const auto encoding = payload.metadata().find(history::kEncodingKey);
    std::unique_ptr<Message> message;
    if (type_name != payload.metadata().end()) message = NewMessage(type_name->second);
    if (message != nullptr && message->ParseFromString(payload.data())) {
      Key("message_type");
      Quote(type_name->second);
      Key("value");
      Write(*message);
    } else if (encoding != payload.metadata().end() && encoding->second == "json/plain" &&
               nlohmann::json::accept(payload.data())) {
      Key("value");
      out_->append(payload.data());
    } else {
      Key("data");
      Quote(absl::Base64Escape(payload.data()));
    }
    Close('}');
  }

  void Real(double value) {
    if (std::isnan(value)) return Quote("NaN");
    if (std::isinf(value)) return Quote(value > 0 ? "Infinity" : "-Infinity");
    nlohmann::json number = value;  // shortest form that reads back the same
    out_->append(number.dump());
  }

  void Quote(absl::string_view text) { out_->append(JsonQuote(text)); }
  void Key(absl::string_view name) {
    Separate();
    Quote(name);
    out_->append(pretty_ ? ": " : ":");
  }
  void Open(char bracket) {
    out_->push_back(bracket);
    ++indent_;
    first_ = true;
  }
  void Close(char bracket) {
    --indent_;
    if (!first_) NewLine();
    first_ = false;
    out_->push_back(bracket);
  }
  void Separate() {
    if (!first_) out_->push_back(',');
    first_ = false;
    NewLine();
  }
  void NewLine() {
    if (!pretty_) return;
    out_->push_back('\n');
    out_->append(static_cast<size_t>(indent_) * 2, ' ');
  }

  std::string* const out_;
  const bool pretty_;
  int depth_ = 0;
  int indent_ = 0;
  bool first_ = true;
};

}  // namespace

std::string ToJson(const Message& message, const JsonOptions& options) {
  std::string out;
  Writer(&out, options.pretty).Write(message);
  return out;
}

std::string JsonQuote(absl::string_view text) {
  bool plain = true;
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
      plain = false;
      break;
    }
  }
  if (plain) return absl::StrCat("\"", text, "\"");
  return nlohmann::json(std::string(text))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace gateway
