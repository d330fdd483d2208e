#include "activities/connectors/memory/brand_voices.h"

#include <string>
#include <utility>

namespace memory {
namespace {

Item Voice(std::string key, std::string content, std::string metadata_json) {
  return {.name_space = std::string(kBrand),
          .key = std::move(key),
          .kind = std::string(kBrandVoiceKind),
          .content = std::move(content),
          .metadata_json = std::move(metadata_json)};
}

}  // namespace

std::vector<Item> DefaultBrandVoices() {
  return {
      Voice("voice-default",
            "Clear, friendly and honest. Say what the reader gains in the first "
            "sentence. Short "
            "sentences, active voice, plain words. Promise nothing that we "
            "cannot show.",
            R"({"tone":"professional","avoid":["revolutionary","world-class","synergy"]})"),
      Voice("voice-professional",
            "Confident and precise, with respect for the reader's time. Lead "
            "with the result, "
            "support it with one fact, end with one clear next step. No slang, "
            "no exclamation "
            "marks, no superlatives without a source.",
            R"({"tone":"professional","avoid":["!","best ever","guys"]})"),
      Voice("voice-casual",
            "Warm and direct, as to a colleague over coffee. Contractions are "
            "fine, a light touch "
            "of humour as well. Address the reader as \"you\". One idea a "
            "sentence, and never "
            "talk down.",
            R"({"tone":"casual","avoid":["hereby","utilize","please be advised"]})"),
      Voice("voice-technical",
            "Exact and concrete, from engineer to engineer. Name versions, "
            "numbers and limits; "
            "show how it works before why it matters. Explain an abbreviation at "
            "its first use. "
            "No marketing adjectives.",
            R"({"tone":"technical","avoid":["seamless","magic","next-generation"]})"),
  };
}

}  // namespace memory
