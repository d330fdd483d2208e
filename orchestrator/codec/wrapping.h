// A payload as bytes within another one. Internal to the codecs. Pure functions; thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "orchestrator/v1/common.pb.h"

namespace codec {

namespace v1 = ::orchestrator::v1;

// The same payload gives the same bytes.
std::string Wrap(const v1::Payload& payload);
absl::Status Unwrap(const std::string& bytes, v1::Payload& payload);

}  // namespace codec
