// Where a campaign's texts are in its pull request, both ways: from a text to its file and from a
// file that a reviewer edited back to the text; and whose pull request it is. `key` is the
// campaign's key (names.h). Pure; thread-safe.
//
// Example:
//   ContentPath("reviews", "spring", "headline")               // "reviews/spring/headline.md"
//   ContentIdOfPath("reviews", "spring", "reviews/spring/headline.md")  // "headline"
//   TextOfContentFile("<!-- Headline -->\n\nRun\n")            // "Run"
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "activities/campaign/names.h"

namespace campaign {

std::string ContentPath(absl::string_view content_dir, absl::string_view key,
                        absl::string_view content_id);
// "" for a path that holds no text of the campaign.
std::string ContentIdOfPath(absl::string_view content_dir, absl::string_view key,
                            absl::string_view path);

// The file's bytes: a comment with the piece's title, and the text.
std::string ContentFile(const PieceKind& kind, absl::string_view text);
// The text in it: what follows the comment, if it still begins with one; without white space
// around it, with "\n" at line ends.
std::string TextOfContentFile(absl::string_view file);

// The line at the end of a pull request's description that names its campaign.
std::string CampaignMarker(absl::string_view key);
// The key in a description whose pull request is of `branch`; nothing when it names none, or one
// whose branch is another: descriptions can be edited by people who may not decide.
std::optional<std::string> CampaignOfPull(absl::string_view description, absl::string_view branch);
// Whether a branch is named like a campaign's.
bool IsCampaignBranch(absl::string_view branch);

}  // namespace campaign
