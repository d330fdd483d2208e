#include "gateway/server/audited_settings.h"

#include "absl/strings/str_join.h"

namespace server {

std::map<std::string, audit::SettingValue> AuditedSettings(const Settings& settings,
                                                           const Provenance& provenance) {
  Settings copy = settings;
  Settings usual;
  const Schema schema = MakeSchema(copy);
  const Schema defaults = MakeSchema(usual);
  std::map<std::string, audit::SettingValue> values;
  for (size_t i = 0; i < schema.keys().size(); ++i) {
    const Key& key = schema.keys()[i];
    const std::string value = absl::StrJoin(key.values(), ", ");
    const auto source = provenance.find(key.path);
    values[key.path] = {.value = value,
                        .secret = key.secret,
                        .source = source == provenance.end() ? "" : source->second,
                        .is_default = value == absl::StrJoin(defaults.keys()[i].values(), ", ")};
  }
  return values;
}

}  // namespace server
