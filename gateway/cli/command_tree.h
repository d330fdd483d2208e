// The program's commands as a flat list, for what is generated from them: completions and the
// manual. Thread-compatible; heavy header (CLI11).
//
// Example:
//   for (const CommandNode& node : CommandTree(app)) std::cout << node.path << "\n";
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace cli {

struct CommandWord {
  std::string word;  // "list", "--output"
  std::string description;
  bool takes_value = false;  // of an option
  bool takes_file = false;
  std::vector<std::string> values;  // that an option may have, when they are few
};

struct CommandNode {
  std::string path;  // "wizard list"; empty: the program itself
  const CLI::App* command = nullptr;
  std::vector<CommandWord> subcommands;
  std::vector<CommandWord> options;    // its own
  std::vector<CommandWord> arguments;  // positional, in their order
};

// Every command, parents before their children. The first one is the program, whose options may
// stand behind every command.
std::vector<CommandNode> CommandTree(const CLI::App& app);

}  // namespace cli
