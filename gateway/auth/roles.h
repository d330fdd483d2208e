// The names of roles, as settings, tokens and the API write them. Pure functions; thread-safe.
//
// Example:
//   std::optional<Role> role = ParseRole("editor");
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "gateway/auth/caller.h"

namespace auth {

// "none", "viewer", "editor", "admin".
const char* RoleName(Role role);
// Of viewer, editor and admin; nothing for another text.
std::optional<Role> ParseRole(absl::string_view text);

}  // namespace auth
