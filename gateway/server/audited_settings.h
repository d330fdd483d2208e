// The settings as the audit trail compares them from start to start, with where each came from.
// Pure; thread-safe.
#pragma once

#include <map>
#include <string>

#include "gateway/audit/audit_log.h"
#include "gateway/server/settings.h"

namespace server {

std::map<std::string, audit::SettingValue> AuditedSettings(const Settings& settings,
                                                           const Provenance& provenance);

}  // namespace server
