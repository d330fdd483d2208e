// Settings as text: effective YAML, the sample file, and the reference of docs/settings.md.
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gateway/server/settings.h"

namespace server {
namespace {

// Quoted where YAML would read something else than this text.
std::string Scalar(const std::string& text) {
  static const char* const kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:-@";
  double number = 0;
  const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string::npos &&
                     text.find(": ") == std::string::npos && text.back() != ':' &&
                     text.front() != '-' && text.front() != '@' && text.front() != ':';
  if (plain || absl::SimpleAtod(text, &number)) {
    // "1:2" is a number to base 60 for YAML 1.1 readers.
    const bool sexagesimal = text.find(':') != std::string::npos &&
                             text.find_first_not_of("0123456789:.") == std::string::npos;
    if (!sexagesimal) return text;
  }
  return absl::StrCat(
      "\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}), "\"");
}

std::string ShownValue(const Key& key) {
  const std::vector<std::string> values = key.values();
  if (key.secret) return values.front().empty() ? "\"\"" : "\"[set]\"";
  if (key.kind == KeyKind::kScalar) {
    const bool text = absl::StrContains(key.type, "text");
    double number = 0;
    if (text && absl::SimpleAtod(values.front(), &number)) {
      return absl::StrCat("\"", values.front(), "\"");
    }
    return Scalar(values.front());
  }
  std::vector<std::string> quoted;
  quoted.reserve(values.size());
  for (const std::string& value : values) quoted.push_back(Scalar(value));
  return absl::StrCat("[", absl::StrJoin(quoted, ", "), "]");
}

std::string HelpOf(const Schema& schema, const std::string& section) {
  for (const auto& [path, help] : schema.sections()) {
    if (path == section) return help;
  }
  return "";
}

// Breaks a comment into lines of at most 100 columns.
std::string Comment(const std::string& text, size_t indent) {
  std::string result;
  std::string line;
  const std::string start = std::string(indent, ' ') + "# ";
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (!line.empty() && start.size() + line.size() + 1 + word.size() > 100) {
      absl::StrAppend(&result, start, line, "\n");
      line.clear();
    }
    absl::StrAppend(&line, line.empty() ? "" : " ", word);
  }
  return absl::StrCat(result, start, line, "\n");
}

using Decorate = std::function<std::string(const Key& key, size_t indent)>;

// All keys as nested YAML. `before` gives the lines above a key, `after` what follows its value.
std::string Render(const Schema& schema, bool with_help, const Decorate& before,
                   const Decorate& after) {
  std::string result;
  std::vector<std::string> open;
  for (const Key& key : schema.keys()) {
    std::vector<std::string> parts = absl::StrSplit(key.path, '.');
    const std::string name = parts.back();
    parts.pop_back();
    size_t common = 0;
    while (common < open.size() && common < parts.size() && open[common] == parts[common]) {
      ++common;
    }
    open.resize(common);
    for (size_t i = common; i < parts.size(); ++i) {
      open.push_back(parts[i]);
      const std::string help = HelpOf(schema, absl::StrJoin(open, "."));
      if (with_help && i == 0) absl::StrAppend(&result, "\n");
      if (with_help && !help.empty()) absl::StrAppend(&result, Comment(help, 2 * i));
      absl::StrAppend(&result, std::string(2 * i, ' '), parts[i], ":\n");
    }
    const size_t indent = 2 * parts.size();
    absl::StrAppend(&result, before(key, indent), std::string(indent, ' '), name, ": ",
                    ShownValue(key), after(key, indent), "\n");
  }
  return result;
}

}  // namespace

std::string PrintYaml(const Settings& settings, const Provenance& provenance) {
  Settings copy = settings;
  const Schema schema = MakeSchema(copy);
  return Render(
      schema, false, [](const Key&, size_t) { return std::string(); },
      [&provenance](const Key& key, size_t) {
        const auto found = provenance.find(key.path);
        if (found == provenance.end() || found->second == "default") return std::string();
        return absl::StrCat("  # ", found->second);
      });
}

std::string SampleYaml() {
  Settings defaults;
  const Schema schema = MakeSchema(defaults);
  std::string result =
      "# Settings of campaignd: every key with its default. Give it with --config; leave out what\n"
      "# stays as it is. Flags win over the environment, the environment over this file. A secret\n"
      "# `token` may also be read from a file: `token_file: /run/secrets/slack`, or by the\n"
      "# environment, NAME or NAME_FILE. Check a file with `campaignd --config FILE --check`.\n";
  std::string last_activity;
  result += Render(
      schema, true,
      [&last_activity](const Key& key, size_t indent) -> std::string {
        if (absl::StartsWith(key.path, "activities.")) {
          // The same five keys for each: explained once.
          const std::vector<std::string> parts = absl::StrSplit(key.path, '.');
          if (last_activity.empty()) last_activity = parts[1];
          if (parts[1] != last_activity) return "";
        }
        const std::string environment =
            key.environment.empty() ? "" : absl::StrCat(" Environment: ", key.environment, ".");
        return Comment(absl::StrCat(key.help, " [", key.type, "]", environment), indent);
      },
      [](const Key&, size_t) { return std::string(); });
  return result;
}

std::string ReferenceMarkdown() {
  Settings defaults;
  const Schema schema = MakeSchema(defaults);
  std::string result;
  std::string table;
  for (const Key& key : schema.keys()) {
    const std::string section = key.path.substr(0, key.path.rfind('.'));
    if (section != table) {
      table = section;
      const std::string help = HelpOf(schema, section);
      absl::StrAppend(&result, "\n### ", section, "\n\n", help, help.empty() ? "" : "\n\n",
                      "| key | type | default | environment | meaning |\n|---|---|---|---|---|\n");
    }
    const std::string value = ShownValue(key);
    absl::StrAppend(&result, "| `", key.path, "` | ", absl::StrReplaceAll(key.type, {{"|", "\\|"}}),
                    " | ", value == "\"\"" ? "" : absl::StrCat("`", value, "`"), " | ",
                    key.environment.empty() ? "" : absl::StrCat("`", key.environment, "`"), " | ",
                    key.help, " |\n");
  }
  return result;
}

}  // namespace server
