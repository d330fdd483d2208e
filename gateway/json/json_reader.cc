#include "gateway/json/json_reader.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/json/text_values.h"
#include "orchestrator/history/payload.h"

namespace gateway {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Json = nlohmann::ordered_json;

std::string Join(absl::string_view path, absl::string_view name) {
  return path.empty() ? std::string(name) : absl::StrCat(path, ".", name);
}

std::string TypeName(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "a string";
  if (value.is_boolean()) return "a boolean";
  if (value.is_number()) return "a number";
  return "null";
}

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// "is not a known field", with the nearest name when one is near.
std::string UnknownField(const Descriptor* type, absl::string_view name) {
  constexpr size_t kNameMax = 64;
  const FieldDescriptor* best = nullptr;
  size_t best_distance = 3;
  for (int i = 0; i < type->field_count() && name.size() <= kNameMax; ++i) {
    const size_t distance = EditDistance(name, type->field(i)->name());
    if (distance < best_distance) {
      best_distance = distance;
      best = type->field(i);
    }
  }
  std::string text = "is not a known field";
  if (best != nullptr) absl::StrAppend(&text, "; did you mean ", best->name(), "?");
  return text;
}

class Reader {
 public:
  explicit Reader(FieldViolations* violations) : violations_(violations) {}

  void ReadMessage(const Json& json, Message* message, const std::string& path, int depth) {
    if (depth > kJsonDepthMax) {
      return violations_->Add(path, absl::StrCat("is nested deeper than ", kJsonDepthMax));
    }
    const Descriptor* type = message->GetDescriptor();
    if (!json.is_object()) {
      return violations_->Add(path.empty() ? "(body)" : path,
                              absl::StrCat("must be an object, not ", TypeName(json)));
    }
    if (type == history::v1::Payload::descriptor()) {
      return ReadPayload(json, static_cast<history::v1::Payload*>(message), path, depth);
    }
    std::vector<const google::protobuf::OneofDescriptor*> oneofs;
    for (const auto& [name, value] : json.items()) {
      const FieldDescriptor* field = type->FindFieldByName(name);
      if (field == nullptr) field = type->FindFieldByCamelcaseName(name);
      if (field == nullptr) {
        violations_->Add(Join(path, name), UnknownField(type, name));
        continue;
      }
      if (value.is_null()) continue;
      if (const auto* oneof = field->containing_oneof(); oneof != nullptr) {
        if (std::find(oneofs.begin(), oneofs.end(), oneof) != oneofs.end()) {
          violations_->Add(Join(path, name),
                           absl::StrCat("only one field of ", oneof->name(), " may be set"));
          continue;
        }
        oneofs.push_back(oneof);
      }
      ReadField(value, field, message, Join(path, name), depth);
    }
  }

 private:
  void ReadField(const Json& value, const FieldDescriptor* field, Message* message,
                 const std::string& path, int depth) {
    if (field->is_map()) return ReadMap(value, field, message, path, depth);
    if (!field->is_repeated()) return ReadSingle(value, field, message, path, depth);
    if (!value.is_array()) {
      return violations_->Add(path, absl::StrCat("must be a list, not ", TypeName(value)));
    }
    for (size_t i = 0; i < value.size(); ++i) {
      ReadSingle(value[i], field, message, absl::StrCat(path, "[", i, "]"), depth);
    }
  }

  void ReadMap(const Json& value, const FieldDescriptor* field, Message* message,
               const std::string& path, int depth) {
    if (!value.is_object()) {
      return violations_->Add(path, absl::StrCat("must be an object, not ", TypeName(value)));
    }
    const FieldDescriptor* key_field = field->message_type()->map_key();
    const FieldDescriptor* value_field = field->message_type()->map_value();
    for (const auto& [key, item] : value.items()) {
      Message* entry = message->GetReflection()->AddMessage(message, field);
      const std::string item_path = absl::StrCat(path, "[\"", key, "\"]");
      const std::string expected = SetFromText(key, key_field, entry);
      if (!expected.empty()) violations_->Add(item_path, absl::StrCat("key ", expected));
      ReadSingle(item, value_field, entry, item_path, depth);
    }
  }

