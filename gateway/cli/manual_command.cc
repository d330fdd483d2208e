// man: the manual page, made from the commands and options that the program has.
#include <iostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gateway/cli/command.h"
#include "gateway/cli/command_tree.h"

namespace cli {

namespace {

// Text as roff: nothing in it is a request or an escape.
std::string Roff(absl::string_view text) {
  std::string escaped = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  std::string lines;
  for (absl::string_view line : absl::StrSplit(escaped, '\n')) {
    const bool request = !line.empty() && (line[0] == '.' || line[0] == '\'');
    absl::StrAppend(&lines, request ? "\\&" : "", line, "\n");
  }
  return lines;
}

void AddWords(const std::vector<CommandWord>& words, std::string* page) {
  for (const CommandWord& word : words) {
    if (word.word == "-h" || word.word == "--help") continue;
    std::string value;
    if (word.takes_value) value = word.values.empty() ? " VALUE" : "";
    if (!word.values.empty()) value = absl::StrCat(" ", absl::StrJoin(word.values, "|"));
    absl::StrAppend(page, ".TP\n.B ", Roff(absl::StrCat(word.word, value)), Roff(word.description));
  }
}

std::string Page(const CLI::App& app) {
  const std::vector<CommandNode> tree = CommandTree(app);
  std::string page = absl::StrCat(
      ".TH CAMPAIGNCTL 1\n.SH NAME\ncampaignctl \\- runs and follows campaigns on a campaignd\n"
      ".SH SYNOPSIS\n.B campaignctl\n[OPTIONS] COMMAND [ARGUMENTS]\n.SH DESCRIPTION\n",
      Roff(app.get_description()), ".SH OPTIONS\nThey may stand before or behind a command.\n");
  AddWords(tree[0].options, &page);
  absl::StrAppend(&page, ".SH COMMANDS\n");
  for (const CommandNode& node : tree) {
    if (node.path.empty() || !node.subcommands.empty()) continue;
    std::string use = absl::StrCat("campaignctl ", node.path);
    for (const CommandWord& argument : node.arguments) absl::StrAppend(&use, " ", argument.word);
    absl::StrAppend(&page, ".SS ", Roff(use), Roff(node.command->get_description()));
    AddWords(node.arguments, &page);
    AddWords(node.options, &page);
    const std::string footer(absl::StripAsciiWhitespace(node.command->get_footer()));
    if (!footer.empty()) absl::StrAppend(&page, ".PP\n.nf\n", Roff(footer), ".fi\n");
  }
  absl::StrAppend(&page, ".SH EXIT STATUS\n.nf\n", Roff(kExitCodesHelp), ".fi\n",
                  ".SH FILES\n.TP\n.B ~/.config/campaignctl/contexts.yaml\n"
                  "The servers that `campaignctl context set` knows.\n.TP\n"
                  ".B ~/.config/campaignctl/credentials.yaml\n"
                  "What `campaignctl login` keeps; only its owner may read it.\n"
                  ".SH ENVIRONMENT\n.TP\n.B CAMPAIGNCTL_ADDRESS, CAMPAIGNCTL_CONTEXT, "
                  "CAMPAIGNCTL_TOKEN\n"
                  "Stand for \\-\\-address, \\-\\-context and the content of \\-\\-token\\-file.\n"
                  ".TP\n.B CAMPAIGNCTL_CONFIG_DIR\nThe directory of the two files.\n"
                  ".TP\n.B NO_COLOR\nNo colours, when it is set.\n");
  return page;
}

}  // namespace

void AddManualCommand(CLI::App& app, Session& session) {
  AddCommand(app, "man", "Prints the manual page",
             "campaignctl man > /usr/local/share/man/man1/campaignctl.1 && man campaignctl",
             [&app] { std::cout << Page(app); });
}

}  // namespace cli
