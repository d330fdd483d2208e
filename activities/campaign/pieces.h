// Finding pieces and assets in the inputs of activities. Pure; thread-safe.
//
// Example:
//   std::string subject = PieceText(input.pieces(), kEmailSubject);
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "campaign/v1/activities.pb.h"
#include "campaign/v1/campaign.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace campaign {

using Pieces = google::protobuf::RepeatedPtrField<v1::ContentPiece>;
using Moderation = google::protobuf::RepeatedPtrField<v1::ModerationFinding>;
using Assets = google::protobuf::RepeatedPtrField<v1::Asset>;

// The piece's text, or "".
inline std::string PieceText(const Pieces& pieces, absl::string_view content_id) {
  for (const v1::ContentPiece& piece : pieces) {
    if (piece.content_id() == content_id) return piece.text();
  }
  return "";
}

// The URL of the channel's image, or "" when it could not be rendered.
inline std::string AssetUrl(const Assets& assets, absl::string_view channel) {
  for (const v1::Asset& asset : assets) {
    if (asset.channel() == channel) return asset.url();
  }
  return "";
}

inline bool HasChannel(const v1::CampaignSpec& spec, absl::string_view channel) {
  for (const std::string& each : spec.channels()) {
    if (each == channel) return true;
  }
  return false;
}

}  // namespace campaign
