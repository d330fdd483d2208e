// What a social network allows in a post: how long it may be, counted its own way, and how many
// hashtags. Pure; thread-safe.
// Sources: X "counting characters" (twitter-text 3), LinkedIn posts API, the networks' help pages;
// docs/connectors.md has the table.
//
// Example:
//   const PlatformRules& rules = RulesOf("twitter");
//   size_t left = rules.length_max - PostLength(rules, "Spring is here https://acme.com");
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace campaign {

// How a network counts.
enum class Counting {
  kCharacters,  // Unicode characters
  kUtf16,       // UTF-16 units: most emoji are two
  kWeighted,    // X: a URL is 23, emoji, CJK and the like are two
};

struct PlatformRules {
  absl::string_view service;  // as Buffer calls it
  size_t length_max;
  Counting counting;
  size_t url_length;    // of every URL; 0: as long as it is
  size_t hashtags_max;  // more only cost attention, or are refused
};

// The rules of a service; those of the strictest one (X) when it is not known.
const PlatformRules& RulesOf(absl::string_view service);
const std::vector<PlatformRules>& AllPlatformRules();

// The length as the network counts it.
size_t PostLength(const PlatformRules& rules, absl::string_view text);

// `post` and `link` within the rules: hashtags beyond the limit lose their "#", the post is cut at
// a word and ends in "…". The link is never cut. `length_max` further limits the length; 0: no.
std::string FitPost(const PlatformRules& rules, absl::string_view post, absl::string_view link,
                    size_t length_max = 0);

// Text for LinkedIn's own API ("little text"): reserved characters get a backslash, without which
// LinkedIn cuts the text silently; hashtags become {hashtag|\#|tag}. Not for Buffer, which does it
// itself.
std::string EscapeLinkedIn(absl::string_view text);

// "CHANNEL_ID SERVICE" of the settings; "" or what is wrong with it.
std::string SocialChannelProblem(absl::string_view line);
struct SocialChannel {
  std::string id;
  std::string service;  // as Buffer calls it: X is "twitter", and may be set as "x"
};
SocialChannel ParseSocialChannel(absl::string_view line);

}  // namespace campaign
