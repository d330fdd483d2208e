// The command line of campaignd. Main thread only.
//
// Example:
//   Flags flags;
//   if (std::optional<int> code = ParseFlags(argc, argv, &flags)) return *code;
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/server/settings.h"

namespace server {

inline constexpr char kVersion[] = CAMPAIGND_VERSION;  // of the project in CMakeLists.txt

struct Flags {
  std::string config;
  bool dev = false;
  std::string sandbox;  // URL; only with dev
  bool print_settings = false;
  bool check = false;
  std::string admin_key;                // name of a key to make, and no more
  std::vector<Sources::Flag> settings;  // flags that are settings
};

// Fills `flags`; returns the exit code when the program should end (--help, --version, mistakes).
std::optional<int> ParseFlags(int argc, char** argv, Flags* flags);

}  // namespace server
