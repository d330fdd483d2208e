// Reading the settings: file, then environment, then flags, collecting every fault.
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/server/settings.h"
#include "gateway/server/settings_auth.h"
#include "orchestrator/base/log.h"

namespace server {
namespace {

constexpr size_t kFileBytesMax = 1024 * 1024;
constexpr absl::string_view kFileSuffix = "_file";

// The content of a small file, or what is wrong with it.
std::optional<std::string> ReadFile(const std::string& path, std::string* problem) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    *problem = absl::StrCat("cannot read ", path);
    return std::nullopt;
  }
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad() || text.str().size() > kFileBytesMax) {
    *problem = absl::StrCat("cannot read ", path, ": an error, or larger than 1 MiB");
    return std::nullopt;
  }
  return text.str();
}

const char* KindOf(const YAML::Node& node) {
  if (node.IsMap()) return "a section";
  if (node.IsSequence()) return "a list";
  if (node.IsNull()) return "nothing";
  return "a value";
}

class Loader {
 public:
  Loader(Schema& schema, std::vector<std::string>& faults) : schema_(schema), faults_(faults) {}

  void File(const std::string& path) {
    file_ = path;
    std::string problem;
    const std::optional<std::string> text = ReadFile(path, &problem);
    if (!text.has_value()) {
      faults_.push_back(absl::StrCat("--config: ", problem));
      return;
    }
    try {
      const YAML::Node root = YAML::Load(*text);
      if (root.IsNull() || !root.IsDefined()) return;  // only comments
      if (!root.IsMap()) {
        faults_.push_back(absl::StrCat(path, ":1: must be a map of sections"));
        return;
      }
      Section(root, "");
    } catch (const YAML::Exception& e) {
      faults_.push_back(absl::StrCat(path, ":", e.mark.line + 1, ": not YAML: ", e.msg));
    }
  }

  void FromEnvironment(const Environment& environment) {
    for (Key& key : schema_.keys()) {
      if (key.environment.empty()) continue;
      const std::optional<std::string> value = environment(key.environment);
      const std::string file_name = key.environment + "_FILE";
      const std::optional<std::string> path = environment(file_name);
      const bool has_value = value.has_value() && !value->empty();
      if (!path.has_value() || path->empty()) {
        if (has_value) Set(key, *value, "environment " + key.environment);
        continue;
      }
      if (has_value) {
        faults_.push_back(absl::StrCat("environment: ", key.environment, " and ", file_name,
                                       " are both set; set one of them"));
        continue;
      }
      SetFromFile(key, *path, "environment " + file_name);
    }
  }

  // The secrets whose value is that of a file.
  std::vector<SecretFile> SecretFilesUsed() const {
    std::vector<SecretFile> used;
    for (const Key& key : schema_.keys()) {
      const auto file = files_.find(key.path);
      if (file != files_.end()) used.push_back({key.path, file->second, *key.handle, key.blanks});
    }
    return used;
  }

  void FromFlags(const std::vector<Sources::Flag>& flags) {
    for (const Sources::Flag& flag : flags) {
      if (Key* key = schema_.Find(flag.key)) Set(*key, flag.value, "flag " + flag.flag);
    }
  }

 private:
  std::string Where(const YAML::Node& node) const {
    return absl::StrCat(file_, ":", node.Mark().line + 1);
  }
  void Fault(const YAML::Node& node, const std::string& path, const std::string& problem) {
    faults_.push_back(absl::StrCat(Where(node), ": ", path, ": ", problem));
  }

