#include "orchestrator/base/secret.h"

#include <utility>

#include "orchestrator/base/log.h"
#include "orchestrator/base/retired_secrets.h"

namespace base {

Secret::Secret(std::string value) : shared_(std::make_shared<Shared>()) {
  Replace(std::move(value));
}

std::string Secret::value() const {
  absl::MutexLock lock(&shared_->mu);
  return shared_->value;
}

void Secret::Replace(std::string value) const {
  RegisterSecret(value);
  {
    absl::MutexLock lock(&shared_->mu);
    shared_->value.swap(value);
  }
  RetireSecret(value);  // the one before
}

}  // namespace base
