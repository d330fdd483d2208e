#include "orchestrator/store/sqlite/property_tables.h"

#include "orchestrator/base/status_macros.h"
#include "orchestrator/store/properties.h"
#include "orchestrator/store/sqlite/encoding.h"
#include "orchestrator/store/sqlite/filter_sql.h"

namespace store::sqlite {

absl::Status PropertyTables::Prepare(database::Connection& db) {
  const struct {
    database::Statement& statement;
    const char* sql;
  } kAll[] = {
      {all_builds_, "SELECT number, build_id FROM builds"},
      {insert_build_, "INSERT INTO builds (build_id) VALUES (?1) RETURNING number"},
      {patches_, "SELECT patches FROM run_properties WHERE run = ?1"},
      {put_,
       "INSERT OR REPLACE INTO run_properties (run, search_attributes, memo, patches) "
       "VALUES (?1, ?2, ?3, ?4)"},
      {remove_, "DELETE FROM run_properties WHERE run = ?1"},
      {put_value_, "INSERT INTO attributes (run, name, value, started) VALUES (?1, ?2, ?3, ?4)"},
      {remove_values_, "DELETE FROM attributes WHERE run = ?1"},
      {count_,
       "INSERT INTO version_counts (kind, version, workflow_type, namespace, open, closed) "
       "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (kind, version, workflow_type, namespace) "
       "DO UPDATE SET open = open + excluded.open, closed = closed + excluded.closed"},
  };
  for (const auto& [statement, sql] : kAll) {
    ASSIGN_OR_RETURN(statement, database::Statement::Prepare(db, sql));
  }
  return Reload();
}

absl::Status PropertyTables::Reload() {
  numbers_.clear();
  builds_.clear();
  last_build_.clear();
  last_number_ = 0;
  database::Statement::Scope reset(all_builds_);
  while (true) {
    ASSIGN_OR_RETURN(const bool found, all_builds_.Next());
    if (!found) return absl::OkStatus();
    numbers_[all_builds_.Text(1)] = all_builds_.Int(0);
    builds_[all_builds_.Int(0)] = all_builds_.Text(1);
  }
}

absl::StatusOr<int64_t> PropertyTables::BuildNumber(const std::string& build_id) {
  if (build_id == last_build_) return last_number_;
  if (build_id.empty()) return 0;
  int64_t number = 0;
  if (const auto known = numbers_.find(build_id); known != numbers_.end()) {
    number = known->second;
  } else {
    database::Statement::Scope reset(insert_build_);
    insert_build_.BindText(1, build_id);
    ASSIGN_OR_RETURN(const bool inserted, insert_build_.Next());
    if (!inserted) return absl::InternalError("a new build got no number");
    number = insert_build_.Int(0);
    RETURN_IF_ERROR(insert_build_.Next().status());
    numbers_[build_id] = number;
    builds_[number] = build_id;
  }
  last_build_ = build_id;
  last_number_ = number;
  return number;
}

absl::string_view PropertyTables::BuildId(int64_t number) const {
  const auto found = builds_.find(number);
  return found == builds_.end() ? absl::string_view() : absl::string_view(found->second);
}

absl::StatusOr<std::vector<std::string>> PropertyTables::ReadPatches(int64_t row_id) {
  database::Statement::Scope reset(patches_);
  patches_.BindInt(1, row_id);
  ASSIGN_OR_RETURN(const bool found, patches_.Next());
  v1::KeywordList list;
  if (found && !list.ParseFromString(patches_.Text(0))) {
    return absl::DataLossError("the stored patches of a run cannot be read");
  }
  return std::vector<std::string>(list.values().begin(), list.values().end());
}

absl::Status PropertyTables::Write(int64_t row_id, const RunRow& row) {
  remove_values_.BindInt(1, row_id);
  RETURN_IF_ERROR(remove_values_.Run());
  if (row.properties == nullptr) {
    remove_.BindInt(1, row_id);
    return remove_.Run();
  }
  RETURN_IF_ERROR(WriteProperties(row_id, *row.properties));
  for (const IndexedValue& indexed : IndexedValues(row.properties.get())) {
    const std::vector<SqlValue> value = {EncodeAttribute(indexed.value)};
    put_value_.BindInt(1, row_id);
    put_value_.BindText(2, indexed.name);
    BindAll(put_value_, 3, value);
    put_value_.BindInt(4, EncodeTime(row.start_time));
    RETURN_IF_ERROR(put_value_.Run());
  }
  return absl::OkStatus();
}

absl::Status PropertyTables::WriteProperties(int64_t row_id, const RunProperties& properties) {
  const StoredProperties stored = EncodeProperties(properties);
  put_.BindInt(1, row_id);
  put_.BindBlob(2, stored.attributes);
  put_.BindBlob(3, stored.memo);
  put_.BindBlob(4, stored.patches);
  return put_.Run();
}

absl::Status PropertyTables::Remove(int64_t row_id) {
  remove_values_.BindInt(1, row_id);
  RETURN_IF_ERROR(remove_values_.Run());
  remove_.BindInt(1, row_id);
  return remove_.Run();
}

absl::Status PropertyTables::WriteVersions(const VersionChanges& versions) {
  for (const auto& [key, change] : versions.changes()) {
    if (change.open == 0 && change.closed == 0) continue;
    const auto& [ns, kind, id, type] = key;
    count_.BindInt(1, kind);
    count_.BindText(2, id);
    count_.BindText(3, type);
    count_.BindText(4, ns);
    count_.BindInt(5, change.open);
    count_.BindInt(6, change.closed);
    RETURN_IF_ERROR(count_.Run());
  }
  return absl::OkStatus();
}

StoredProperties EncodeProperties(const RunProperties& properties) {
  v1::KeywordList patches;
  for (const std::string& patch : properties.patches) patches.add_values(patch);
  return {.attributes = properties.search_attributes.SerializeAsString(),
          .memo = properties.memo.SerializeAsString(),
          .patches = patches.SerializeAsString()};
}

}  // namespace store::sqlite
