// The files of the document and its page, compressed with gzip, as they are in the program.
// Constant; thread-safe.
#pragma once

#include "absl/strings/string_view.h"

namespace openapi {

struct EmbeddedFile {
  absl::string_view name;  // "swagger-ui.css"
  absl::string_view content_type;
  absl::string_view gzip;
};

// Null: there is no such file.
const EmbeddedFile* FindEmbedded(absl::string_view name);

}  // namespace openapi
