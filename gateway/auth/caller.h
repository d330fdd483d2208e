// Caller: who is behind a call, as its credential proves it. A plain value.
//
// Example:
//   if (caller.role < Role::kEditor) return absl::PermissionDeniedError("...");
#pragma once

#include <string>

namespace auth {

// Each may do what those before it may (requirement H8).
enum class Role { kNone, kViewer, kEditor, kAdmin };

inline constexpr char kDefaultNamespace[] = "default";

struct Caller {
  std::string identity;    // "ann@example.com", "key:ci"; empty: nobody asked
  std::string credential;  // none, api_key, jwt, certificate, slack, github, google_chat
  Role role = Role::kNone;
  std::string ns = kDefaultNamespace;  // its tenant; "*": every namespace
  std::string key_id;                  // of an API key
  std::string address;                 // where it calls from

  // Has shown a credential: its identity is proven, whatever the request says.
  bool proven() const { return !identity.empty() && credential != "none"; }
};

}  // namespace auth
