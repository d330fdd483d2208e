#include "activities/connectors/openai/model_output.h"

#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace openai {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

base::Failure Invalid(std::string_view what) {
  return base::Failure::Retryable("InvalidModelOutput", wire::Cat("the model's text ", what));
}

std::string_view Strip(std::string_view text) {
  const size_t start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return "";
  return text.substr(start, text.find_last_not_of(kSpace) - start + 1);
}

// "```json\n{...}\n```" -> "{...}"
std::string_view WithoutFence(std::string_view text) {
  text = Strip(text);
  if (!text.starts_with("```")) return text;
  const size_t line_end = text.find('\n');
  if (line_end == std::string_view::npos) return text;
  text.remove_prefix(line_end + 1);
  const size_t fence = text.rfind("```");
  return Strip(fence == std::string_view::npos ? text : text.substr(0, fence));
}

}  // namespace

base::Outcome<std::string> CheckOutput(std::string_view text,
                                       const std::vector<std::string>& required_keys) {
  if (text.size() > kOutputBytesMax) {
    return Invalid(wire::Cat("has more than ", kOutputBytesMax, " bytes"));
  }
  const std::optional<wire::Json> value = wire::ParseJson(WithoutFence(text));
  if (!value.has_value() || !value->is_object()) return Invalid("is no JSON object");
  for (const std::string& key : required_keys) {
    if (Strip(wire::StringAt(*value, key)).empty()) {
      return Invalid(wire::Cat("has no text under \"", key, "\""));
    }
  }
  return wire::DumpJson(*value);
}

std::string SchemaOf(const std::vector<std::string>& required_keys) {
  wire::Json properties = wire::Json::object();
  for (const std::string& key : required_keys) properties[key] = {{"type", "string"}};
  return wire::DumpJson({{"type", "object"},
                         {"properties", properties},
                         {"required", required_keys},
                         {"additionalProperties", false}});
}

}  // namespace openai
