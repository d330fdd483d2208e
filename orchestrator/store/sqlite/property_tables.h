// The write side of what runs are found by: properties (search attributes, memo, patches), the
// index over their values, the numbers of builds, and the counts of versions.
//
// Thread-safety: externally synchronised; part of a Writer's transactions.
//
// Example:
//   ASSIGN_OR_RETURN(const int64_t build, tables.BuildNumber(row.build_id));
//   RETURN_IF_ERROR(tables.Write(row_id, row));
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/database/statement.h"
#include "orchestrator/store/store.h"

namespace store::sqlite {

// Changes of version_counts that a batch makes. Its views must live as long.
class VersionChanges {
 public:
  // namespace, kind, id, workflow type
  using Key = std::tuple<absl::string_view, int, absl::string_view, absl::string_view>;
  struct Change {
    int64_t open = 0;
    int64_t closed = 0;
  };
  void Add(const Key& key, bool open, int64_t by) {
    Change& change = changes_[key];
    (open ? change.open : change.closed) += by;
  }
  const absl::flat_hash_map<Key, Change>& changes() const { return changes_; }

 private:
  absl::flat_hash_map<Key, Change> changes_;
};

class PropertyTables {
 public:
  absl::Status Prepare(database::Connection& db);

  // Gives a new build a number; 0 for the empty one.
  absl::StatusOr<int64_t> BuildNumber(const std::string& build_id);
  // The reverse; the text lives as long as this object.
  absl::string_view BuildId(int64_t number) const;
  // Reads the builds again: after a transaction that was rolled back.
  absl::Status Reload();

  absl::StatusOr<std::vector<std::string>> ReadPatches(int64_t row_id);
  // Makes the stored properties those of the row.
  absl::Status Write(int64_t row_id, const RunRow& row);
  absl::Status Remove(int64_t row_id);
  absl::Status WriteVersions(const VersionChanges& versions);

 private:
  absl::Status WriteProperties(int64_t row_id, const RunProperties& properties);

  database::Statement all_builds_, insert_build_;
  database::Statement patches_, put_, remove_, put_value_, remove_values_, count_;
  std::map<std::string, int64_t> numbers_;
  std::map<int64_t, std::string> builds_;
  std::string last_build_;  // runs mostly have the same
  int64_t last_number_ = 0;
};

// The stored form of properties in three columns: search attributes, memo, patches.
struct StoredProperties {
  std::string attributes;
  std::string memo;
  std::string patches;
};
StoredProperties EncodeProperties(const RunProperties& properties);

}  // namespace store::sqlite
