// Messages as JSON schemas (draft 2020-12, as OpenAPI 3.1 has them), in the form that
// gateway/json writes and reads.
//
// Thread-safety: thread-compatible.
//
// Example:
//   Schemas schemas;
//   Json body = schemas.Ref(method->input_type());
//   document["components"]["schemas"] = schemas.Take();
#pragma once

#include <google/protobuf/descriptor.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace openapi {

using Json = nlohmann::ordered_json;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

class Schemas {
 public:
  // A reference to the message's schema, which is made when it is first asked for.
  Json Ref(const Descriptor* message);
  // The same for the body of a request, without the fields that the path gives.
  Json BodyRef(const Descriptor* message, const std::set<std::string>& without);
  // A field's own schema, with its description and limits.
  Json OfField(const FieldDescriptor* field);
  // What is only answered is written with all its fields: those without presence are required.
  void MarkRequest(const Descriptor* message) { Mark(message, &requests_); }
  void MarkResponse(const Descriptor* message) { Mark(message, &responses_); }
  bool IsScalar(const FieldDescriptor* field) const;

  // All that were asked for, by name.
  Json Take();

 private:
  Json Value(const FieldDescriptor* field);
  Json Message(const Descriptor* message, const std::set<std::string>& without);
  void Mark(const Descriptor* message, std::set<const Descriptor*>* marked);
  Json Enum(const google::protobuf::EnumDescriptor* type);

  std::map<std::string, Json> schemas_;
  std::map<std::string, std::string> full_names_;         // a schema's name -> whose it is
  std::map<std::string, std::set<std::string>> without_;  // of bodies
  std::map<std::string, const Descriptor*> messages_;
  std::set<const Descriptor*> requests_;
  std::set<const Descriptor*> responses_;
};

}  // namespace openapi
