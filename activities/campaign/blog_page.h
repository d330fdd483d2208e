// A campaign's blog page: one self-contained HTML file. Pure; thread-safe.
//
// Example:
//   std::string html = BlogPage(spec, pieces, link, header_url);
#pragma once

#include <string>

#include "activities/campaign/pieces.h"

namespace campaign {

// `link` is the tracked link of the call to action, `header_url` the image's, or empty.
std::string BlogPage(const v1::CampaignSpec& spec, const Pieces& pieces, const std::string& link,
                     const std::string& header_url);

}  // namespace campaign
