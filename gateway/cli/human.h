// Times and durations for people. Pure; thread-safe.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace cli {

// "0.4s", "12s", "3m 20s", "2h 05m", "3d 4h".
std::string HumanDuration(absl::Duration duration);
// Local time, to the second; empty for an unset time.
std::string HumanTime(absl::Time time);
std::string HumanTime(const google::protobuf::Timestamp& time);
// One line of at most `width` columns (characters), with "..." where it was cut.
std::string OneLine(absl::string_view text, size_t width);
// Characters of UTF-8 text.
size_t Width(absl::string_view text);

}  // namespace cli
