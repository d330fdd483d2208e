// completion bash: a script made from the commands and options that the program has.
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/cli/command.h"

namespace cli {

namespace {

// The words that may follow `command`: its subcommands and options.
std::string WordsOf(const CLI::App& command) {
  std::vector<std::string> words;
  for (const CLI::App* sub : command.get_subcommands(nullptr)) {
    if (!sub->get_name().empty()) {
      words.push_back(sub->get_name());
      continue;
    }
    for (const CLI::Option* option : sub->get_options()) {  // an option group has no name
      for (const auto& name : option->get_lnames()) {
        if (name != "help") words.push_back("--" + name);
      }
    }
  }
  for (const CLI::Option* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) words.push_back("--" + name);
  }
  if (command.get_parent() != nullptr) {  // the global ones may stand anywhere
    words.insert(words.end(), {"--address", "--output", "--timeout"});
  }
  return absl::StrJoin(words, " ");
}

void AddCases(const CLI::App& command, const std::string& path, std::string* cases) {
  absl::StrAppend(cases, "    \"", path, "\") words=\"", WordsOf(command), "\" ;;\n");
  for (const CLI::App* sub : command.get_subcommands(nullptr)) {
    if (sub->get_name().empty()) continue;
    AddCases(*sub, path.empty() ? sub->get_name() : absl::StrCat(path, " ", sub->get_name()),
             cases);
  }
}

std::string BashScript(const CLI::App& app) {
  std::string cases;
  AddCases(app, "", &cases);
  return absl::StrCat(
      "# bash completion of campaignctl; load it with: source <(campaignctl completion bash)\n"
      "_campaignctl() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" words=\"\" word i\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n"
      "    case \"$word\" in\n"
      "      --address|--output|--timeout|-f|--file) ((++i)) ;;\n"
      "      -*) ;;\n"
      "      *) [[ \"$path\" == *\" \"* ]] || path=\"${path:+$path }$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n"
      "    -f|--file) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
      "    --output) COMPREPLY=($(compgen -W \"table json\" -- \"$cur\")); return ;;\n"
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

}  // namespace

void AddCompletionCommand(CLI::App& app, Session& session) {
  CLI::App* completion = AddCommand(app, "completion", "Prints a script that completes commands",
                                    "source <(campaignctl completion bash)", nullptr);
  AddCommand(*completion, "bash", "For bash",
             "campaignctl completion bash > /etc/bash_completion.d/campaignctl",
             [&app] { std::cout << BashScript(app); });
}

}  // namespace cli
