#include "gateway/cli/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "absl/strings/str_cat.h"
#include "gateway/cli/human.h"

namespace cli {

namespace {
constexpr size_t kGap = 2;
constexpr size_t kNoTerminalWidth = 100'000;
constexpr size_t kLastColumnMin = 20;

constexpr char kRed[] = "\033[31m";
constexpr char kGreen[] = "\033[32m";
constexpr char kYellow[] = "\033[33m";
constexpr char kCyan[] = "\033[36m";
constexpr char kPlain[] = "\033[0m";

bool colors = false;

const char* ColorOf(const std::string& text) {
  static const auto* const kWords = new std::map<std::string, const char*>{
      {"RUNNING", kCyan},     {"COMPLETED", kGreen},    {"FAILED", kRed},     {"STUCK", kRed},
      {"PAUSED", kYellow},    {"CANCELED", kYellow},    {"TERMINATED", kRed}, {"TIMED_OUT", kRed},
      {"BLOCKED", kRed},      {"COMPENSATED", kYellow}, {"closed", kGreen},   {"open", kRed},
      {"half-open", kYellow}, {"approved", kGreen},     {"rejected", kRed},   {"draft", kCyan},
      {"denied", kRed}};
  const auto found = kWords->find(text);
  return found == kWords->end() ? nullptr : found->second;
}
}  // namespace

void SetColors(const std::string& wish) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool unwanted = no_color != nullptr && *no_color != '\0';
  colors = wish == "always" || (wish == "auto" && StdoutIsTerminal() && !unwanted);
}

bool Colors() { return colors; }

std::string Painted(const std::string& text) {
  const char* color = colors ? ColorOf(text) : nullptr;
  return color == nullptr ? text : absl::StrCat(color, text, kPlain);
}

bool StdoutIsTerminal() { return isatty(STDOUT_FILENO) == 1; }

size_t TerminalWidth() {
  winsize size{};
  if (StdoutIsTerminal() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return size.ws_col;
  }
  return kNoTerminalWidth;
}

std::string Table::Text() const {
  std::vector<size_t> widths(rows_[0].size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  const size_t terminal = TerminalWidth();
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    size_t column = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      if (i + 1 == row.size()) {
        const size_t room = terminal > column ? terminal - column : 0;
        absl::StrAppend(&line, Painted(OneLine(row[i], std::max(room, kLastColumnMin))));
      } else {
        const std::string cell = OneLine(row[i], widths[i]);
        absl::StrAppend(&line, Painted(cell), std::string(widths[i] + kGap - Width(cell), ' '));
      }
      column += widths[i] + kGap;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

std::string Pairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  size_t width = 0;
  for (const auto& [name, value] : pairs) {
    if (!value.empty()) width = std::max(width, name.size());
  }
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    absl::StrAppend(&text, name, std::string(width + kGap - name.size(), ' '),
                    Painted(OneLine(value, kNoTerminalWidth)), "\n");
  }
  return text;
}

}  // namespace cli
