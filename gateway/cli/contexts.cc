#include "gateway/cli/contexts.h"

#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gateway/cli/text_file.h"
#include "orchestrator/base/status_macros.h"

namespace cli {

namespace {

constexpr char kContextsFile[] = "contexts.yaml";
constexpr char kCredentialsFile[] = "credentials.yaml";

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string TextOf(const YAML::Node& node, const char* key) {
  return node[key] ? node[key].as<std::string>() : "";
}

// Calls `read` with the file's document; a file that is not there is an empty one.
template <typename Read>
absl::Status ReadYaml(const std::string& path, Read read) {
  if (!std::filesystem::exists(path)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  try {
    read(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(path, ":", error.mark.line + 1, ": ", error.msg,
                                                   "; correct the file or delete it"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string Contexts::Directory() {
  if (const std::string own = Environment("CAMPAIGNCTL_CONFIG_DIR"); !own.empty()) return own;
  if (const std::string xdg = Environment("XDG_CONFIG_HOME"); !xdg.empty()) {
    return absl::StrCat(xdg, "/campaignctl");
  }
  const std::string home = Environment("HOME");
  return home.empty() ? "" : absl::StrCat(home, "/.config/campaignctl");
}

absl::StatusOr<Contexts> Contexts::Load(const std::string& directory) {
  Contexts contexts;
  contexts.directory_ = directory;
  if (directory.empty()) return contexts;
  RETURN_IF_ERROR(
      ReadYaml(absl::StrCat(directory, "/", kContextsFile), [&](const YAML::Node& file) {
        contexts.current_ = TextOf(file, "current");
        for (const auto& entry : file["contexts"]) {
          const YAML::Node& node = entry.second;
          contexts.all_[entry.first.as<std::string>()] = {
              .address = TextOf(node, "address"),
              .ns = TextOf(node, "namespace"),
              .tls = node["tls"] && node["tls"].as<bool>(),
              .tls_ca = TextOf(node, "tls_ca"),
              .tls_certificate = TextOf(node, "tls_cert"),
              .tls_key = TextOf(node, "tls_key")};
        }
      }));
  const std::string credentials = absl::StrCat(directory, "/", kCredentialsFile);
  struct stat about{};
  if (stat(credentials.c_str(), &about) == 0 && (about.st_mode & 077) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(credentials, " can be read by others: chmod 600 it, and get a new token"));
  }
  RETURN_IF_ERROR(ReadYaml(credentials, [&](const YAML::Node& file) {
    for (const auto& entry : file) {
      contexts.all_[entry.first.as<std::string>()].token = TextOf(entry.second, "token");
    }
  }));
  return contexts;
}

absl::Status Contexts::Save() const {
  if (directory_.empty()) {
    return absl::FailedPreconditionError(
        "there is no place for contexts: set HOME or CAMPAIGNCTL_CONFIG_DIR");
  }
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot make ", directory_, ": ", error.message()));
  }
  YAML::Node file;
  YAML::Node tokens;
  file["current"] = current_;
  for (const auto& [name, context] : all_) {
    YAML::Node node;
    const std::pair<const char*, const std::string*> texts[] = {
        {"address", &context.address},
        {"namespace", &context.ns},
        {"tls_ca", &context.tls_ca},
        {"tls_cert", &context.tls_certificate},
        {"tls_key", &context.tls_key}};
    for (const auto& [key, value] : texts) {
      if (!value->empty()) node[key] = *value;
    }
    if (context.tls) node["tls"] = true;
    file["contexts"][name] = node;
    if (!context.token.empty()) tokens[name]["token"] = context.token;
  }
  // A token without its context would be found by nobody; a context without its token asks again.
  RETURN_IF_ERROR(WriteFile(absl::StrCat(directory_, "/", kCredentialsFile),
                            absl::StrCat(YAML::Dump(tokens), "\n"), Secrecy::kSecret));
  return WriteFile(absl::StrCat(directory_, "/", kContextsFile),
                   absl::StrCat(YAML::Dump(file), "\n"));
}

const Context* Contexts::Find(const std::string& name) const {
  const auto found = all_.find(name);
  return found == all_.end() ? nullptr : &found->second;
}

bool Contexts::Remove(const std::string& name) {
  if (current_ == name) current_.clear();
  return all_.erase(name) > 0;
}

}  // namespace cli
