#include "activities/campaign/blog_page.h"

#include "absl/strings/str_cat.h"
#include "activities/campaign/html.h"
#include "activities/campaign/names.h"

namespace campaign {
namespace {

constexpr char kStyle[] =
    "body{margin:0;background:#fafafa;color:#1f2933;"
    "font:18px/1.65 Georgia,'Times New Roman',serif}"
    "main{max-width:42rem;margin:0 auto;padding:2rem 1.25rem 4rem}"
    "h1,h2,h3,h4{font-family:Helvetica,Arial,sans-serif;line-height:1.25;margin:2em 0 .5em}"
    "h1{font-size:2.25rem;margin-top:1rem}"
    ".tagline{color:#52606d;font-size:1.25rem;margin-top:0}"
    "img{display:block;width:100%;height:auto;border-radius:8px}"
    ".action{display:inline-block;margin-top:2rem;padding:.75rem 1.5rem;border-radius:6px;"
    "background:#1d4ed8;color:#fff;text-decoration:none;font-family:Helvetica,Arial,sans-serif}";

}  // namespace

std::string BlogPage(const v1::CampaignSpec& spec, const Pieces& pieces, const std::string& link,
                     const std::string& header_url) {
  const std::string headline = EscapeHtml(PieceText(pieces, kHeadline));
  const std::string tagline = EscapeHtml(PieceText(pieces, kTagline));
  const std::string image = SafeUrl(header_url);
  std::string page = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"",
      EscapeHtml(spec.languages().empty() ? "en" : spec.languages(0)),
      "\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      headline, "</title>\n<meta name=\"description\" content=\"", tagline,
      "\">\n<meta property=\"og:title\" content=\"", headline,
      "\">\n<meta property=\"og:description\" content=\"", tagline, "\">\n");
  if (!image.empty()) {
    absl::StrAppend(&page, "<meta property=\"og:image\" content=\"", image, "\">\n");
  }
  absl::StrAppend(&page, "<style>", kStyle, "</style>\n</head>\n<body>\n<main>\n<article>\n");
  if (!image.empty()) absl::StrAppend(&page, "<img src=\"", image, "\" alt=\"\">\n");
  absl::StrAppend(&page, "<h1>", headline, "</h1>\n<p class=\"tagline\">", tagline, "</p>\n",
                  MarkdownToHtml(PieceText(pieces, kBlogOutline)));
  absl::StrAppend(&page, "<p><a class=\"action\" href=\"", SafeUrl(link),
                  "\">Find out more</a></p>\n</article>\n</main>\n</body>\n</html>\n");
  return page;
}

}  // namespace campaign
