// What a file is, read from its first bytes: names and headers lie, bytes do not.
// Thread-safety: free functions on values.
//
// Example:
//   std::string type = assets::DetectContentType(bytes);  // "image/png", or "" when unknown
#pragma once

#include <string>
#include <string_view>

namespace assets {

// "image/png", "image/jpeg", "image/svg+xml", "application/pdf", or "" for anything else.
std::string DetectContentType(std::string_view bytes);
// "image/png" -> "png"; "" for a type that DetectContentType does not give.
std::string ExtensionOf(std::string_view content_type);

}  // namespace assets
