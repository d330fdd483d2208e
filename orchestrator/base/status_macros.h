// RETURN_IF_ERROR and ASSIGN_OR_RETURN for absl::Status, as Abseil 20220623 has none.
//
// Example:
//   ASSIGN_OR_RETURN(Row row, store.Load(id));
//   RETURN_IF_ERROR(store.Commit(batch));
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define BASE_CONCAT_INNER(a, b) a##b
#define BASE_CONCAT(a, b) BASE_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expr)                                  \
  do {                                                         \
    ::absl::Status status_macro_result = (expr);               \
    if (!status_macro_result.ok()) return status_macro_result; \
  } while (false)

#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_IMPL(BASE_CONCAT(statusor_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_IMPL(statusor, lhs, expr)         \
  auto statusor = (expr);                                  \
  if (!statusor.ok()) return std::move(statusor).status(); \
  lhs = *std::move(statusor)
