// The names of everything that a campaign makes at a vendor, derived from its workflow id alone:
// a retry finds what an earlier attempt made, and a compensation what a lost step made.
// Pure; thread-safe.
//
// Example:
//   BranchName("spring-launch")   // "campaign/spring-launch"
//   PagePath("campaigns", "spring-launch")  // "campaigns/spring-launch.html"
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace campaign {

inline constexpr absl::string_view kEmail = "email";
inline constexpr absl::string_view kSocial = "social";
inline constexpr absl::string_view kBlog = "blog";
inline constexpr absl::string_view kCms = "cms";

inline constexpr absl::string_view kHeadline = "headline";
inline constexpr absl::string_view kTagline = "tagline";
inline constexpr absl::string_view kEmailSubject = "email_subject";
inline constexpr absl::string_view kEmailBody = "email_body";
inline constexpr absl::string_view kSocialPost = "social_post";
inline constexpr absl::string_view kBlogOutline = "blog_outline";

// One kind of text that a campaign needs.
struct PieceKind {
  absl::string_view id;
  absl::string_view title;         // for people
  absl::string_view instructions;  // for the model
  size_t characters_max;
  bool one_line;
};
const std::vector<PieceKind>& PieceKinds();
// Null for an unknown id.
const PieceKind* FindPieceKind(absl::string_view content_id);

// What a campaign's things at vendors are named after: the workflow id of a run of the namespace
// "default", "<namespace>/<workflow id>" of any other. So two tenants' campaigns with one id share
// nothing. Workflow ids have no "/".
std::string CampaignKey(absl::string_view ns, absl::string_view workflow_id);
// The other way: the namespace and the workflow id.
std::pair<std::string, std::string> SplitCampaignKey(absl::string_view key);

// All names below are made of a campaign's key.
//
// `workflow_id` where only letters, digits, "-" and "_" may stand, unique still: any other id is
// made safe and gets a hash. "spring-launch" -> "spring-launch", "a b" -> "a-b-" + 8 digits. A
// namespace follows behind a dot, which no other slug has: "spring-launch.in-acme".
std::string Slug(absl::string_view workflow_id);

std::string DraftKey(absl::string_view workflow_id, absl::string_view content_id);
std::vector<std::string> DraftKeys(absl::string_view workflow_id);

// email_banner, social_image, blog_header, cms_header; "" for an unknown channel.
std::string AssetType(absl::string_view channel);
std::string AssetPrefix(absl::string_view workflow_id);  // ends in "/"
std::string AssetKey(absl::string_view workflow_id, absl::string_view type,
                     absl::string_view format);

std::string BranchName(absl::string_view workflow_id);
std::string ReviewDir(absl::string_view content_dir, absl::string_view workflow_id);
std::string PagePath(absl::string_view page_dir, absl::string_view workflow_id);

// https://example.com/c/<id>?utm_campaign=<id>&utm_source=<channel>&utm_medium=<medium>
std::string TrackedLink(absl::string_view link_base_url, absl::string_view workflow_id,
                        absl::string_view channel);
// The part of the tracked link by which a post of the campaign is recognised.
std::string SocialMarker(absl::string_view workflow_id);

// At most `characters_max` Unicode characters; a cut ends in "…". Bytes that are not UTF-8 become
// U+FFFD, and control characters other than line breaks and tabs are dropped.
std::string CleanText(absl::string_view text, size_t characters_max);
// CleanText on one line: runs of white space become one space.
std::string CleanLine(absl::string_view text, size_t characters_max);
// Unicode characters in `text` (bytes that are not UTF-8 count one each).
size_t CharacterCount(absl::string_view text);

}  // namespace campaign
