#include "gateway/json/json_reader.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/json/json_document.h"
#include "gateway/json/text_values.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/payload.h"

namespace gateway {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kTooLarge[] = "is a number that is too large";
constexpr char kTwice[] = "is there twice";

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
    const std::string& known = type->field(i)->name();
    const size_t distance = EditDistance(name, known);
    // A word that differs in more than a third is another word.
    if (distance < best_distance && 3 * distance <= std::max(name.size(), known.size())) {
      best_distance = distance;
      best = type->field(i);
    }
  }
  std::string text = "is not a known field";
  if (best != nullptr) absl::StrAppend(&text, "; did you mean ", best->name(), "?");
  return text;
}

// Appends the default value of its type to a repeated field.
void AddDefault(const FieldDescriptor* field, Message* message) {
  const Reflection* reflection = message->GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->AddString(message, field, "");
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->AddBool(message, field, false);
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->AddInt32(message, field, 0);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->AddInt64(message, field, 0);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->AddUInt32(message, field, 0);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection->AddUInt64(message, field, 0);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection->AddFloat(message, field, 0);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->AddDouble(message, field, 0);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->AddEnum(message, field, field->enum_type()->value(0));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      reflection->AddMessage(message, field);
  }
}

class Reader {
 public:
  explicit Reader(FieldViolations* violations) : violations_(violations) {}

  void ReadMessage(const Json& json, Message* message, const std::string& path, int depth) {
    if (depth > kJsonDepthMax) {
      return violations_->Add(path, absl::StrCat("is nested deeper than ", kJsonDepthMax));
    }
    const Descriptor* type = message->GetDescriptor();
    if (!json.is_object()) return Wrong(path.empty() ? "(body)" : path, "must be an object", json);
    if (type == history::v1::Payload::descriptor()) {
      return ReadPayload(json, static_cast<history::v1::Payload*>(message), path, depth);
    }
    std::vector<const google::protobuf::OneofDescriptor*> oneofs;
    std::map<const FieldDescriptor*, std::string> seen;  // and how it was written
    std::set<std::string> unknown;
    for (const auto& [name, value] : json.items()) {
      const FieldDescriptor* field = type->FindFieldByName(name);
      if (field == nullptr) field = type->FindFieldByCamelcaseName(name);
      if (field == nullptr) {
        if (unknown.insert(name).second) {
          violations_->AddUnknown(Join(path, name), UnknownField(type, name));
        }
        continue;
      }
      const std::string field_path = Join(path, field->name());
      if (const auto [first, is_new] = seen.emplace(field, name); !is_new) {
        violations_->Add(field_path, first->second == name
                                         ? std::string(kTwice)
                                         : absl::StrCat(kTwice, ", as ", first->second, " and as ",
                                                        std::string(name)));
        continue;
      }
      if (value.is_null()) continue;
      if (const auto* oneof = field->containing_oneof(); oneof != nullptr) {
        if (std::find(oneofs.begin(), oneofs.end(), oneof) != oneofs.end()) {
          violations_->Add(field_path,
                           absl::StrCat("only one field of ", oneof->name(), " may be set"));
          continue;
        }
        oneofs.push_back(oneof);
      }
      ReadField(value, field, message, field_path, depth);
    }
  }

 private:
  void ReadField(const Json& value, const FieldDescriptor* field, Message* message,
                 const std::string& path, int depth) {
    if (field->is_map()) return ReadMap(value, field, message, path, depth);
    if (!field->is_repeated()) return ReadSingle(value, field, message, path, depth);
    if (!value.is_array()) return Wrong(path, "must be a list", value);
    for (size_t i = 0; i < value.size(); ++i) {
      ReadSingle(value[i], field, message, absl::StrCat(path, "[", i, "]"), depth);
      // What cannot be read keeps its place: those behind it are checked by their index.
      if (message->GetReflection()->FieldSize(*message, field) == static_cast<int>(i)) {
        AddDefault(field, message);
      }
    }
  }

