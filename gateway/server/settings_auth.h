// Rules that tie the keys of `auth` together. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "gateway/server/settings.h"

namespace server {

// What is wrong, a line for people each ("auth.jwt.issuer: is needed ..."); none: fine.
std::vector<std::string> AuthFaults(const AuthSettings& settings);

}  // namespace server
