// What campaignctl says when something fails, and its exit codes. Pure but for printing.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace cli {

enum ExitCode {
  kOk = 0,
  kEndedBadly = 1,  // watch and result: the campaign failed, was canceled, ...
  kUsage = 2,       // wrong use or invalid input
  kNotFound = 3,
  kConflict = 4,     // the state forbids it: already decided, still running, closed
  kUnavailable = 5,  // server unreachable or failing, or a time-out
  kMismatch = 6,     // replay: the code does not match a history; audit verify: not intact
};

ExitCode ExitCodeOf(const absl::Status& status);

// "error: ...", a line for each field violation, and what to do next. `address` is the server's;
// `command` is the one that failed, of the program's own ("schedule", not "pause").
std::string ErrorText(const absl::Status& status, const std::string& address,
                      const std::string& command = "");

// The exit codes for --help.
extern const char kExitCodesHelp[];

}  // namespace cli
