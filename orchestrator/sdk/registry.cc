#include "orchestrator/sdk/registry.h"

namespace sdk {
namespace {

template <typename Value>
std::vector<std::string> Names(const std::map<std::string, Value>& registered) {
  std::vector<std::string> names;
  names.reserve(registered.size());
  for (const auto& [name, value] : registered) names.push_back(name);
  return names;
}

}  // namespace

const Registry::RawWorkflow* Registry::FindWorkflow(const std::string& type) const {
  const auto it = workflows_.find(type);
  return it == workflows_.end() ? nullptr : &it->second;
}

const Registry::Activity* Registry::FindActivity(const std::string& type) const {
  const auto it = activities_.find(type);
  return it == activities_.end() ? nullptr : &it->second;
}

std::vector<std::string> Registry::WorkflowTypes() const { return Names(workflows_); }

std::vector<std::string> Registry::ActivityTypes() const { return Names(activities_); }

}  // namespace sdk
