#include "activities/connectors/notion/notion_json.h"

namespace notion {

using wire::Json;

std::string PlainText(const Json& rich_text) {
  std::string text;
  if (!rich_text.is_array()) return text;
  for (const Json& part : rich_text) {
    std::string plain = wire::StringAt(part, "plain_text");
    if (plain.empty()) plain = wire::StringAt(wire::At(part, "text"), "content");
    text += plain;
  }
  return text;
}

std::string TitleOf(const Json& page) {
  const Json& properties = wire::At(page, "properties");
  if (properties.is_object()) {
    for (const auto& [name, property] : properties.items()) {
      if (wire::At(property, "title").is_array()) return PlainText(wire::At(property, "title"));
    }
  }
  return PlainText(wire::At(page, "title"));
}

std::string PropertyText(const Json& page) {
  std::string text;
  const Json& properties = wire::At(page, "properties");
  if (!properties.is_object()) return TitleOf(page);
  const auto add = [&text](const std::string& words) {
    if (!words.empty()) text += words + "\n";
  };
  for (const auto& [name, property] : properties.items()) {
    add(PlainText(wire::At(property, "title")));
    add(PlainText(wire::At(property, "rich_text")));
    add(wire::StringAt(wire::At(property, "select"), "name"));
    add(wire::StringAt(wire::At(property, "status"), "name"));
    const Json& many = wire::At(property, "multi_select");
    if (!many.is_array()) continue;
    for (const Json& option : many) add(wire::StringAt(option, "name"));
  }
  return text;
}

std::string BlockText(const Json& block) {
  const std::string type = wire::StringAt(block, "type");
  const Json& content = wire::At(block, type);
  std::string text = PlainText(wire::At(content, "rich_text"));
  if (text.empty()) text = PlainText(wire::At(content, "caption"));
  if (text.empty()) text = wire::StringAt(content, "title");  // child_page, child_database
  if (text.empty()) return text;
  if (type.starts_with("heading_")) return "# " + text;
  if (type == "bulleted_list_item" || type == "numbered_list_item" || type == "to_do") {
    return "- " + text;
  }
  return text;
}

}  // namespace notion
