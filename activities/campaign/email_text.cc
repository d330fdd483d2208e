#include "activities/campaign/email_text.h"

#include "absl/strings/str_cat.h"
#include "activities/campaign/html.h"
#include "activities/campaign/names.h"

namespace campaign {
namespace {

constexpr char kAction[] = "Find out more";

// Mail programs know tables and inline styles, and little else.
std::string MakeHtml(const v1::CampaignSpec& spec, const Pieces& pieces, const std::string& link,
                     const std::string& banner_url) {
  const std::string headline = EscapeHtml(PieceText(pieces, kHeadline));
  const std::string tagline = EscapeHtml(PieceText(pieces, kTagline));
  std::string html = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"",
      EscapeHtml(spec.languages().empty() ? "en" : spec.languages(0)),
      "\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      EscapeHtml(PieceText(pieces, kEmailSubject)),
      "</title>\n</head>\n"
      "<body style=\"margin:0;background:#f4f5f7;font-family:Helvetica,Arial,sans-serif;"
      "color:#1f2933\">\n"
      "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\"><tr>"
      "<td align=\"center\" style=\"padding:24px\">\n"
      "<table role=\"presentation\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" "
      "style=\"max-width:600px;width:100%;background:#ffffff;border-radius:8px\">\n");
  const std::string banner = SafeUrl(banner_url);
  if (!banner.empty()) {
    absl::StrAppend(&html, "<tr><td><img src=\"", banner, "\" alt=\"", headline,
                    "\" width=\"600\" style=\"display:block;width:100%;height:auto;"
                    "border-radius:8px 8px 0 0\"></td></tr>\n");
  }
  absl::StrAppend(&html, "<tr><td style=\"padding:32px;font-size:16px;line-height:1.5\">\n",
                  "<h1 style=\"margin:0 0 8px;font-size:26px;line-height:1.25\">", headline,
                  "</h1>\n<p style=\"margin:0 0 24px;color:#52606d\">", tagline, "</p>\n",
                  ParagraphsToHtml(PieceText(pieces, kEmailBody)));
  absl::StrAppend(&html, "<p style=\"margin:32px 0 0\"><a href=\"", SafeUrl(link),
                  "\" style=\"display:inline-block;padding:12px 24px;background:#1d4ed8;"
                  "color:#ffffff;text-decoration:none;border-radius:6px\">",
                  kAction,
                  "</a></p>\n</td></tr>\n</table>\n</td></tr></table>\n</body>\n</html>\n");
  return html;
}

}  // namespace

Email MakeEmail(const v1::CampaignSpec& spec, const Pieces& pieces, const std::string& link,
                const std::string& banner_url) {
  Email email;
  email.subject = PieceText(pieces, kEmailSubject);
  email.text = absl::StrCat(PieceText(pieces, kEmailBody), "\n\n", kAction, ": ", link, "\n");
  email.html = MakeHtml(spec, pieces, link, banner_url);
  return email;
}

}  // namespace campaign
