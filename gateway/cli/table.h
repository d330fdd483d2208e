// Columns of text: a header and rows, each column as wide as its widest cell; the last one is cut
// at the terminal's edge. Thread-compatible.
//
// Example:
//   Table table({"WORKFLOW", "STATUS"});
//   table.Add({"order-17", "RUNNING"});
//   std::cout << table.Text();
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cli {

class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "name  value" lines, the values in one column; empty values are left out.
std::string Pairs(const std::vector<std::pair<std::string, std::string>>& pairs);

// Colours: whether tables have any. `wish`: auto, always or never; auto: on a terminal, unless
// NO_COLOR is set (https://no-color.org).
void SetColors(const std::string& wish);
bool Colors();
// A status, state or outcome in its colour; other text as it is.
std::string Painted(const std::string& text);

// Columns of the terminal on stdout; a large number when it is none.
size_t TerminalWidth();
bool StdoutIsTerminal();

}  // namespace cli
