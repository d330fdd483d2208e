#include "activities/campaign/names.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace campaign {
namespace {

constexpr size_t kSlugBytesMax = 100;

// FNV-1a, 32 bits: stable over builds and machines, as the names are stored.
uint32_t Hash(absl::string_view text) {
  uint32_t hash = 2166136261u;
  for (const unsigned char c : text) hash = (hash ^ c) * 16777619u;
  return hash;
}

constexpr char kDefaultNamespace[] = "default";

bool IsSlugChar(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; }

// RFC 3986 section 2.3: unreserved characters stay.
std::string Percent(absl::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(static_cast<char>(c));
    } else {
      absl::StrAppendFormat(&out, "%%%02X", c);
    }
  }
  return out;
}

absl::string_view WithoutTrailingSlash(absl::string_view text) {
  while (absl::ConsumeSuffix(&text, "/")) {
  }
  return text;
}

}  // namespace

const std::vector<PieceKind>& PieceKinds() {
  static const auto& kinds = *new std::vector<PieceKind>{
      {kHeadline, "Headline", "One strong line that states the benefit, at most 80 characters.",
       150, true},
      {kTagline, "Tagline",
       "A short memorable line that supports the headline, at most 100 "
       "characters.",
       200, true},
      {kEmailSubject, "Email subject",
       "Subject line of the mail, at most 60 characters, no "
       "all-caps, no spam words.",
       150, true},
      {kEmailBody, "Email body",
       "The mail as plain text: a greeting, two to four short "
       "paragraphs, one call to action. No link (it is added), no placeholders.",
       10000, false},
      {kSocialPost, "Social post",
       "A post of at most 180 characters with at most two hashtags. "
       "No link (it is added).",
       250, false},
      {kBlogOutline, "Blog post",
       "The blog page in Markdown: an introduction, then three to five "
       "sections with \"## \" headings and a few sentences or a list each.",
       20000, false},
  };
  return kinds;
}

const PieceKind* FindPieceKind(absl::string_view content_id) {
  for (const PieceKind& kind : PieceKinds()) {
    if (kind.id == content_id) return &kind;
  }
  return nullptr;
}

std::string CampaignKey(absl::string_view ns, absl::string_view workflow_id) {
  if (ns.empty() || ns == kDefaultNamespace) return std::string(workflow_id);
  return absl::StrCat(ns, "/", workflow_id);
}

std::pair<std::string, std::string> SplitCampaignKey(absl::string_view key) {
  const size_t slash = key.rfind('/');
  if (slash == key.npos) return {kDefaultNamespace, std::string(key)};
  return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

std::string Slug(absl::string_view workflow_id) {
  const size_t slash = workflow_id.rfind('/');
  if (slash != workflow_id.npos) {
    return absl::StrCat(Slug(workflow_id.substr(slash + 1)), ".in-",
                        Slug(workflow_id.substr(0, slash)));
  }
  std::string slug;
  bool changed = workflow_id.empty() || workflow_id.size() > kSlugBytesMax;
  for (const char c : workflow_id.substr(0, kSlugBytesMax)) {
    slug.push_back(IsSlugChar(c) ? c : '-');
    changed = changed || !IsSlugChar(c);
  }
  if (changed) absl::StrAppendFormat(&slug, "-%08x", Hash(workflow_id));
  return slug;
}

std::string DraftKey(absl::string_view workflow_id, absl::string_view content_id) {
  constexpr size_t kIdBytesMax = 150;  // of a key's 200
  if (workflow_id.size() > kIdBytesMax) return absl::StrCat(Slug(workflow_id), "/", content_id);
  return absl::StrCat(workflow_id, "/", content_id);
}

std::vector<std::string> DraftKeys(absl::string_view workflow_id) {
  std::vector<std::string> keys;
  for (const PieceKind& kind : PieceKinds()) keys.push_back(DraftKey(workflow_id, kind.id));
  return keys;
}

std::string AssetType(absl::string_view channel) {
  if (channel == kEmail) return "email_banner";
  if (channel == kSocial) return "social_image";
  if (channel == kBlog) return "blog_header";
  if (channel == kCms) return "cms_header";
  return "";
}

std::string AssetPrefix(absl::string_view workflow_id) {
  return absl::StrCat("campaigns/", Slug(workflow_id), "/");
}

std::string AssetKey(absl::string_view workflow_id, absl::string_view type,
                     absl::string_view format) {
  return absl::StrCat(AssetPrefix(workflow_id), type, ".", format);
}

std::string BranchName(absl::string_view workflow_id) {
  return absl::StrCat("campaign/", Slug(workflow_id));
}

std::string ReviewDir(absl::string_view content_dir, absl::string_view workflow_id) {
  return absl::StrCat(WithoutTrailingSlash(content_dir), "/", Slug(workflow_id));
}

std::string PagePath(absl::string_view page_dir, absl::string_view workflow_id) {
  return absl::StrCat(WithoutTrailingSlash(page_dir), "/", Slug(workflow_id), ".html");
}

std::string SocialMarker(absl::string_view workflow_id) {
  return absl::StrCat("utm_campaign=", Percent(workflow_id), "&utm_source=", kSocial);
}

std::string TrackedLink(absl::string_view link_base_url, absl::string_view workflow_id,
                        absl::string_view channel) {
  const std::string id = Percent(workflow_id);
  return absl::StrCat(WithoutTrailingSlash(link_base_url), "/c/", id, "?utm_campaign=", id,
                      "&utm_source=", channel, "&utm_medium=", channel == kEmail ? "email" : "web");
}

namespace {

// Length of the valid UTF-8 sequence at the start of `text`; 0 when there is none (RFC 3629).
size_t SequenceLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
  if (lead == 0xED && byte(1) > 0x9F) return 0;  // surrogates
  if (lead == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;  // above U+10FFFF
  return length;
}

bool IsDropped(char c) {
  return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\n' && c != '\t';
}

}  // namespace

std::string CleanText(absl::string_view text, size_t characters_max) {
  std::string out;
  size_t characters = 0;
  size_t last_start = 0;  // of the last character in `out`
  text = absl::StripAsciiWhitespace(text);
  for (size_t i = 0; i < text.size();) {
    if (IsDropped(text[i])) {
      ++i;
      continue;
    }
    if (characters == characters_max) {
      out.resize(last_start);
      absl::StripTrailingAsciiWhitespace(&out);
      return out + "…";
    }
    const size_t length = SequenceLength(text.substr(i));
    last_start = out.size();
    absl::StrAppend(&out, length == 0 ? "\xEF\xBF\xBD" : text.substr(i, length));
    i += length == 0 ? 1 : length;
    ++characters;
  }
  return out;
}

std::string CleanLine(absl::string_view text, size_t characters_max) {
  std::string line(text);
  absl::RemoveExtraAsciiWhitespace(&line);
  for (char& c : line) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) c = ' ';
  }
  return CleanText(line, characters_max);
}

size_t CharacterCount(absl::string_view text) {
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    const size_t length = SequenceLength(text.substr(i));
    i += length == 0 ? 1 : length;
  }
  return count;
}

}  // namespace campaign
