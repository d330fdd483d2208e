// UUIDs that follow from a text, for vendors that know a repeated request by one. Pure.
//
// Example:
//   request.headers.emplace_back("Idempotency-Key", wire::UuidOf(workflow_id + "/publish"));
#pragma once

#include <string>
#include <string_view>

namespace wire {

// Version 8 (RFC 9562 section 5.8) of the text's SHA-256: the same in every process and release.
std::string UuidOf(std::string_view text);

}  // namespace wire
