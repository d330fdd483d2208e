// Namespaces as the engine takes them: no name means "default". Pure; thread-safe.
//
// Example:
//   store::SlotOf(base::Namespace(NamespaceOr(request.namespace_())), workflow_id)
#pragma once

#include <string>

namespace engine {

inline const std::string& NamespaceOr(const std::string& given) {
  static const std::string& kDefaultNamespace = *new std::string("default");
  return given.empty() ? kDefaultNamespace : given;
}

}  // namespace engine
