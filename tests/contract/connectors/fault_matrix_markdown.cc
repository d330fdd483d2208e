// The table for people: operations of a vendor that answer every fault alike share their rows, and
// so do faults that are answered alike.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/contract/connectors/fault_matrix.h"

namespace connector_test {
namespace {

// Faults that are answered alike.
struct Row {
  std::vector<std::string> faults;
  std::string once, always;
  bool operator==(const Row&) const = default;
};

std::vector<Row> RowsOf(const Operation& operation) {
  std::vector<Row> rows;
  for (const Fault& fault : FaultsOf(operation.vendor)) {
    std::string once = ExpectedOf(operation, fault, Mode::kOnce).ToString();
    std::string always = ExpectedOf(operation, fault, Mode::kAlways).ToString();
    if (fault.nature == Nature::kNoSession) once = always;
    auto same = rows.begin();
    while (same != rows.end() && (same->once != once || same->always != always)) ++same;
    if (same == rows.end()) same = rows.insert(rows.end(), {{}, once, always});
    same->faults.push_back(fault.name);
  }
  return rows;
}

std::string Describe(const Operation& operation) {
  const std::string left = operation.kind.empty() ? ""
                           : operation.alive == 0 ? absl::StrCat(", no ", operation.kind)
                                                  : absl::StrCat(", one ", operation.kind);
  return absl::StrCat(operation.name, " (`", operation.call, "`", left, ")");
}

}  // namespace

std::string MatrixMarkdown() {
  // By vendor, then by what the rows say.
  struct Group {
    std::string vendor;
    std::vector<std::string> operations;
    std::vector<Row> rows;
  };
  std::vector<Group> groups;
  for (const Operation& operation : Operations()) {
    std::vector<Row> rows = RowsOf(operation);
    auto same = groups.begin();
    while (same != groups.end() && (same->vendor != operation.vendor || same->rows != rows)) {
      ++same;
    }
    if (same == groups.end()) {
      same = groups.insert(groups.end(), {operation.vendor, {}, std::move(rows)});
    }
    same->operations.push_back(Describe(operation));
  }
  std::string text =
      "| Vendor, operations | Fault | It strikes once | It strikes every time "
      "|\n|---|---|---|---|\n";
  for (const Group& group : groups) {
    std::string head =
        absl::StrCat("**", group.vendor, "**: ", absl::StrJoin(group.operations, ", "));
    for (const Row& row : group.rows) {
      absl::StrAppend(&text, "| ", head, " | ", absl::StrJoin(row.faults, ", "), " | ", row.once,
                      " | ", row.always, " |\n");
      head.clear();
    }
  }
  return text;
}

}  // namespace connector_test
