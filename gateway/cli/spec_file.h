// A campaign in a YAML or JSON file: the fields of CampaignSpec at the top, or under `campaign:`
// with a `request_id:` beside it. Thread-safe.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "campaign/v1/service.pb.h"

namespace cli {

struct SpecFile {
  campaign::v1::CreateCampaignRequest request;
  bool nested = false;               // the fields are under `campaign:`
  std::map<std::string, int> lines;  // of the YAML's fields, by path
};

// `path` "-" is standard input. INVALID_ARGUMENT: cannot be read, or every field that is
// unknown or of the wrong type, with its line.
absl::StatusOr<SpecFile> ReadSpecFile(const std::string& path);
absl::StatusOr<SpecFile> ParseSpec(const std::string& text, bool is_json);

// The violations of `status` (the server's) with the file's paths and lines.
absl::Status InFileTerms(const SpecFile& file, const absl::Status& status);

}  // namespace cli
