#include "activities/campaign/review_files.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace campaign {
namespace {

constexpr absl::string_view kExtension = ".md";
constexpr absl::string_view kMarkerBegin = "<!-- campaign-workflow-id: ";
constexpr absl::string_view kCommentEnd = "-->";
constexpr absl::string_view kBranchPrefix = "campaign/";

}  // namespace

std::string ContentPath(absl::string_view content_dir, absl::string_view key,
                        absl::string_view content_id) {
  return absl::StrCat(ReviewDir(content_dir, key), "/", content_id, kExtension);
}

std::string ContentIdOfPath(absl::string_view content_dir, absl::string_view key,
                            absl::string_view path) {
  for (const PieceKind& kind : PieceKinds()) {
    if (path == ContentPath(content_dir, key, kind.id)) return std::string(kind.id);
  }
  return "";
}

std::string ContentFile(const PieceKind& kind, absl::string_view text) {
  return absl::StrCat("<!-- ", kind.title, " -->\n\n", text, "\n");
}

std::string TextOfContentFile(absl::string_view file) {
  absl::ConsumePrefix(&file, "\xEF\xBB\xBF");  // some editors put one there
  file = absl::StripAsciiWhitespace(file);
  if (absl::ConsumePrefix(&file, "<!--")) {
    const size_t end = file.find(kCommentEnd);
    file.remove_prefix(end == file.npos ? file.size() : end + kCommentEnd.size());
  }
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(file), {{"\r\n", "\n"}});
}

std::string CampaignMarker(absl::string_view key) {
  return absl::StrCat(kMarkerBegin, absl::StrReplaceAll(key, {{"--", "%2D%2D"}, {">", "%3E"}}), " ",
                      kCommentEnd);
}

std::optional<std::string> CampaignOfPull(absl::string_view description, absl::string_view branch) {
  const size_t begin = description.rfind(kMarkerBegin);
  if (begin == description.npos) return std::nullopt;
  description.remove_prefix(begin + kMarkerBegin.size());
  const size_t end = description.find(absl::StrCat(" ", kCommentEnd));
  if (end == description.npos) return std::nullopt;
  std::string key =
      absl::StrReplaceAll(description.substr(0, end), {{"%2D%2D", "--"}, {"%3E", ">"}});
  if (key.empty() || BranchName(key) != branch) return std::nullopt;
  return key;
}

bool IsCampaignBranch(absl::string_view branch) {
  return absl::StartsWith(branch, kBranchPrefix) && branch.size() > kBranchPrefix.size();
}

}  // namespace campaign
