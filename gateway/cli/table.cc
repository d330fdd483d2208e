#include "gateway/cli/table.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/cli/human.h"

namespace cli {

namespace {
constexpr size_t kGap = 2;
constexpr size_t kNoTerminalWidth = 100'000;
constexpr size_t kLastColumnMin = 20;
}  // namespace

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
        absl::StrAppend(&line, OneLine(row[i], std::max(room, kLastColumnMin)));
      } else {
        const std::string cell = OneLine(row[i], widths[i]);
        absl::StrAppend(&line, cell, std::string(widths[i] + kGap - Width(cell), ' '));
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
                    OneLine(value, kNoTerminalWidth), "\n");
  }
  return text;
}

}  // namespace cli
