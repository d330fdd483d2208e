#include "gateway/openapi/schema.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/openapi/comments.h"
#include "gateway/openapi/limits.h"
#include "orchestrator/base/check.h"

namespace openapi {

namespace {

// What JSON has its own form for.
Json WellKnown(const std::string& type) {
  if (type == "google.protobuf.Timestamp") {
    return {{"type", "string"}, {"format", "date-time"}, {"examples", {"2026-12-24T08:00:00Z"}}};
  }
  if (type == "google.protobuf.Duration") {
    return {{"type", "string"},
            {"pattern", "^-?([0-9]+(\\.[0-9]+)?(h|m|s|ms|us|ns))+$|^0$"},
            {"examples", {"30s", "1m30s"}}};
  }
  if (type == "google.protobuf.FieldMask") {
    return {{"type", "string"}, {"examples", {"tone,channels"}}};
  }
  return nullptr;
}

// History events and failures leave out what is at its default (gateway/json/json_writer.h).
bool OmitsDefaults(const Descriptor* message) {
  return message->file()->name() == "orchestrator/v1/history.proto" ||
         message->full_name() == "orchestrator.v1.Failure";
}

// "RunStatus" for RunStatus.Value.
std::string EnumName(const google::protobuf::EnumDescriptor* type) {
  const Descriptor* holder = type->containing_type();
  return holder == nullptr ? type->name() : holder->name();
}

void AddText(Json* schema, const std::string& text) {
  std::string all = schema->value("description", "");
  absl::StrAppend(&all, all.empty() ? "" : " ", text);
  (*schema)["description"] = all;
}

Json Number(double value) {
  const auto whole = static_cast<int64_t>(value);
  return static_cast<double>(whole) == value ? Json(whole) : Json(value);
}

// `value`: the schema of one value, an element when the field is a list.
void AddValueLimits(const Limit& limit, Json* value) {
  if (limit.length_min > 0) (*value)["minLength"] = limit.length_min;
  if (limit.length_max >= 0) (*value)["maxLength"] = limit.length_max;
  if (!limit.pattern.empty()) (*value)["pattern"] = std::string(limit.pattern);
  if (!limit.format.empty()) (*value)["format"] = std::string(limit.format);
  if (limit.least != -kNoLimit) (*value)["minimum"] = Number(limit.least);
  if (limit.most != kNoLimit) (*value)["maximum"] = Number(limit.most);
  for (absl::string_view word : limit.words) (*value)["enum"].push_back(std::string(word));
}

void AddListLimits(const Limit& limit, Json* list) {
  if (limit.items_min > 0) (*list)["minItems"] = limit.items_min;
  if (limit.items_max >= 0) (*list)["maxItems"] = limit.items_max;
  if (limit.unique) (*list)["uniqueItems"] = true;
}

// What campaigns take and give as payloads; workflows of others have their own.
constexpr const char* kPayloads[] = {
    "campaign.v1.CampaignSpec",        "campaign.v1.CampaignResult",
    "campaign.v1.CampaignProgress",    "campaign.v1.DecisionInput",
    "campaign.v1.ApprovalDecision",    "campaign.v1.UpdateContentInput",
    "campaign.v1.UpdateContentOutput", "orchestrator.v1.CompensationVerbInput",
};

// `values`: schemas of what a payload may hold.
Json PayloadSchema(const std::string& description, Json values) {
  return {
      {"type", "object"},
      {"description",
       absl::StrCat(description,
                    " Give `message_type` and `value` for a message that the server knows, "
                    "`value` alone for any JSON, or `metadata` and `data` as they are stored. "
                    "Answers have `value` where the server can read it, else `data`.")},
      {"properties",
       {{"metadata",
         {{"type", "object"},
          {"description", "How the data is encoded, as in {\"encoding\":\"json/plain\"}."},
          {"additionalProperties", {{"type", "string"}}}}},
        {"message_type",
         {{"type", "string"},
          {"description",
           "Full name of the message that `value` is, as in "
           "campaign.v1.CampaignResult."}}},
        {"value", {{"description", "The decoded value: any JSON."}, {"anyOf", std::move(values)}}},
        {"data",
         {{"type", "string"},
          {"contentEncoding", "base64"},
          {"description", "The encoded bytes."}}}}}};
}

}  // namespace

bool Schemas::IsScalar(const FieldDescriptor* field) const {
  return field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
         !WellKnown(field->message_type()->full_name()).is_null();
}

Json Schemas::Ref(const Descriptor* message) {
  const std::string& name = message->name();
  const auto [known, added] = full_names_.emplace(name, message->full_name());
  CHECK(known->second == message->full_name()) << "two messages are called " << name;
  if (added) {
    messages_[name] = message;
    schemas_[name] = Json();  // it may hold itself
    schemas_[name] = Message(message, {});
  }
  return {{"$ref", absl::StrCat("#/components/schemas/", name)}};
}

Json Schemas::BodyRef(const Descriptor* message, const std::set<std::string>& without) {
  const std::string& name = message->name();
  const auto [known, added] = without_.emplace(name, without);
  CHECK(known->second == without) << name << " is the body of two kinds of paths";
  full_names_.emplace(name, message->full_name());
  if (added) schemas_[name] = Message(message, without);
  return {{"$ref", absl::StrCat("#/components/schemas/", name)}};
}

Json Schemas::Enum(const google::protobuf::EnumDescriptor* type) {
  const std::string name = EnumName(type);
  const auto [known, added] = full_names_.emplace(name, type->full_name());
  CHECK(known->second == type->full_name()) << "two types are called " << name;
  if (added) {
    Json schema = {{"type", "string"}};
    std::string text =
        type->containing_type() == nullptr ? CommentOf(type) : CommentOf(type->containing_type());
    for (int i = 0; i < type->value_count(); ++i) {
      schema["enum"].push_back(type->value(i)->name());
      google::protobuf::SourceLocation location;
      type->value(i)->GetSourceLocation(&location);
      const std::string what = Sentences(location.leading_comments + location.trailing_comments);
      if (!what.empty()) absl::StrAppend(&text, "\n- `", type->value(i)->name(), "`: ", what);
    }
    schema["description"] = text;
    schemas_[name] = std::move(schema);
  }
  return {{"$ref", absl::StrCat("#/components/schemas/", name)}};
}

// The schema of one value of the field, without limits.
Json Schemas::Value(const FieldDescriptor* field) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (field->type() == FieldDescriptor::TYPE_BYTES) {
        return {{"type", "string"}, {"contentEncoding", "base64"}};
      }
      return {{"type", "string"}};
    case FieldDescriptor::CPPTYPE_BOOL:
      return {{"type", "boolean"}};
    case FieldDescriptor::CPPTYPE_INT32:
      return {{"type", "integer"}, {"format", "int32"}};
    case FieldDescriptor::CPPTYPE_UINT32:
      return {{"type", "integer"}, {"minimum", 0}};
    case FieldDescriptor::CPPTYPE_INT64:
      return {{"type", "integer"}, {"format", "int64"}};
    case FieldDescriptor::CPPTYPE_UINT64:
      // Seeds use all their bits, which JSON numbers do not have.
      return {{"type", {"integer", "string"}}, {"format", "uint64"}};
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return {{"type", "number"}, {"format", "double"}};
    case FieldDescriptor::CPPTYPE_ENUM:
      return Enum(field->enum_type());
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  const std::string& type = field->message_type()->full_name();
  Json well_known = WellKnown(type);
  return well_known.is_null() ? Ref(field->message_type()) : well_known;
}

