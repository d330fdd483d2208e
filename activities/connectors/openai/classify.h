// What the error answers of OpenAI-compatible servers mean: `error.code` decides whether a 429
// passes by itself, and servers differ in its type (text, number, null) and place.
// Thread-safety: free functions on values.
//
// Example:
//   outbound::Vendor{.name = "openai", .classify = openai::Classify};
#pragma once

#include "activities/outbound/call.h"

namespace openai {

outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response);

// The vendor of every call: models think long; a local one on a small machine longer.
const outbound::Vendor& OpenAiVendor();

}  // namespace openai
