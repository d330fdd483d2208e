// Reads the text that a model gave for JSON: models wrap it in code fences, leave keys out, or
// put lists where texts were asked for.
// Thread-safety: free functions on values.
//
// Example:
//   base::Outcome<std::string> json = openai::CheckOutput(text, {"headline", "tagline"});
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/base/outcome.h"

namespace openai {

inline constexpr size_t kOutputBytesMax = 512 * 1024;

// The JSON object in `text`, compact, when each of `required_keys` holds a text that is not empty;
// else the failure "InvalidModelOutput" that says what is missing.
base::Outcome<std::string> CheckOutput(std::string_view text,
                                       const std::vector<std::string>& required_keys);

// The JSON schema of an object with a text under each key and nothing else.
std::string SchemaOf(const std::vector<std::string>& required_keys);

}  // namespace openai
