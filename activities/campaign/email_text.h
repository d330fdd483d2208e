// A campaign's mail: subject, plain text and HTML. Pure; thread-safe.
//
// Example:
//   Email email = MakeEmail({.pieces = input.pieces(), ...});
#pragma once

#include <string>

#include "activities/campaign/pieces.h"

namespace campaign {

struct Email {
  std::string subject;
  std::string text;
  std::string html;
};

// `link` is the tracked link of the call to action, `banner_url` may be empty.
Email MakeEmail(const v1::CampaignSpec& spec, const Pieces& pieces, const std::string& link,
                const std::string& banner_url);

}  // namespace campaign