  // One value: into the field, or appended to it when the field is repeated.
  void ReadSingle(const Json& value, const FieldDescriptor* field, Message* message,
                  const std::string& path, int depth) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const std::string& type = field->message_type()->full_name();
      const bool text_form = type == "google.protobuf.Timestamp" ||
                             type == "google.protobuf.Duration" ||
                             type == "google.protobuf.FieldMask";
      if (!text_form) {
        const Reflection* reflection = message->GetReflection();
        Message* child = field->is_repeated() ? reflection->AddMessage(message, field)
                                              : reflection->MutableMessage(message, field);
        return ReadMessage(value, child, path, depth + 1);
      }
      if (!value.is_string()) return Wrong(path, SetExpectation(type), value);
      return Apply(value.get_ref<const std::string&>(), field, message, path);
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        if (!value.is_string()) return Wrong(path, "must be a string", value);
        return Apply(value.get_ref<const std::string&>(), field, message, path);
      case FieldDescriptor::CPPTYPE_BOOL:
        if (!value.is_boolean()) return Wrong(path, "must be true or false", value);
        return Apply(value.get<bool>() ? "true" : "false", field, message, path);
      case FieldDescriptor::CPPTYPE_ENUM:
        if (value.is_number_integer()) return Apply(value.dump(), field, message, path);
        if (!value.is_string()) return Wrong(path, ExpectedEnum(field->enum_type()), value);
        return Apply(value.get_ref<const std::string&>(), field, message, path);
      case FieldDescriptor::CPPTYPE_DOUBLE:
      case FieldDescriptor::CPPTYPE_FLOAT:
        return ReadReal(value, field, message, path);
      default:
        return ReadInteger(value, field, message, path);
    }
  }

  void ReadInteger(const Json& value, const FieldDescriptor* field, Message* message,
                   const std::string& path) {
    if (value.is_number_float()) {
      const double real = value.get<double>();
      if (std::nearbyint(real) != real || std::fabs(real) > 9007199254740992.0) {
        return violations_->Add(path, "must be a whole number");
      }
      return Apply(absl::StrCat(static_cast<int64_t>(real)), field, message, path);
    }
    if (value.is_number()) return Apply(value.dump(), field, message, path);
    if (!value.is_string()) return Wrong(path, "must be a whole number", value);
    Apply(value.get_ref<const std::string&>(), field, message, path);
  }

  void ReadReal(const Json& value, const FieldDescriptor* field, Message* message,
                const std::string& path) {
    if (value.is_number()) return Apply(value.dump(), field, message, path);
    if (value == "NaN" || value == "Infinity" || value == "-Infinity") {
      return Apply(value.get_ref<const std::string&>(), field, message, path);
    }
    Wrong(path, "must be a number", value);
  }

  void ReadPayload(const Json& json, history::v1::Payload* payload, const std::string& path,
                   int depth) {
    const auto value = json.find("value");
    if (value == json.end()) {
      for (const auto& [name, item] : json.items()) {
        const FieldDescriptor* field = payload->GetDescriptor()->FindFieldByName(name);
        if (field == nullptr) {
          violations_->Add(Join(path, name), "is not one of metadata, data, message_type, value");
        } else if (!item.is_null()) {
          ReadField(item, field, payload, Join(path, name), depth);
        }
      }
      return;
    }
    const auto type_name = json.find("message_type");
    if (type_name == json.end() || type_name->is_null()) {
      (*payload->mutable_metadata())[history::kEncodingKey] = "json/plain";
      payload->set_data(value->dump());
      return;
    }
    const Descriptor* type =
        type_name->is_string()
            ? google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
                  type_name->get_ref<const std::string&>())
            : nullptr;
    if (type == nullptr) {
      return violations_->Add(Join(path, "message_type"), "names no message type known here");
    }
    std::unique_ptr<Message> message(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    ReadMessage(*value, message.get(), Join(path, "value"), depth + 1);
    *payload = history::ToPayload(*message);
  }

  static std::string SetExpectation(const std::string& type) {
    if (type == "google.protobuf.Timestamp") {
      return "must be an RFC 3339 time such as 2026-01-31T09:00:00Z";
    }
    if (type == "google.protobuf.Duration") return "must be a duration such as 30s";
    return "must be field names separated by commas";
  }

  void Wrong(const std::string& path, absl::string_view expected, const Json& value) {
    violations_->Add(path, absl::StrCat(expected, ", not ", TypeName(value)));
  }
  void Apply(const std::string& text, const FieldDescriptor* field, Message* message,
             const std::string& path) {
    const std::string expected = SetFromText(text, field, message);
    if (!expected.empty()) violations_->Add(path, expected);
  }

  FieldViolations* const violations_;
};

absl::Status Malformed(absl::string_view text, const Json::parse_error& error) {
  size_t line = 1;
  size_t column = 1;
  for (size_t i = 0; i + 1 < error.byte && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  absl::string_view what = error.what();
  if (const size_t at = what.find(": "); at != absl::string_view::npos) what.remove_prefix(at + 2);
  return absl::InvalidArgumentError(
      absl::StrCat("malformed JSON at line ", line, ", column ", column, ": ", what));
}

void FillUpdateMask(const Json& json, Message* message) {
  const Descriptor* type = message->GetDescriptor();
  const FieldDescriptor* mask_field = type->FindFieldByName("update_mask");
  if (mask_field == nullptr || message->GetReflection()->HasField(*message, mask_field)) return;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    if (field == mask_field || field->is_repeated() ||
        field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    }
    auto found = json.find(field->name());
    if (found == json.end()) found = json.find(field->camelcase_name());
    if (found == json.end() || !found->is_object()) continue;
    auto* mask = static_cast<google::protobuf::FieldMask*>(
        message->GetReflection()->MutableMessage(message, mask_field));
    for (const auto& [name, value] : found->items()) {
      const FieldDescriptor* present = field->message_type()->FindFieldByName(name);
      if (present == nullptr) present = field->message_type()->FindFieldByCamelcaseName(name);
      if (present != nullptr) mask->add_paths(present->name());
    }
  }
}

}  // namespace

absl::Status ReadJson(absl::string_view text, Message* message, FieldViolations* violations,
                      absl::string_view prefix) {
  Json json;
  try {
    json = Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& error) {
    return Malformed(text, error);
  } catch (const Json::exception& error) {  // a number out of range
    return absl::InvalidArgumentError(absl::StrCat("malformed JSON: ", error.what()));
  }
  Reader(violations).ReadMessage(json, message, std::string(prefix), 0);
  if (json.is_object()) FillUpdateMask(json, message);
  return absl::OkStatus();
}

}  // namespace gateway
