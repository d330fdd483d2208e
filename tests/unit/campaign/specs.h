// Sample inputs of the campaign's unit tests. Thread-safety: free functions.
#pragma once

#include <string>

#include "activities/campaign/pieces.h"
#include "campaign/v1/campaign.pb.h"

namespace campaign {

inline v1::CampaignSpec SpringSpec() {
  v1::CampaignSpec spec;
  spec.set_campaign_name("Spring Launch");
  spec.add_campaign_goals("Grow sign-ups");
  spec.add_campaign_goals("Win back customers");
  for (const char* channel : {"email", "social", "blog"}) spec.add_channels(channel);
  spec.set_target_audience("Runners in Berlin");
  spec.set_tone("casual");
  spec.add_reviewers("U012AB3CD");
  return spec;
}

inline void AddPiece(Pieces* pieces, const std::string& id, const std::string& text) {
  v1::ContentPiece* piece = pieces->Add();
  piece->set_content_id(id);
  piece->set_text(text);
}

inline Pieces SpringPieces() {
  Pieces pieces;
  AddPiece(&pieces, "headline", "Run into spring");
  AddPiece(&pieces, "tagline", "Light shoes & <bright> days");
  AddPiece(&pieces, "email_subject", "Your spring shoes");
  AddPiece(&pieces, "email_body", "Hello,\n\nspring is here.\nRun!");
  AddPiece(&pieces, "social_post", "Spring is here. #running");
  AddPiece(&pieces, "blog_outline", "## Why\n\n- light\n- **fast**");
  return pieces;
}

}  // namespace campaign
