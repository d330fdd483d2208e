// Reads cron expressions. Used by cron.cc only.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "orchestrator/cron/cron.h"

namespace cron {

class Parser {
 public:
  static absl::StatusOr<Cron> Parse(absl::string_view text);

 private:
  static absl::Status ReadZone(absl::string_view* text, Cron* cron);
  static absl::Status ReadFields(absl::string_view text, Cron* cron);
  static absl::Status CheckThatADayMatches(const Cron& cron);
};

}  // namespace cron
