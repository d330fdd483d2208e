// completion bash|zsh|fish: scripts made from the commands and options that the program has.
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "gateway/cli/command.h"
#include "gateway/cli/command_tree.h"

namespace cli {

namespace {

using Words = std::vector<CommandWord>;

// What may follow a command: its subcommands, its options and those of the program.
Words WordsOf(const std::vector<CommandNode>& tree, const CommandNode& node) {
  Words words = node.subcommands;
  words.insert(words.end(), node.options.begin(), node.options.end());
  if (!node.path.empty()) {
    for (const CommandWord& global : tree[0].options) {
      if (global.word != "--help" && global.word != "-h") words.push_back(global);
    }
  }
  return words;
}

std::string Plain(const Words& words) {
  return absl::StrJoin(words, " ", [](std::string* out, const CommandWord& word) {
    absl::StrAppend(out, word.word);
  });
}

// The options of every command, each once: those that `wanted` holds for.
template <typename Wanted>
std::map<std::string, CommandWord> OptionsThat(const std::vector<CommandNode>& tree,
                                               Wanted wanted) {
  std::map<std::string, CommandWord> options;
  for (const CommandNode& node : tree) {
    for (const CommandWord& option : node.options) {
      if (wanted(option)) options.emplace(option.word, option);
    }
  }
  return options;
}

std::string Pattern(const std::map<std::string, CommandWord>& options) {
  return absl::StrJoin(options, "|", [](std::string* out, const auto& option) {
    absl::StrAppend(out, option.first);
  });
}

std::string BashScript(const CLI::App& app) {
  const std::vector<CommandNode> tree = CommandTree(app);
  std::string cases;
  for (const CommandNode& node : tree) {
    absl::StrAppend(&cases, "      \"", node.path, "\") words=\"", Plain(WordsOf(tree, node)),
                    "\" ;;\n");
  }
  std::string values;
  for (const auto& [name, option] :
       OptionsThat(tree, [](const CommandWord& o) { return !o.values.empty(); })) {
    absl::StrAppend(&values, "    ", name, ") COMPREPLY=($(compgen -W \"",
                    absl::StrJoin(option.values, " "), "\" -- \"$cur\")); return ;;\n");
  }
  return absl::StrCat(
      "# bash completion of campaignctl; load it with: source <(campaignctl completion bash)\n"
      "_campaignctl() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" words=\"\" word i\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n"
      "    case \"$word\" in\n      ",
      Pattern(OptionsThat(tree, [](const CommandWord& o) { return o.takes_value; })),
      ") ((++i)) ;;\n"
      "      -*) ;;\n"
      "      *) [[ \"$path\" == *\" \"* ]] || path=\"${path:+$path }$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n    ",
      Pattern(OptionsThat(tree, [](const CommandWord& o) { return o.takes_file; })),
      ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", values,
      "  esac\n"
      "  while :; do\n"
      "    case \"$path\" in\n",
      cases,
      "    esac\n"
      "    [[ -n \"$words\" || -z \"$path\" ]] && break\n"
      "    [[ \"$path\" == *\" \"* ]] && path=\"${path% *}\" || path=\"\"\n"
      "  done\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}\n"
      "complete -F _campaignctl campaignctl\n");
}

// A text between single quotes of a shell.
std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}, {"\n", " "}}), "'");
}

