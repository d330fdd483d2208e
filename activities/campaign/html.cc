#include "activities/campaign/html.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace campaign {
namespace {

// Replaces pairs of `mark` around text that does not begin or end with a space.
std::string ReplacePairs(absl::string_view text, absl::string_view mark, absl::string_view tag) {
  std::string out;
  while (true) {
    const size_t begin = text.find(mark);
    const size_t end = begin == text.npos ? text.npos : text.find(mark, begin + mark.size());
    if (end == text.npos) break;
    const absl::string_view inner = text.substr(begin + mark.size(), end - begin - mark.size());
    const bool is_pair = !inner.empty() && inner.front() != ' ' && inner.back() != ' ';
    if (!is_pair) {
      absl::StrAppend(&out, text.substr(0, begin + mark.size()));
      text.remove_prefix(begin + mark.size());
      continue;
    }
    absl::StrAppend(&out, text.substr(0, begin), "<", tag, ">", inner, "</", tag, ">");
    text.remove_prefix(end + mark.size());
  }
  return absl::StrCat(out, text);
}

std::string Inline(absl::string_view text) {
  std::string html = EscapeHtml(text);
  html = ReplacePairs(html, "`", "code");
  html = ReplacePairs(html, "**", "strong");
  return ReplacePairs(html, "*", "em");
}

enum class LineKind { kBlank, kHeading, kBullet, kNumber, kText };

struct Line {
  LineKind kind = LineKind::kText;
  int level = 0;  // of a heading
  absl::string_view text;
};

Line ReadLine(absl::string_view raw) {
  Line line;
  line.text = absl::StripAsciiWhitespace(raw);
  if (line.text.empty()) {
    line.kind = LineKind::kBlank;
    return line;
  }
  const size_t hashes = std::min(line.text.find_first_not_of('#'), line.text.size());
  if (hashes >= 1 && hashes <= 4 && line.text.substr(hashes, 1) == " ") {
    line.kind = LineKind::kHeading;
    line.level = std::max(2, static_cast<int>(hashes));
    line.text = absl::StripAsciiWhitespace(line.text.substr(hashes));
    return line;
  }
  if (absl::ConsumePrefix(&line.text, "- ") || absl::ConsumePrefix(&line.text, "* ")) {
    line.kind = LineKind::kBullet;
    return line;
  }
  size_t digits = 0;
  while (digits < line.text.size() && absl::ascii_isdigit(line.text[digits])) ++digits;
  if (digits > 0 && digits <= 3 && line.text.substr(digits, 2) == ". ") {
    line.kind = LineKind::kNumber;
    line.text.remove_prefix(digits + 2);
  }
  return line;
}

// The block that is open while lines are read.
class Blocks {
 public:
  void Add(const Line& line) {
    if (line.kind == LineKind::kBlank) return Close();
    if (line.kind == LineKind::kHeading) {
      Close();
      absl::StrAppend(&html_, "<h", line.level, ">", Inline(line.text), "</h", line.level, ">\n");
      return;
    }
    if (open_ != line.kind) {
      Close();
      open_ = line.kind;
      absl::StrAppend(&html_, line.kind == LineKind::kText     ? "<p>"
                              : line.kind == LineKind::kBullet ? "<ul>\n"
                                                               : "<ol>\n");
    } else if (line.kind == LineKind::kText) {
      absl::StrAppend(&html_, "\n");
    }
    if (line.kind == LineKind::kText) {
      absl::StrAppend(&html_, Inline(line.text));
    } else {
      absl::StrAppend(&html_, "<li>", Inline(line.text), "</li>\n");
    }
  }
  std::string Finish() {
    Close();
    return std::move(html_);
  }

 private:
  void Close() {
    if (open_ == LineKind::kText) absl::StrAppend(&html_, "</p>\n");
    if (open_ == LineKind::kBullet) absl::StrAppend(&html_, "</ul>\n");
    if (open_ == LineKind::kNumber) absl::StrAppend(&html_, "</ol>\n");
    open_ = LineKind::kBlank;
  }
  std::string html_;
  LineKind open_ = LineKind::kBlank;
};

}  // namespace

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string ParagraphsToHtml(absl::string_view text) {
  std::string html;
  std::vector<std::string> lines;
  const auto flush = [&] {
    if (!lines.empty()) absl::StrAppend(&html, "<p>", absl::StrJoin(lines, "<br>\n"), "</p>\n");
    lines.clear();
  };
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(line);
    if (stripped.empty()) {
      flush();
    } else {
      lines.push_back(EscapeHtml(stripped));
    }
  }
  flush();
  return html;
}

std::string MarkdownToHtml(absl::string_view markdown) {
  Blocks blocks;
  for (const absl::string_view line : absl::StrSplit(markdown, '\n')) blocks.Add(ReadLine(line));
  return blocks.Finish();
}

std::string SafeUrl(absl::string_view url) {
  if (!absl::StartsWithIgnoreCase(url, "https://") && !absl::StartsWithIgnoreCase(url, "http://")) {
    return "";
  }
  return EscapeHtml(url);
}

}  // namespace campaign
