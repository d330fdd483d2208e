#include "orchestrator/store/properties.h"

#include <algorithm>
#include <tuple>

namespace store {
namespace {

void AddValues(const std::string& name, const v1::SearchAttribute& attribute,
               std::vector<IndexedValue>& values) {
  switch (attribute.value_case()) {
    case v1::SearchAttribute::kKeyword:
      values.push_back({name, attribute.keyword()});
      return;
    case v1::SearchAttribute::kInt:
      values.push_back({name, static_cast<int64_t>(attribute.int_())});
      return;
    case v1::SearchAttribute::kDouble:
      values.push_back({name, attribute.double_()});
      return;
    case v1::SearchAttribute::kBool:
      values.push_back({name, attribute.bool_()});
      return;
    case v1::SearchAttribute::kDatetime:
      values.push_back({name, absl::FromUnixSeconds(attribute.datetime().seconds()) +
                                  absl::Nanoseconds(attribute.datetime().nanos())});
      return;
    case v1::SearchAttribute::kKeywordList:
      for (const std::string& value : attribute.keyword_list().values()) {
        values.push_back({name, value});
      }
      return;
    case v1::SearchAttribute::VALUE_NOT_SET:
      return;
  }
}

}  // namespace

std::vector<IndexedValue> IndexedValues(const RunProperties* properties) {
  std::vector<IndexedValue> values;
  if (properties == nullptr) return values;
  for (const auto& [name, attribute] : properties->search_attributes.fields()) {
    AddValues(name, attribute, values);
  }
  for (const std::string& patch : properties->patches) values.push_back({kPatchesName, patch});
  const auto key = [](const IndexedValue& v) { return std::tie(v.name, v.value); };
  std::sort(values.begin(), values.end(),
            [&](const IndexedValue& a, const IndexedValue& b) { return key(a) < key(b); });
  values.erase(
      std::unique(values.begin(), values.end(),
                  [&](const IndexedValue& a, const IndexedValue& b) { return key(a) == key(b); }),
      values.end());
  return values;
}

}  // namespace store
