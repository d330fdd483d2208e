#include "orchestrator/base/outcome.h"

namespace base {

std::string Failure::ToString() const {
  std::string text = type + ": " + message;
  if (cause != nullptr) text += " (caused by " + cause->ToString() + ")";
  return text;
}

}  // namespace base
