#include "orchestrator/sdk/registry.h"

namespace sdk {

const Registry::RawWorkflow* Registry::FindWorkflow(const std::string& type) const {
  const auto it = workflows_.find(type);
  return it == workflows_.end() ? nullptr : &it->second;
}

const Registry::Activity* Registry::FindActivity(const std::string& type) const {
  const auto it = activities_.find(type);
  return it == activities_.end() ? nullptr : &it->second;
}

}  // namespace sdk
