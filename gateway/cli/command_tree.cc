#include "gateway/cli/command_tree.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace cli {

namespace {

// Of the checks' text: "{table,json}" lists the values; CLI11 keeps them nowhere else.
std::vector<std::string> ValuesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == type.npos || close == type.npos) return {};
  return absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
}

bool NamesFile(absl::string_view name) {
  return absl::EndsWith(name, "file") || absl::EndsWith(name, "-ca") ||
         absl::EndsWith(name, "-cert") || absl::EndsWith(name, "-key") || name == "FILE";
}

void AddOptions(const CLI::App& command, CommandNode* node) {
  for (const CLI::Option* option : command.get_options()) {
    // A group of options has the help of its command once more.
    if (command.get_name().empty() && option == command.get_help_ptr()) continue;
    CommandWord word;
    word.description = option->get_description();
    word.takes_value = option->get_items_expected_max() > 0;
    word.values = ValuesOf(*option);
    const auto& names = option->get_lnames();
    word.takes_file = word.takes_value && std::any_of(names.begin(), names.end(), NamesFile);
    if (option->get_positional()) {
      word.word = option->get_name(true);
      word.takes_file = NamesFile(word.word);
      node->arguments.push_back(word);
      continue;
    }
    for (const auto& name : option->get_snames()) {
      word.word = absl::StrCat("-", name);
      node->options.push_back(word);
    }
    for (const auto& name : names) {
      word.word = absl::StrCat("--", name);
      node->options.push_back(word);
    }
  }
}

void AddNode(const CLI::App& command, const std::string& path, std::vector<CommandNode>* tree) {
  CommandNode node{.path = path, .command = &command};
  AddOptions(command, &node);
  for (const CLI::App* sub : command.get_subcommands(nullptr)) {
    if (sub->get_name().empty()) {  // an option group
      AddOptions(*sub, &node);
    } else {
      node.subcommands.push_back({.word = sub->get_name(), .description = sub->get_description()});
    }
  }
  tree->push_back(std::move(node));
  for (const CLI::App* sub : command.get_subcommands(nullptr)) {
    if (sub->get_name().empty()) continue;
    AddNode(*sub, path.empty() ? sub->get_name() : absl::StrCat(path, " ", sub->get_name()), tree);
  }
}

}  // namespace

std::vector<CommandNode> CommandTree(const CLI::App& app) {
  std::vector<CommandNode> tree;
  AddNode(app, "", &tree);
  return tree;
}

}  // namespace cli
