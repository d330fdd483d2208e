// Just enough GraphQL to serve a known client: the root fields of one operation with their
// arguments, variables put in. Selections are skipped: an answer holds whole objects.
// Thread-safety: pure function.
//
// Example:
//   auto fields = ParseGraphQl("mutation($i: In!){createPost(input:$i){__typename}}",
//                              Json{{"i", {{"text", "x"}}}});
//   fields->at(0).name;                       // "createPost"
//   fields->at(0).arguments["input"]["text"]; // "x"
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sandbox/json.h"

namespace sandbox {

struct GraphQlField {
  std::string alias;  // the key in the answer
  std::string name;
  Json arguments = Json::object();
};

// Nullopt when the text is no operation with at least one field.
std::optional<std::vector<GraphQlField>> ParseGraphQl(std::string_view query,
                                                      const Json& variables);

}  // namespace sandbox
