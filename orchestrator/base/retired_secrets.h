// Secrets that were replaced, such as tokens that are got anew every hour: the log redacts the
// newest of them for a while and forgets the others, so that what every line is searched for does
// not grow with the time that the process runs. Thread-safe.
//
// Example:
//   RegisterSecret(now);
//   RetireSecret(before);
#pragma once

#include <cstddef>
#include <string_view>

namespace base {

// Of the whole process.
inline constexpr size_t kRetiredSecretsMax = 64;

// Takes one RegisterSecret(secret) back (log.h): after the last of them it is redacted until
// kRetiredSecretsMax others were retired behind it.
void RetireSecret(std::string_view secret);

}  // namespace base
