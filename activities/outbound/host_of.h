// The host that a URL names, with its port. Pure.
//
// Example:
//   HostOf("https://cdn.example.com:8443/a?b")   // "cdn.example.com:8443"
#pragma once

#include <string>

namespace outbound {

// As it is written there; without a user's name.
std::string HostOf(const std::string& url);

}  // namespace outbound