Json Schemas::OfField(const FieldDescriptor* field) {
  const Limit* limit = FindLimit(field->containing_type()->name(), field->name());
  Json schema;
  if (field->is_map()) {
    schema = {{"type", "object"},
              {"additionalProperties", Value(field->message_type()->map_value())}};
  } else {
    Json value = Value(field);
    if (limit != nullptr) AddValueLimits(*limit, &value);
    if (field->is_repeated()) {
      schema = {{"type", "array"}, {"items", std::move(value)}};
      if (limit != nullptr) AddListLimits(*limit, &schema);
    } else {
      schema = std::move(value);
    }
  }
  AddText(&schema, CommentOf(field));
  if (limit != nullptr && !limit->text.empty()) AddText(&schema, std::string(limit->text));
  return schema;
}

Json Schemas::Message(const Descriptor* message, const std::set<std::string>& without) {
  if (message->full_name() == "orchestrator.v1.Payload") {
    Json values = Json::array();
    for (const char* name : kPayloads) {
      const Descriptor* type = message->file()->pool()->FindMessageTypeByName(name);
      CHECK(type != nullptr) << name;
      MarkResponse(type);
      values.push_back(Ref(type));
    }
    values.push_back({{"description", "Any other JSON."}});
    return PayloadSchema(CommentOf(message), std::move(values));
  }
  Json schema = {{"type", "object"}, {"description", CommentOf(message)}};
  Json properties = Json::object();
  Json required = Json::array();
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor* field = message->field(i);
    if (without.contains(field->name())) continue;
    properties[field->name()] = OfField(field);
    const Limit* limit = FindLimit(message->name(), field->name());
    if (limit != nullptr && limit->required) required.push_back(field->name());
  }
  if (!properties.empty()) schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  for (int i = 0; i < message->oneof_decl_count(); ++i) {
    const auto* choice = message->oneof_decl(i);
    std::string names;
    for (int f = 0; f < choice->field_count() && choice->field_count() <= 8; ++f) {
      absl::StrAppend(&names, f == 0 ? " At most one of `" : "`, `", choice->field(f)->name());
    }
    AddText(&schema, names.empty() ? CommentOf(choice) : absl::StrCat(names.substr(1), "`."));
  }
  return schema;
}

void Schemas::Mark(const Descriptor* message, std::set<const Descriptor*>* marked) {
  if (!marked->insert(message).second) return;
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor* field = message->field(i);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) Mark(field->message_type(), marked);
  }
}

Json Schemas::Take() {
  for (const auto& [name, message] : messages_) {
    // What requests hold too (a campaign, a schedule) may be incomplete there.
    const bool answered_only = responses_.contains(message) && !requests_.contains(message);
    if (!answered_only || OmitsDefaults(message)) continue;
    Json required = Json::array();
    for (int i = 0; i < message->field_count(); ++i) {
      const FieldDescriptor* field = message->field(i);
      if (!field->has_presence()) required.push_back(field->name());
    }
    if (!required.empty()) schemas_[name]["required"] = std::move(required);
  }
  Json all = Json::object();
  for (auto& [name, schema] : schemas_) all[name] = std::move(schema);
  return all;
}

}  // namespace openapi
