#include "gateway/grpc/campaign_needs.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace gateway {

namespace {

using Words = google::protobuf::RepeatedPtrField<std::string>;

// "channels[1]" when `word` is the second of `words`; "" when it is none.
std::string Place(const char* field, const Words& words, absl::string_view word) {
  const auto found = std::find(words.begin(), words.end(), word);
  return found == words.end() ? "" : absl::StrCat(field, "[", found - words.begin(), "]");
}

// The vendor that a key is about: "slack" of "vendors.slack.token"; "" when it is none's.
std::string VendorOf(absl::string_view key) {
  static const auto* const kOfCampaign =
      new std::map<std::string, std::string>{{"campaign.figma.file_key", "figma"},
                                             {"campaign.review.slack_channel", "slack"},
                                             {"campaign.email.from_address", "sendgrid"}};
  if (absl::StartsWith(key, "vendors.")) {
    key.remove_prefix(8);
    return std::string(key.substr(0, key.find('.')));
  }
  const auto found = kOfCampaign->find(std::string(key));
  return found == kOfCampaign->end() ? "" : found->second;
}

// What of the campaign makes it call the vendor; empty: every campaign does.
std::string CauseOf(const std::string& vendor, const campaign::v1::CampaignSpec& spec) {
  static const auto* const kChannels = new std::map<std::string, std::string>{
      {"sendgrid", "email"}, {"buffer", "social"}, {"cms", "cms"}};
  if (const auto channel = kChannels->find(vendor); channel != kChannels->end()) {
    return Place("channels", spec.channels(), channel->second);
  }
  return Place("research_sources", spec.research_sources(), vendor);
}

}  // namespace

std::vector<Need> UnmetNeeds(const campaign::v1::CampaignSpec& spec,
                             const std::vector<std::string>& vendors,
                             const NeedSettings& settings) {
  std::vector<Need> needs;
  if (!Place("channels", spec.channels(), "email").empty() && spec.email_recipients().empty() &&
      settings.campaign.email.recipients.empty()) {
    needs.push_back({"email_recipients",
                     "is required: nobody would get the mail; give campaign.email_recipients, or "
                     "set campaign.email.recipients in the server's settings"});
  }
  const std::string social = Place("channels", spec.channels(), "social");
  if (!social.empty() && settings.campaign.social.channels.empty()) {
    needs.push_back({social,
                     "has nowhere to post to: set campaign.social.channels in the server's "
                     "settings"});
  }
  const std::string cms = Place("channels", spec.channels(), "cms");
  if (!cms.empty() && !settings.cms_set) {
    needs.push_back({cms,
                     "has no CMS to publish in: set vendors.cms.base_url in the server's "
                     "settings"});
  }
  for (const std::string& key : settings.missing_keys) {
    const std::string path = key.substr(0, key.find(' '));
    const std::string vendor = VendorOf(path);
    if (std::find(vendors.begin(), vendors.end(), vendor) == vendors.end()) continue;
    Need need{
        .field = CauseOf(vendor, spec),
        .problem = absl::StrCat("needs ", key, ", which is not set in the server's settings")};
    // Research goes on with what its other sources find.
    need.fatal =
        !absl::StartsWith(need.field, "research_sources") || spec.research_sources_size() == 1;
    needs.push_back(std::move(need));
  }
  return needs;
}

}  // namespace gateway
