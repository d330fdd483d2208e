// Values of options that several commands read: durations, times, payloads, enumerations. Pure but
// for the files named by "@file". Thread-safe.
//
// Example:
//   RETURN_IF_ERROR(ReadTime("--start", a.start, spec->mutable_start_time()));
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "orchestrator/v1/common.pb.h"

namespace cli {

// INVALID_ARGUMENT names the option and the value. Empty texts are the caller's business.
absl::Status ReadDuration(const std::string& option, const std::string& text,
                          google::protobuf::Duration* value);
// RFC 3339, "2026-11-21T09:30:00+01:00", or a day in UTC, "2026-11-21".
absl::Status ReadTime(const std::string& option, const std::string& text,
                      google::protobuf::Timestamp* value);
// JSON: a payload as REST has it ({"message_type": ..., "value": ...}), else any value, which is
// sent as json/plain. "@file" stands for what the file holds.
absl::Status ReadPayload(const std::string& option, const std::string& text,
                         orchestrator::v1::Payload* payload);
// RUNNING, ...: those that a run may have.
std::vector<std::string> RunStatusNames();
// "buffer-one" -> "BUFFER_ONE".
std::string EnumText(const std::string& text);

}  // namespace cli
