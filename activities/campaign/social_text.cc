#include "activities/campaign/social_text.h"

#include "absl/strings/str_cat.h"
#include "activities/campaign/names.h"

namespace campaign {

std::string SocialText(absl::string_view post, absl::string_view link, size_t characters_max) {
  constexpr size_t kBlankLine = 2;
  const size_t link_characters = CharacterCount(link) + kBlankLine;
  if (link_characters >= characters_max) return std::string(link);
  return absl::StrCat(CleanText(post, characters_max - link_characters), "\n\n", link);
}

}  // namespace campaign
