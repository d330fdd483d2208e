// The schema and its versions. A file's version is in `PRAGMA user_version`; `application_id` says
// that the file is ours.
//
// Released steps never change; a new one is added at the end. Steps down are for going back one
// release by hand, and lose what the older schema has no place for.
//
// Example:
//   RETURN_IF_ERROR(CheckSchema(db));                 // before anything is written
//   RETURN_IF_ERROR(MigrateTo(db, kSchemaVersion));
#pragma once

#include "absl/status/status.h"
#include "orchestrator/database/connection.h"

namespace store::sqlite {

// The version that this build reads and writes.
extern const int kSchemaVersion;

// FAILED_PRECONDITION when the file has a newer schema than this build knows, or belongs to
// another application. Reads only.
absl::Status CheckSchema(database::Connection& db);

// Steps up or down to `version`, one transaction a step; safe when several processes do it at once.
absl::Status MigrateTo(database::Connection& db, int version);

}  // namespace store::sqlite
