#include "gateway/cli/spec_file.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "gateway/cli/text_file.h"
#include "gateway/cli/yaml_json.h"
#include "gateway/json/json_reader.h"
#include "orchestrator/base/status_macros.h"

namespace cli {

namespace {

constexpr size_t kFileBytesMax = 1 << 20;

std::string WithLine(const std::map<std::string, int>& lines, const std::string& field,
                     const std::string& description) {
  // The nearest level that is in the file: a missing field stands where its parent does.
  std::string path = field;
  while (true) {
    const auto found = lines.find(path);
    if (found != lines.end()) return absl::StrCat(description, " (line ", found->second, ")");
    const size_t cut = path.find_last_of(".[");
    if (cut == path.npos) return description;
    path.resize(cut);
  }
}

// "campaignName" -> "campaign_name": faults name fields as the protos do.
std::string SnakeCase(absl::string_view path) {
  std::string snake;
  for (const char c : path) {
    if (absl::ascii_isupper(static_cast<unsigned char>(c))) snake += '_';
    snake += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return snake;
}

absl::Status Empty() {
  return absl::InvalidArgumentError(
      "there is nothing in it: it needs a campaign's fields, such as `campaign_name: Spring`");
}

}  // namespace

absl::StatusOr<SpecFile> ParseSpec(const std::string& text, bool is_json,
                                   gateway::Completeness completeness, absl::Time now) {
  if (absl::StripAsciiWhitespace(text).empty()) return Empty();
  SpecFile file;
  std::string json = text;
  if (!is_json) {
    ASSIGN_OR_RETURN(YamlJson converted, YamlToJson(text));
    json = std::move(converted.json);
    if (json == "null") return Empty();  // comments alone
    for (const auto& [path, line] : converted.lines) {
      file.lines.emplace(path, line);
      file.lines.emplace(SnakeCase(path), line);
    }
  }
  // Both shapes are tried; the one at the top must be an object with or without `campaign`.
  gateway::FieldViolations whole;
  campaign::v1::CreateCampaignRequest request;
  RETURN_IF_ERROR(gateway::ReadJson(json, &request, &whole));
  file.nested = request.has_campaign();
  for (const auto& violation : whole.list()) {
    file.nested = file.nested || absl::StartsWith(violation.field, "campaign.") ||
                  violation.field == "campaign";
  }
  gateway::FieldViolations violations;
  if (file.nested) {
    file.request = std::move(request);
    violations = std::move(whole);
  } else {
    RETURN_IF_ERROR(gateway::ReadJson(json, file.request.mutable_campaign(), &violations));
  }
  if (violations.empty()) return file;
  gateway::FieldViolations checked;
  gateway::CheckCampaign(file.request.campaign(), file.nested ? "campaign" : "", completeness, now,
                         &checked);
  violations.MergeChecked(checked);
  gateway::FieldViolations placed;
  for (const auto& violation : violations.list()) {
    placed.Add(violation.field == "(body)" ? "(file)" : violation.field,
               WithLine(file.lines, violation.field, violation.description));
  }
  return placed.ToStatus();
}

absl::StatusOr<SpecFile> ReadSpecFile(const std::string& path, gateway::Completeness completeness) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  if (text.size() > kFileBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has ", text.size(), " bytes, at most ", kFileBytesMax, " may be"));
  }
  absl::StatusOr<SpecFile> file =
      ParseSpec(text, absl::EndsWith(path, ".json"), completeness, absl::Now());
  if (!file.ok() && gateway::ViolationsOf(file.status()).empty()) {
    return absl::Status(file.status().code(),
                        absl::StrCat(path, ": ", std::string(file.status().message())));
  }
  return file;
}

absl::Status InFileTerms(const SpecFile& file, const absl::Status& status) {
  const auto violations = gateway::ViolationsOf(status);
  if (violations.empty()) return status;
  gateway::FieldViolations placed;
  for (const auto& violation : violations) {
    absl::string_view field = violation.field;
    if (!file.nested) absl::ConsumePrefix(&field, "campaign.");
    placed.Add(field, WithLine(file.lines, std::string(field), violation.description));
  }
  return placed.ToStatus();
}

}  // namespace cli
