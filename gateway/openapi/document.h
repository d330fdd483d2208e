// Writes the OpenAPI document: the operations of the services by their google.api.http
// annotations, and the parts of base.json (the pages beside the services, errors, sign-in).
#pragma once

#include <google/protobuf/descriptor.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace openapi {

// An example of docs/api/examples: request and answer of one operation.
struct Example {
  std::string operation;
  nlohmann::ordered_json json;
};

// `base`: what is in the document beside the services.
nlohmann::ordered_json MakeDocument(
    const std::vector<const google::protobuf::ServiceDescriptor*>& services,
    const std::vector<Example>& examples, nlohmann::ordered_json base);

}  // namespace openapi