std::string ZshScript(const CLI::App& app) {
  const std::vector<CommandNode> tree = CommandTree(app);
  std::string cases;
  for (const CommandNode& node : tree) {
    absl::StrAppend(&cases, "      ", Quoted(node.path), ") choices=(");
    for (const CommandWord& word : WordsOf(tree, node)) {
      absl::StrAppend(&cases, "\n        ",
                      Quoted(absl::StrCat(word.word, ":",
                                          absl::StrReplaceAll(word.description, {{":", "\\:"}}))));
    }
    absl::StrAppend(&cases, ") ;;\n");
  }
  std::string values;
  for (const auto& [name, option] :
       OptionsThat(tree, [](const CommandWord& o) { return !o.values.empty(); })) {
    absl::StrAppend(&values, "    ", name, ") compadd -- ", absl::StrJoin(option.values, " "),
                    "; return ;;\n");
  }
  return absl::StrCat(
      "#compdef campaignctl\n"
      "# zsh completion of campaignctl: campaignctl completion zsh > ~/.zfunc/_campaignctl\n"
      "_campaignctl() {\n"
      "  local place='' word i\n"
      "  local -a choices\n"
      "  for ((i = 2; i < CURRENT; ++i)); do\n"
      "    word=\"${words[i]}\"\n"
      "    case \"$word\" in\n      ",
      Pattern(OptionsThat(tree, [](const CommandWord& o) { return o.takes_value; })),
      ") ((++i)) ;;\n"
      "      -*) ;;\n"
      "      *) [[ \"$place\" == *' '* ]] || place=\"${place:+$place }$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"${words[CURRENT-1]}\" in\n    ",
      Pattern(OptionsThat(tree, [](const CommandWord& o) { return o.takes_file; })),
      ") _files; return ;;\n", values,
      "  esac\n"
      "  while :; do\n"
      "    case \"$place\" in\n",
      cases,
      "    esac\n"
      "    [[ ${#choices} -gt 0 || -z \"$place\" ]] && break\n"
      "    [[ \"$place\" == *' '* ]] && place=\"${place% *}\" || place=''\n"
      "  done\n"
      "  _describe campaignctl choices\n"
      "}\n"
      "if [[ \"$funcstack[1]\" == _campaignctl ]]; then\n"
      "  _campaignctl \"$@\"\n"
      "else\n"
      "  compdef _campaignctl campaignctl\n"
      "fi\n");
}

std::string FishScript(const CLI::App& app) {
  const std::vector<CommandNode> tree = CommandTree(app);
  std::string lines;
  const auto add = [&lines](const std::string& condition, const CommandWord& word) {
    absl::StrAppend(&lines, "complete -c campaignctl -n ", Quoted(condition));
    if (word.word[0] != '-') {
      absl::StrAppend(&lines, " -a ", Quoted(word.word));
    } else if (word.word[1] == '-') {
      absl::StrAppend(&lines, " -l ", word.word.substr(2));
    } else {
      absl::StrAppend(&lines, " -s ", word.word.substr(1));
    }
    if (word.takes_file) {
      absl::StrAppend(&lines, " -r -F");
    } else if (!word.values.empty()) {
      absl::StrAppend(&lines, " -x -a ", Quoted(absl::StrJoin(word.values, " ")));
    } else if (word.takes_value) {
      absl::StrAppend(&lines, " -x");
    }
    absl::StrAppend(&lines, " -d ", Quoted(word.description), "\n");
  };
  for (const CommandNode& node : tree) {
    const std::string at = absl::StrCat("__campaignctl_at ", Quoted(node.path));
    for (const CommandWord& word : node.subcommands) add(at, word);
    for (const CommandWord& word : node.options) add(node.path.empty() ? "true" : at, word);
  }
  return absl::StrCat(
      "# fish completion of campaignctl: campaignctl completion fish > "
      "~/.config/fish/completions/campaignctl.fish\n"
      "function __campaignctl_at\n"
      "  set -l place\n"
      "  set -l skip 0\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    if test $skip = 1\n"
      "      set skip 0\n"
      "      continue\n"
      "    end\n"
      "    switch $word\n"
      "      case ",
      absl::StrJoin(
          OptionsThat(tree, [](const CommandWord& o) { return o.takes_value; }), " ",
          [](std::string* out, const auto& option) { absl::StrAppend(out, option.first); }),
      "\n"
      "        set skip 1\n"
      "      case '-*'\n"
      "      case '*'\n"
      "        test (count $place) -lt 2; and set -a place $word\n"
      "    end\n"
      "  end\n"
      "  test \"$place\" = \"$argv[1]\"\n"
      "end\n"
      "complete -c campaignctl -f\n",
      lines);
}

}  // namespace

void AddCompletionCommand(CLI::App& app, Session& session) {
  CLI::App* completion = AddCommand(app, "completion", "Prints a script that completes commands",
                                    "source <(campaignctl completion bash)", nullptr);
  AddCommand(*completion, "bash", "For bash",
             "campaignctl completion bash > /etc/bash_completion.d/campaignctl",
             [&app] { std::cout << BashScript(app); });
  AddCommand(*completion, "zsh", "For zsh",
             "campaignctl completion zsh > ~/.zfunc/_campaignctl  # a directory of your fpath",
             [&app] { std::cout << ZshScript(app); });
  AddCommand(*completion, "fish", "For fish",
             "campaignctl completion fish > ~/.config/fish/completions/campaignctl.fish",
             [&app] { std::cout << FishScript(app); });
}

}  // namespace cli