  void ReadMap(const Json& value, const FieldDescriptor* field, Message* message,
               const std::string& path, int depth) {
    if (!value.is_object()) return Wrong(path, "must be an object", value);
    const FieldDescriptor* key_field = field->message_type()->map_key();
    const FieldDescriptor* value_field = field->message_type()->map_value();
    std::set<std::string> seen;
    for (const auto& [key, item] : value.items()) {
      const std::string item_path = absl::StrCat(path, "[\"", key, "\"]");
      if (!seen.insert(key).second) {
        violations_->Add(item_path, kTwice);
        continue;
      }
      Message* entry = message->GetReflection()->AddMessage(message, field);
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
    if (value.is_string() && (value == "NaN" || value == "Infinity" || value == "-Infinity")) {
      return Apply(value.get_ref<const std::string&>(), field, message, path);
    }
    Wrong(path, "must be a number", value);
  }

  void ReadPayload(const Json& json, history::v1::Payload* payload, const std::string& path,
                   int depth) {
    const auto value = json.find("value");
    bool faulty = false;
    std::set<std::string> seen;
    for (const auto& [name, item] : json.items()) {
      const FieldDescriptor* field = payload->GetDescriptor()->FindFieldByName(name);
      const std::string item_path = Join(path, name);
      if (!seen.insert(name).second) {
        violations_->Add(item_path, kTwice);
        faulty = true;
      } else if (name == "data" && value != json.end()) {
        violations_->Add(item_path, "only one of data and value may be set");
      } else if (field != nullptr && value == json.end() && !item.is_null()) {
        ReadField(item, field, payload, item_path, depth);
      } else if (field == nullptr && name != "value" && name != "message_type") {
        violations_->AddUnknown(item_path, "is not one of metadata, data, message_type, value");
      } else if (name == "message_type" && value == json.end()) {
        violations_->Add(item_path, "needs a value beside it");
      }
    }
    if (value == json.end() || faulty) return;
    const auto type_name = json.find("message_type");
    if (type_name == json.end() || type_name->is_null()) {
      if (!CheckPlain(*value, Join(path, "value"), depth + 1)) return;
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

  // Any JSON: what a reader would not tell from other JSON, or cannot hold.
  bool CheckPlain(const Json& json, const std::string& path, int depth) {
    if (depth > kJsonDepthMax) {
      violations_->Add(path, absl::StrCat("is nested deeper than ", kJsonDepthMax));
      return false;
    }
    bool good = !json.is_discarded();
    if (!good) violations_->Add(path, kTooLarge);
    if (json.is_array()) {
      for (size_t i = 0; i < json.size(); ++i) {
        good = CheckPlain(json[i], absl::StrCat(path, "[", i, "]"), depth + 1) && good;
      }
    }
    if (!json.is_object()) return good;
    std::set<std::string> seen;
    for (const auto& [name, item] : json.items()) {
      if (!seen.insert(name).second) {
        violations_->Add(Join(path, name), kTwice);
        good = false;
      }
      good = CheckPlain(item, Join(path, name), depth + 1) && good;
    }
    return good;
  }

  static std::string SetExpectation(const std::string& type) {
    if (type == "google.protobuf.Timestamp") {
      return "must be an RFC 3339 time such as 2026-01-31T09:00:00Z";
    }
    if (type == "google.protobuf.Duration") return "must be a duration such as 30s";
    return "must be field names separated by commas";
  }

  void Wrong(const std::string& path, absl::string_view expected, const Json& value) {
    if (value.is_discarded()) return violations_->Add(path, kTooLarge);
    violations_->Add(path, absl::StrCat(expected, ", not ", TypeName(value)));
  }
  void Apply(const std::string& text, const FieldDescriptor* field, Message* message,
             const std::string& path) {
    const std::string expected = SetFromText(text, field, message);
    if (!expected.empty()) violations_->Add(path, expected);
  }

  FieldViolations* const violations_;
};

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
  ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  Reader(violations).ReadMessage(json, message, std::string(prefix), 0);
  if (json.is_object()) FillUpdateMask(json, message);
  return absl::OkStatus();
}

}  // namespace gateway
