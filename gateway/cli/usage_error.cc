#include "gateway/cli/usage_error.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace cli {
namespace {

// How many letters must be put in, taken out or changed to make `b` of `a`.
size_t Distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t before = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = before + (a[i - 1] == b[j - 1] ? 0 : 1);
      before = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

// The command that was meant, or "".
std::string Nearest(const CLI::App& group, const std::string& word) {
  std::string best;
  size_t least = std::min<size_t>(2, word.size() / 2) + 1;
  for (const CLI::App* command : group.get_subcommands({})) {
    const bool begun = word.size() > 1 && absl::StartsWith(command->get_name(), word);
    const size_t distance = begun ? 0 : Distance(word, command->get_name());
    if (distance < least) {
      least = distance;
      best = command->get_name();
    }
  }
  return best;
}

}  // namespace

std::string UsageProblem(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* group = &app;
  std::string path;
  while (!group->get_subcommands().empty()) {
    group = group->get_subcommands().front();
    absl::StrAppend(&path, group->get_name(), " ");
  }
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  const bool has_commands = !group->get_subcommands({}).empty();
  if (!has_commands || unknown.empty()) {
    if (!has_commands) return error.what();
    if (path.empty()) return "a command is missing";
    // A group that does something by itself ("history ID") needs no command.
    if (group->get_require_subcommand_min() == 0) return error.what();
    std::string names;
    for (const CLI::App* command : group->get_subcommands({})) {
      absl::StrAppend(&names, names.empty() ? "" : ", ", command->get_name());
    }
    return absl::StrCat(path, "needs a command: ", names);
  }
  if (absl::StartsWith(unknown[0], "-")) {
    return absl::StrCat("there is no command or option ", path, unknown[0]);
  }
  // "saga bogus ID": the group took the first word for its own argument.
  std::string word = unknown[0];
  std::string more;
  for (const CLI::Option* option : group->get_options()) {
    if (!option->get_positional() || option->empty()) continue;
    word = option->results().front();
    more = absl::StrCat(", and nothing follows ", path, option->get_name(true), ": ", unknown[0]);
    break;
  }
  const std::string nearest = Nearest(*group, word);
  return absl::StrCat("there is no command ", path, word,
                      nearest.empty() ? more : absl::StrCat("; did you mean ", path, nearest, "?"));
}

}  // namespace cli