  void Section(const YAML::Node& map, const std::string& prefix) {
    std::set<std::string> seen;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        Fault(entry.first, prefix.empty() ? "top" : prefix, "a key must be a word");
        continue;
      }
      const std::string path =
          prefix.empty() ? entry.first.Scalar() : absl::StrCat(prefix, ".", entry.first.Scalar());
      if (!seen.insert(path).second) {
        Fault(entry.first, path, "is given twice");
        continue;
      }
      Entry(entry.first, entry.second, path);
    }
  }

  void Entry(const YAML::Node& name, const YAML::Node& value, const std::string& path) {
    if (Key* key = schema_.Find(path)) {
      Value(*key, name, value);
    } else if (schema_.IsSection(path)) {
      if (value.IsMap()) {
        Section(value, path);
      } else if (!value.IsNull()) {
        Fault(name, path, absl::StrCat("must be a section, not ", KindOf(value)));
      }
    } else if (Key* secret = SecretOfFile(path)) {
      if (!value.IsScalar()) {
        Fault(name, path, "must be the path of a file");
      } else {
        SetFromFile(*secret, value.Scalar(), Where(value));
      }
    } else {
      const std::string nearest = schema_.Nearest(path);
      Fault(name, path,
            nearest.empty() ? "unknown key"
                            : absl::StrCat("unknown key; did you mean ", nearest, "?"));
    }
  }

  // "vendors.slack.token_file" -> the key vendors.slack.token.
  Key* SecretOfFile(absl::string_view path) {
    if (!absl::ConsumeSuffix(&path, kFileSuffix)) return nullptr;
    Key* key = schema_.Find(path);
    return key != nullptr && key->secret ? key : nullptr;
  }

  void Value(Key& key, const YAML::Node& name, const YAML::Node& value) {
    if (key.kind == KeyKind::kScalar) {
      if (!value.IsScalar()) {
        const bool words = absl::StrContains(key.type, '|');
        Fault(
            name, key.path,
            absl::StrCat("must be ", words ? key.type : absl::StrCat("one value (", key.type, ")"),
                         ", not ", KindOf(value)));
      } else {
        Set(key, value.Scalar(), Where(value));
      }
      return;
    }
    if (!value.IsSequence()) {
      Fault(name, key.path, absl::StrCat("must be a ", key.type, ", not ", KindOf(value)));
      return;
    }
    key.clear();
    key.source = Where(value);
    for (size_t i = 0; i < value.size(); ++i) {
      const YAML::Node element = value[i];
      const std::string problem =
          element.IsScalar() ? key.parse(element.Scalar()) : "must be a value";
      if (!problem.empty()) Fault(element, absl::StrCat(key.path, "[", i, "]"), problem);
    }
  }

  void Set(Key& key, const std::string& value, const std::string& source) {
    const std::string problem = key.parse(value);
    files_.erase(key.path);
    if (problem.empty()) {
      key.source = source;
      return;
    }
    const std::string shown = key.secret ? "" : absl::StrCat(" (it is \"", value, "\")");
    faults_.push_back(absl::StrCat(source, ": ", key.path, ": ", problem, shown));
  }

  void SetFromFile(Key& key, const std::string& path, const std::string& source) {
    std::string problem;
    const std::string value = ReadSecret(path, key.blanks, &problem);
    if (!problem.empty()) {
      faults_.push_back(absl::StrCat(source, ": ", key.path, ": ", problem));
      return;
    }
    Set(key, value, source);
    files_[key.path] = path;
  }

  Schema& schema_;
  std::vector<std::string>& faults_;
  std::string file_;
  std::map<std::string, std::string> files_;  // by key
};

// Rules that tie several keys together.
void CheckTogether(const Settings& settings, Schema& schema, std::vector<std::string>& faults) {
  if (settings.server.http_listen == settings.server.grpc_listen &&
      !absl::EndsWith(settings.server.http_listen, ":0")) {
    faults.push_back("server.grpc_listen: must differ from server.http_listen");
  }
  for (std::string& fault : AuthFaults(settings.auth)) faults.push_back(std::move(fault));
  for (const Key& key : schema.keys()) {
    absl::string_view activity = key.path;
    if (!absl::ConsumeSuffix(&activity, ".maximum_interval")) continue;
    absl::Duration initial;
    absl::Duration maximum;
    const Key* first = schema.Find(absl::StrCat(activity, ".initial_interval"));
    if (first != nullptr && absl::ParseDuration(first->values().front(), &initial) &&
        absl::ParseDuration(key.values().front(), &maximum) && maximum != absl::ZeroDuration() &&
        maximum < initial) {
      faults.push_back(absl::StrCat(key.source, ": ", key.path, ": must not be shorter than ",
                                    first->path, " (", first->values().front(), ")"));
    }
  }
}

}  // namespace

std::vector<std::string> Load(const Sources& sources, Settings* settings, Provenance* provenance) {
  Schema schema = MakeSchema(*settings);
  std::vector<std::string> faults;
  Loader loader(schema, faults);
  if (!sources.file.empty()) loader.File(sources.file);
  if (sources.environment) loader.FromEnvironment(sources.environment);
  loader.FromFlags(sources.flags);
  CheckTogether(*settings, schema, faults);
  settings->secret_files = loader.SecretFilesUsed();
  for (const Key& key : schema.keys()) {
    (*provenance)[key.path] = key.source;
  }
  return faults;
}

}  // namespace server
