// A campaign in a YAML or JSON file: the fields of CampaignSpec at the top, or under `campaign:`
// with a `request_id:` beside it. Thread-safe.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/v1/service.pb.h"
#include "gateway/grpc/campaign_validation.h"

namespace cli {

struct SpecFile {
  campaign::v1::CreateCampaignRequest request;
  bool nested = false;               // the fields are under `campaign:`
  std::map<std::string, int> lines;  // of the YAML's fields, by path
};

// `path` "-" is standard input. INVALID_ARGUMENT: cannot be read, or every field that is unknown or
// of the wrong type, with its line, and then also what a server would refuse in the others: all
// faults at once. A file without such faults is left to the server, which knows its settings.
absl::StatusOr<SpecFile> ReadSpecFile(const std::string& path, gateway::Completeness completeness);
absl::StatusOr<SpecFile> ParseSpec(const std::string& text, bool is_json,
                                   gateway::Completeness completeness, absl::Time now);

// The violations of `status` (the server's) with the file's paths and lines.
absl::Status InFileTerms(const SpecFile& file, const absl::Status& status);

}  // namespace cli
