#include "activities/connectors/memory/memory_store.h"

#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace memory {

std::string ItemProblem(const Item& item) {
  if (item.name_space.empty()) return "a memory item needs a namespace";
  if (item.name_space.find('/') != std::string::npos) return "a namespace has no '/'";
  if (item.key.empty()) return "a memory item needs a key";
  if (item.kind.empty()) return "a memory item needs a kind";
  if (item.name_space.size() > kNameBytesMax || item.key.size() > kNameBytesMax ||
      item.kind.size() > kNameBytesMax) {
    return wire::Cat("namespace, key and kind may have ", kNameBytesMax, " bytes");
  }
  if (item.content.size() > kContentBytesMax) {
    return wire::Cat("the content may have ", kContentBytesMax, " bytes");
  }
  if (item.metadata_json.size() > kMetadataBytesMax) {
    return wire::Cat("the metadata may have ", kMetadataBytesMax, " bytes");
  }
  const std::optional<wire::Json> metadata = wire::ParseJson(item.metadata_json);
  if (!metadata.has_value() || !metadata->is_object()) return "the metadata is no JSON object";
  return "";
}

}  // namespace memory
