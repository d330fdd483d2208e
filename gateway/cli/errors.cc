#include "gateway/cli/errors.h"

#include "absl/strings/str_cat.h"
#include "gateway/json/field_violations.h"

namespace cli {

const char kExitCodesHelp[] =
    "Exit codes:\n"
    "  0  done\n"
    "  1  watch, result: the campaign failed, was canceled, terminated or timed out\n"
    "  2  wrong use or invalid input\n"
    "  3  not found\n"
    "  4  the state forbids it (already decided, still running, closed)\n"
    "  5  the server cannot be reached or failed, or a time-out\n"
    "  6  replay: the workflow code does not match a history; audit verify: not intact\n";

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return kUsage;
    case absl::StatusCode::kNotFound:
      return kNotFound;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
      return kConflict;
    default:
      return kUnavailable;
  }
}

namespace {

// What shows the things that the command is about.
std::string WhatThereIs(const std::string& command) {
  if (command == "saga") {
    return "`campaignctl saga show WORKFLOW_ID` shows a run's steps, `campaignctl list` what runs "
           "there are";
  }
  for (const char* group : {"schedule", "batch", "breakers", "keys", "users"}) {
    if (command == group) return absl::StrCat("`campaignctl ", group, " list` shows what there is");
  }
  return "`campaignctl list` and `campaignctl wizard list` show what there is";
}

std::string NextStep(const absl::Status& status, const std::string& address,
                     const std::string& command) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return "correct the input and try again; `campaignctl COMMAND --help` shows an example";
    case absl::StatusCode::kNotFound:
      return WhatThereIs(command);
    case absl::StatusCode::kUnauthenticated:
      return "give an API key or a token: `campaignctl login`, CAMPAIGNCTL_TOKEN or --token-file";
    case absl::StatusCode::kPermissionDenied:
      return "`campaignctl whoami` shows what your credential may do";
    case absl::StatusCode::kUnavailable:
      return absl::StrCat("is campaignd running at ", address,
                          "? Give --address or CAMPAIGNCTL_ADDRESS for another");
    case absl::StatusCode::kDeadlineExceeded:
      return "the call may have had its effect; look before repeating it, or give a longer "
             "--timeout";
    case absl::StatusCode::kResourceExhausted:
      return "wait a little and try again";
    default:
      return "";
  }
}

}  // namespace

std::string ErrorText(const absl::Status& status, const std::string& address,
                      const std::string& command) {
  const auto violations = gateway::ViolationsOf(status);
  std::string text;
  if (violations.empty()) {
    absl::StrAppend(&text, "error: ", std::string(status.message()), "\n");
  } else {
    absl::StrAppend(&text, "error: ", violations.size(),
                    violations.size() == 1 ? " field is wrong\n" : " fields are wrong\n");
    for (const auto& violation : violations) {
      absl::StrAppend(&text, "  ", violation.field, " ", violation.description, "\n");
    }
  }
  const std::string next = NextStep(status, address, command);
  if (!next.empty()) absl::StrAppend(&text, "next: ", next, "\n");
  return text;
}

}  // namespace cli
