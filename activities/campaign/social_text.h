// A campaign's social post: the text, shortened if need be, and the tracked link, by which the
// post is recognised later. Pure; thread-safe.
//
// Example:
//   SocialText("Try it today!", "https://example.com/c/x?utm_campaign=x&...", 280)
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace campaign {

// At most `characters_max` characters; the link is never cut.
std::string SocialText(absl::string_view post, absl::string_view link, size_t characters_max);

}  // namespace campaign
