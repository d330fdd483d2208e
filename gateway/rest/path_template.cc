#include "gateway/rest/path_template.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gateway/rest/url.h"

namespace gateway {

absl::StatusOr<PathTemplate> PathTemplate::Parse(absl::string_view text) {
  const auto error = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("path template ", text, " ", what));
  };
  PathTemplate path;
  path.text_ = std::string(text);
  if (!absl::ConsumePrefix(&text, "/")) return error("does not start with /");
  for (absl::string_view part : absl::StrSplit(text, '/')) {
    if (!path.segments_.empty() && path.segments_.back().kind == Kind::kRest) {
      return error("has segments after a rest");
    }
    if (!absl::StartsWith(part, "{")) {
      if (absl::StrContains(part, '{') || absl::StrContains(part, '}')) {
        return error("has a brace inside a segment");
      }
      path.segments_.push_back({Kind::kLiteral, std::string(part)});
      continue;
    }
    absl::string_view name = part.substr(1);
    if (!absl::ConsumeSuffix(&name, "}")) return error("has an open brace");
    const bool rest = absl::ConsumeSuffix(&name, "...");
    if (name.empty() || absl::StrContains(name, '=') || absl::StrContains(name, '*')) {
      return error("has a field that is neither {name} nor {name...}");
    }
    path.segments_.push_back({rest ? Kind::kRest : Kind::kField, std::string(name)});
  }
  return path;
}

bool PathTemplate::Match(absl::string_view path, std::map<std::string, std::string>* fields) const {
  if (!absl::ConsumePrefix(&path, "/")) return false;
  fields->clear();
  for (size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const bool last = i + 1 == segments_.size();
    const size_t slash = path.find('/');
    const absl::string_view part = segment.kind == Kind::kRest ? path : path.substr(0, slash);
    if (segment.kind == Kind::kRest) {
      path = absl::string_view();
    } else if (slash == absl::string_view::npos) {
      if (!last) return false;
      path = absl::string_view();
    } else {
      if (last) return false;
      path.remove_prefix(slash + 1);
    }
    std::optional<std::string> decoded = PercentDecode(part, false);
    if (!decoded.has_value()) return false;
    if (segment.kind == Kind::kLiteral) {
      if (*decoded != segment.text) return false;
    } else {
      if (decoded->empty()) return false;
      (*fields)[segment.text] = *std::move(decoded);
    }
  }
  return true;
}

int PathTemplate::literals() const {
  return static_cast<int>(std::count_if(segments_.begin(), segments_.end(),
                                        [](const Segment& s) { return s.kind == Kind::kLiteral; }));
}

}  // namespace gateway
