// Parses filters of lists and counts: a subset of AIP-160.
//
//   status = "STUCK" AND (Region = "eu" OR Amount >= 100) AND NOT patches:"fast-path"
//   start_time > "2026-11-01T00:00:00Z" AND workflow_id = "order-*" AND Tags:"vip"
//
// AND, OR, NOT (or "-"), parentheses; as AIP-160 says, OR binds tighter than AND. Comparisons:
// = != < <= > >= and ":". Fields are those of WorkflowInfo; any other name is a search attribute.
// docs/operations/search.md has the whole language.
//
// Thread-safety: pure functions.
//
// Example:
//   ASSIGN_OR_RETURN(auto where, filter::Parse("status = STUCK"));
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "orchestrator/filter/expression.h"

namespace filter {

inline constexpr size_t kBytesMax = 8192;
inline constexpr int kComparisonsMax = 100;
inline constexpr int kDepthMax = 50;

// Null for a text of spaces only. INVALID_ARGUMENT says what is wrong and at which character,
// counted from 1.
absl::StatusOr<std::shared_ptr<const Expression>> Parse(absl::string_view text);

// A field of lists that are not of runs: wizards, entries of a log.
struct ListField {
  enum class Type { kText, kTime, kInteger };
  absl::string_view name;
  Type type = Type::kText;
};

// The same language over `fields` and no others: every comparison has field kAttribute, the name in
// `attribute`, and a value of the field's type (string, absl::Time, int64_t) or `present`: a text
// that is not empty.
absl::StatusOr<std::shared_ptr<const Expression>> ParseFor(absl::Span<const ListField> fields,
                                                           absl::string_view text);

// A letter, then letters, digits, "_" and "-", at most 64, and not the name of a field: what a
// search attribute may be called. INVALID_ARGUMENT names the rule.
absl::Status CheckAttributeName(absl::string_view name);

}  // namespace filter
