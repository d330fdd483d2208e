// /openapi.json, and /docs, the page that shows it: everything from the program itself, under a
// content security policy that allows nothing else.
//
// Example:
//   openapi::AddPages(&handler);
#pragma once

#include "gateway/rest/rest_handler.h"

namespace openapi {

void AddPages(gateway::RestHandler* handler);

}  // namespace openapi
