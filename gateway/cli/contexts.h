// Contexts: the servers that a user works with, under names, and the credentials for them. They are
// in two files, so that the first can be shared and shown:
//
//   ~/.config/campaignctl/contexts.yaml      where the servers are, which one is in use
//   ~/.config/campaignctl/credentials.yaml   tokens, for the user's eyes alone (mode 0600)
//
// CAMPAIGNCTL_CONFIG_DIR names another directory, else XDG_CONFIG_HOME counts. Thread-compatible.
//
// Example:
//   ASSIGN_OR_RETURN(Contexts contexts, Contexts::Load(Contexts::Directory()));
//   const Context* context = contexts.Find(contexts.current());
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cli {

struct Context {
  std::string address;
  std::string ns;
  bool tls = false;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  std::string token;  // kept in the other file
};

class Contexts {
 public:
  static std::string Directory();
  // Nothing when there are no files. INVALID_ARGUMENT: a file that cannot be read or understood,
  // with its path and line; or credentials that others may read.
  static absl::StatusOr<Contexts> Load(const std::string& directory);
  absl::Status Save() const;

  const std::string& current() const { return current_; }  // empty: none
  const std::map<std::string, Context>& all() const { return all_; }
  const Context* Find(const std::string& name) const;
  Context& operator[](const std::string& name) { return all_[name]; }
  void Use(const std::string& name) { current_ = name; }
  // False: there is none of the name.
  bool Remove(const std::string& name);

 private:
  std::string directory_;
  std::string current_;
  std::map<std::string, Context> all_;
};

}  // namespace cli
