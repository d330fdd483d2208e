// Run by the build: every method of our services has a rule, and every rule of a method has a
// method. Ends with 1 and says what is missing otherwise. With --markdown: prints the table.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>

#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gateway/auth/permissions.h"
#include "gateway/auth/roles.h"

// The table of docs/security.md.
static int PrintMarkdown() {
  std::cout << "| method or route | who | group | scope |\n| --- | --- | --- | --- |\n";
  for (const auth::Rule& rule : auth::Rules()) {
    const char* who = rule.access == auth::Access::kOpen ? "open"
                      : rule.role == auth::Role::kNone   ? "any caller"
                                                         : auth::RoleName(rule.role);
    std::cout << "| `" << std::string(rule.name) << "` | " << who << " | "
              << std::string(rule.group) << " | "
              << (rule.scope == auth::Scope::kServer ? "server" : "namespace") << " |\n";
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--markdown") return PrintMarkdown();
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  std::vector<std::string> files;
  google::protobuf::DescriptorPool::internal_generated_database()->FindAllFileNames(&files);
  std::set<std::string> methods;
  for (const std::string& name : files) {
    if (absl::StartsWith(name, "google/")) continue;
    const auto* file = pool->FindFileByName(name);
    for (int i = 0; file != nullptr && i < file->service_count(); ++i) {
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        methods.insert(file->service(i)->method(j)->full_name());
      }
    }
  }
  int faults = methods.empty() ? 1 : 0;
  std::set<std::string> rules;
  for (const auth::Rule& rule : auth::Rules()) {
    const std::string name(rule.name);
    if (!rules.insert(name).second) {
      std::cerr << "gateway/auth/permissions.cc: " << name << " has two rules\n";
      ++faults;
    }
    const bool route = absl::StrContains(name, " /");
    if (!route && !methods.contains(name)) {
      std::cerr << "gateway/auth/permissions.cc: there is no method " << name << "\n";
      ++faults;
    }
  }
  for (const std::string& method : methods) {
    if (rules.contains(method)) continue;
    std::cerr << "gateway/auth/permissions.cc: " << method << " has no rule: who may call it?\n";
    ++faults;
  }
  return faults == 0 ? 0 : 1;
}
