#include "activities/connectors/assets/content_type.h"

namespace assets {
namespace {

constexpr size_t kSvgHeadBytes = 4096;

// An SVG document may begin with a byte order mark, an XML declaration,
// comments and a document type; its first element is <svg.
bool IsSvg(std::string_view bytes) {
  std::string_view rest = bytes.substr(0, kSvgHeadBytes);
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  while (true) {
    const size_t start = rest.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return false;
    rest.remove_prefix(start);
    if (rest.starts_with("<svg")) {
      return rest.size() > 4 && rest.find_first_of(" \t\r\n>/", 4) == 4;
    }
    std::string_view end;
    if (rest.starts_with("<?")) {
      end = "?>";
    } else if (rest.starts_with("<!--")) {
      end = "-->";
    } else if (rest.starts_with("<!")) {
      end = ">";
    } else {
      return false;
    }
    const size_t at = rest.find(end);
    if (at == std::string_view::npos) return false;
    rest.remove_prefix(at + end.size());
  }
}

}  // namespace

std::string DetectContentType(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return "image/png";
  if (bytes.starts_with("\xFF\xD8\xFF")) return "image/jpeg";
  if (bytes.starts_with("%PDF-")) return "application/pdf";
  if (IsSvg(bytes)) return "image/svg+xml";
  return "";
}

std::string ExtensionOf(std::string_view content_type) {
  if (content_type == "image/png") return "png";
  if (content_type == "image/jpeg") return "jpg";
  if (content_type == "image/svg+xml") return "svg";
  if (content_type == "application/pdf") return "pdf";
  return "";
}

}  // namespace assets
