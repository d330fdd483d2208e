// What is wrong with a command line, in words for people. Pure; thread-safe.
//
// Example:
//   std::cerr << "error: " << UsageProblem(app, error);   // there is no command lst; did you mean
//   list?
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace cli {

// `app` has parsed, and ended with `error`.
std::string UsageProblem(const CLI::App& app, const CLI::ParseError& error);

}  // namespace cli
