// PathTemplate: the paths of google.api.http annotations: literal segments, {field} for one
// segment, {field...} for the rest of the path (at least one segment). Value type; thread-safe
// for reading.
//
// Example:
//   PathTemplate path = *PathTemplate::Parse("/v1/workflows/{workflow_id}/history");
//   std::map<std::string, std::string> fields;
//   path.Match("/v1/workflows/a%2Fb/history", &fields);  // fields["workflow_id"] == "a/b"
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gateway {

class PathTemplate {
 public:
  // INVALID_ARGUMENT for what is not a path of such segments.
  static absl::StatusOr<PathTemplate> Parse(absl::string_view text);

  // Whether `path` (percent-encoded) has this shape; then `fields` holds the decoded values.
  bool Match(absl::string_view path, std::map<std::string, std::string>* fields) const;
  const std::string& text() const { return text_; }
  // Templates with more of them go first, so that a literal wins over a field.
  int literals() const;

 private:
  enum class Kind { kLiteral, kField, kRest };
  struct Segment {
    Kind kind;
    std::string text;  // the literal, or the field's name
  };
  std::string text_;
  std::vector<Segment> segments_;
};

}  // namespace gateway
