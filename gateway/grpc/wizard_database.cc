#include "gateway/grpc/wizard_database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/auth/caller.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/durable.h"
#include "orchestrator/database/statement.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

using campaign::v1::Wizard;
using database::Statement;

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS drafts (
  wizard_id TEXT PRIMARY KEY,
  namespace TEXT NOT NULL,
  request_id TEXT,
  request_digest TEXT NOT NULL,
  status TEXT NOT NULL,
  created_by TEXT NOT NULL,
  campaign_name TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  updated_us INTEGER NOT NULL,
  wizard BLOB NOT NULL,
  UNIQUE (namespace, request_id)
);
CREATE INDEX IF NOT EXISTS drafts_by_age ON drafts (namespace, created_us, wizard_id);
CREATE INDEX IF NOT EXISTS drafts_by_change ON drafts (namespace, updated_us, wizard_id);
)sql";

int64_t Micros(const google::protobuf::Timestamp& time) {
  return absl::ToUnixMicros(history::FromProto(time));
}

absl::StatusOr<Wizard> ParseWizard(const Statement& row, int column) {
  Wizard wizard;
  const absl::string_view bytes = row.Bytes(column);
  if (!wizard.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("a stored wizard cannot be read; restore its file from a backup");
  }
  return wizard;
}

absl::Status InsertInto(database::Connection& db, const Wizard& wizard,
                        const std::string& request_id, const std::string& request_digest) {
  ASSIGN_OR_RETURN(
      Statement insert,
      Statement::Prepare(db, "INSERT INTO drafts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const std::string bytes = wizard.SerializeAsString();
  insert.BindText(1, wizard.wizard_id());
  insert.BindText(2, wizard.namespace_());
  if (request_id.empty()) {
    insert.BindNull(3);
  } else {
    insert.BindText(3, request_id);
  }
  insert.BindText(4, request_digest);
  insert.BindText(5, wizard.status());
  insert.BindText(6, wizard.created_by());
  insert.BindText(7, wizard.campaign().campaign_name());
  insert.BindText(8, wizard.workflow_id());
  insert.BindInt(9, Micros(wizard.created_at()));
  insert.BindInt(10, Micros(wizard.updated_at()));
  insert.BindBlob(11, bytes);
  return insert.Run();
}

}  // namespace

absl::Status WizardDatabase::Open(const std::string& path) {
  ASSIGN_OR_RETURN(db_, database::OpenDurable(path, kSchema));
  return MoveOldTable();
}

absl::Status WizardDatabase::MoveOldTable() {
  ASSIGN_OR_RETURN(const int64_t old,
                   db_->QueryInt("SELECT count(*) FROM sqlite_master WHERE name = 'wizards'"));
  if (old == 0) return absl::OkStatus();
  return database::InTransaction(*db_, [this]() -> absl::Status {
    ASSIGN_OR_RETURN(
        Statement rows,
        Statement::Prepare(*db_, "SELECT wizard, request_id, request_digest FROM wizards"));
    while (true) {
      ASSIGN_OR_RETURN(const bool found, rows.Next());
      if (!found) break;
      ASSIGN_OR_RETURN(Wizard wizard, ParseWizard(rows, 0));
      wizard.set_namespace_(auth::kDefaultNamespace);
      RETURN_IF_ERROR(InsertInto(*db_, wizard, rows.Text(1), rows.Text(2)));
    }
    rows.Reset();
    return db_->Exec("DROP TABLE wizards");
  });
}

absl::Status WizardDatabase::Insert(const Wizard& wizard, const std::string& request_id,
                                    const std::string& request_digest) {
  return InsertInto(*db_, wizard, request_id, request_digest);
}

absl::StatusOr<std::optional<WizardDatabase::Created>> WizardDatabase::FindByRequest(
    const std::string& ns, const std::string& request_id) {
  ASSIGN_OR_RETURN(Statement select, Statement::Prepare(*db_,
                                                        "SELECT wizard, request_digest FROM drafts "
                                                        "WHERE namespace = ? AND request_id = ?"));
  select.BindText(1, ns);
  select.BindText(2, request_id);
  ASSIGN_OR_RETURN(const bool found, select.Next());
  if (!found) return std::optional<Created>();
  ASSIGN_OR_RETURN(Wizard wizard, ParseWizard(select, 0));
  return std::optional<Created>(Created{std::move(wizard), select.Text(1)});
}

absl::StatusOr<Wizard> WizardDatabase::Load(const std::string& ns, const std::string& wizard_id) {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(*db_, "SELECT wizard FROM drafts WHERE wizard_id = ? AND namespace = ?"));
  select.BindText(1, wizard_id);
  select.BindText(2, ns);
  ASSIGN_OR_RETURN(const bool found, select.Next());
  if (!found) return absl::NotFoundError(absl::StrCat("no wizard ", wizard_id));
  return ParseWizard(select, 0);
}

absl::Status WizardDatabase::Save(const Wizard& wizard) {
  ASSIGN_OR_RETURN(Statement update,
                   Statement::Prepare(*db_,
                                      "UPDATE drafts SET status = ?, campaign_name = ?, "
                                      "workflow_id = ?, updated_us = ?, wizard = ? "
                                      "WHERE wizard_id = ?"));
  const std::string bytes = wizard.SerializeAsString();
  update.BindText(1, wizard.status());
  update.BindText(2, wizard.campaign().campaign_name());
  update.BindText(3, wizard.workflow_id());
  update.BindInt(4, Micros(wizard.updated_at()));
  update.BindBlob(5, bytes);
  update.BindText(6, wizard.wizard_id());
  return update.Run();
}

absl::Status WizardDatabase::Delete(const std::string& ns, const std::string& wizard_id) {
  ASSIGN_OR_RETURN(
      Statement remove,
      Statement::Prepare(*db_, "DELETE FROM drafts WHERE wizard_id = ? AND namespace = ?"));
  remove.BindText(1, wizard_id);
  remove.BindText(2, ns);
  return remove.Run();
}

absl::StatusOr<std::vector<Wizard>> WizardDatabase::Page(const WizardQuery& query, int limit) {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(*db_, absl::StrCat("SELECT wizard FROM drafts WHERE ", query.where().sql,
                                            " ORDER BY ", query.OrderBySql(), " LIMIT ", limit)));
  database::Bind(select, query.where());
  std::vector<Wizard> wizards;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Next());
    if (!found) return wizards;
    ASSIGN_OR_RETURN(Wizard wizard, ParseWizard(select, 0));
    wizards.push_back(std::move(wizard));
  }
}

absl::StatusOr<int64_t> WizardDatabase::Count() {
  return db_->QueryInt("SELECT count(*) FROM drafts");
}

}  // namespace gateway
