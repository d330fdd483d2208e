// HTML from plain text and from the Markdown that the model writes. Everything is escaped: no
// text of others becomes markup. Pure; thread-safe.
//
// Example:
//   MarkdownToHtml("## Why\n\n- fast\n- **safe**")
//     // "<h2>Why</h2>\n<ul>\n<li>fast</li>\n<li><strong>safe</strong></li>\n</ul>\n"
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace campaign {

// & < > " ' for text and quoted attributes.
std::string EscapeHtml(absl::string_view text);

// Paragraphs at blank lines, <br> at single line breaks.
std::string ParagraphsToHtml(absl::string_view text);

// Headings (# to ####, at most <h2> as the page has its own <h1>), lists (-, *, 1.), paragraphs,
// **strong**, *emphasis*, `code`. Anything else is text.
std::string MarkdownToHtml(absl::string_view markdown);

// `url` when it is http or https, "" otherwise; escaped for an attribute.
std::string SafeUrl(absl::string_view url);

}  // namespace campaign
