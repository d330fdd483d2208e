#include "gateway/cli/yaml_json.h"

#include <yaml-cpp/yaml.h>

#include <cmath>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/json/json_writer.h"

namespace cli {

namespace {

constexpr int kDepthMax = 32;
constexpr int kNodesMax = 100'000;

class Converter {
 public:
  absl::Status Convert(const YAML::Node& node, const std::string& path, int depth) {
    if (depth > kDepthMax || ++nodes_ > kNodesMax) {
      return absl::InvalidArgumentError("the YAML is nested or expanded too far");
    }
    out_.lines.emplace(path, node.Mark().line + 1);
    switch (node.Type()) {
      case YAML::NodeType::Map:
        return ConvertMap(node, path, depth);
      case YAML::NodeType::Sequence:
        return ConvertList(node, path, depth);
      case YAML::NodeType::Scalar:
        AppendScalar(node);
        return absl::OkStatus();
      default:
        out_.json += "null";
        return absl::OkStatus();
    }
  }
  YamlJson Take() { return std::move(out_); }

 private:
  absl::Status ConvertMap(const YAML::Node& node, const std::string& path, int depth) {
    std::set<std::string> seen;
    out_.json += '{';
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        return absl::InvalidArgumentError(
            absl::StrCat("line ", entry.first.Mark().line + 1, ": a key is not a word"));
      }
      const std::string key = entry.first.Scalar();
      if (!seen.insert(key).second) {
        return absl::InvalidArgumentError(
            absl::StrCat("line ", entry.first.Mark().line + 1, ": ", key, " is there twice"));
      }
      absl::StrAppend(&out_.json, seen.size() == 1 ? "" : ",", gateway::JsonQuote(key), ":");
      const std::string child = path.empty() ? key : absl::StrCat(path, ".", key);
      out_.lines.emplace(child, entry.first.Mark().line + 1);  // the key's line, not the value's
      absl::Status status = Convert(entry.second, child, depth + 1);
      if (!status.ok()) return status;
    }
    out_.json += '}';
    return absl::OkStatus();
  }

  absl::Status ConvertList(const YAML::Node& node, const std::string& path, int depth) {
    out_.json += '[';
    for (size_t i = 0; i < node.size(); ++i) {
      if (i > 0) out_.json += ',';
      absl::Status status = Convert(node[i], absl::StrCat(path, "[", i, "]"), depth + 1);
      if (!status.ok()) return status;
    }
    out_.json += ']';
    return absl::OkStatus();
  }

  void AppendScalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    const bool quoted = node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str";
    int64_t integer = 0;
    double real = 0;
    const bool digits = !text.empty() && text.find_first_not_of("0123456789+-.eE") == text.npos;
    if (quoted) {
      out_.json += gateway::JsonQuote(text);
    } else if (text == "true" || text == "false" || text == "null") {
      out_.json += text;
    } else if (text == "~" || text.empty()) {
      out_.json += "null";
    } else if (digits && absl::SimpleAtoi(text, &integer)) {
      absl::StrAppend(&out_.json, integer);
    } else if (digits && absl::SimpleAtod(text, &real)) {
      // Too large for a double: as it would stand in JSON, where the reader says so.
      if (std::isinf(real)) {
        out_.json += real < 0 ? "-1e999" : "1e999";
      } else {
        absl::StrAppendFormat(&out_.json, "%.17g", real);
      }
    } else {
      out_.json += gateway::JsonQuote(text);
    }
  }

  YamlJson out_;
  int nodes_ = 0;
};

}  // namespace

absl::StatusOr<YamlJson> YamlToJson(const std::string& text) {
  try {
    Converter converter;
    absl::Status status = converter.Convert(YAML::Load(text), "", 0);
    if (!status.ok()) return status;
    return converter.Take();
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("not valid YAML at line ", error.mark.line + 1,
                                                   ", column ", error.mark.column + 1, ": ",
                                                   error.msg));
  }
}

}  // namespace cli
