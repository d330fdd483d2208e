#include "gateway/grpc/wizard_database.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

constexpr int kBusyTimeoutMs = 5000;

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS wizards (
  wizard_id TEXT PRIMARY KEY,
  request_id TEXT UNIQUE,
  request_digest TEXT NOT NULL,
  created_us INTEGER NOT NULL,
  wizard BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS wizards_by_age ON wizards (created_us, wizard_id);
)sql";

int64_t CreatedUs(const campaign::v1::Wizard& wizard) {
  return absl::ToUnixMicros(history::FromProto(wizard.created_at()));
}

}  // namespace

// A prepared statement with its parameters bound in order.
class WizardDatabase::Statement {
 public:
  Statement(WizardDatabase* database, const char* sql) : database_(database) {
    code_ = sqlite3_prepare_v2(database->db_, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Text(const std::string& text) {
    if (code_ == SQLITE_OK) {
      code_ = sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                                SQLITE_TRANSIENT);
    }
    return *this;
  }
  Statement& Null() {
    ++bound_;
    return *this;
  }
  Statement& Blob(const std::string& bytes) {
    if (code_ == SQLITE_OK) {
      code_ = sqlite3_bind_blob(statement_, ++bound_, bytes.data(), static_cast<int>(bytes.size()),
                                SQLITE_TRANSIENT);
    }
    return *this;
  }
  Statement& Int(int64_t value) {
    if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, ++bound_, value);
    return *this;
  }
  // True when there is a row.
  absl::StatusOr<bool> Step() {
    if (code_ == SQLITE_OK) {
      const int code = sqlite3_step(statement_);
      if (code == SQLITE_ROW) return true;
      if (code == SQLITE_DONE) return false;
    }
    return database_->Error("reading or writing wizards");
  }
  std::string Bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    return std::string(static_cast<const char*>(data),
                       static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
  }
  int64_t Integer(int column) const { return sqlite3_column_int64(statement_, column); }
  absl::StatusOr<Wizard> ParseWizard(int column) const {
    Wizard wizard;
    if (!wizard.ParseFromString(Bytes(column))) {
      return absl::DataLossError("a stored wizard cannot be read; restore its file from a backup");
    }
    return wizard;
  }

 private:
  WizardDatabase* const database_;
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
  int bound_ = 0;
};

WizardDatabase::~WizardDatabase() { sqlite3_close(db_); }

absl::Status WizardDatabase::Error(absl::string_view doing) const {
  return absl::UnavailableError(
      absl::StrCat(doing, ": ", db_ == nullptr ? "not open" : sqlite3_errmsg(db_)));
}

absl::Status WizardDatabase::Execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Error(sql);
  return absl::OkStatus();
}

absl::Status WizardDatabase::Open(const std::string& path) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &db_, flags, nullptr) != SQLITE_OK) {
    return Error(absl::StrCat("opening ", path));
  }
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  RETURN_IF_ERROR(Execute("PRAGMA journal_mode=WAL"));
  RETURN_IF_ERROR(Execute("PRAGMA synchronous=FULL"));
  return Execute(kSchema);
}

absl::Status WizardDatabase::Insert(const Wizard& wizard, const std::string& request_id,
                                    const std::string& request_digest) {
  Statement insert(this, "INSERT INTO wizards VALUES (?, ?, ?, ?, ?)");
  insert.Text(wizard.wizard_id());
  if (request_id.empty()) {
    insert.Null();
  } else {
    insert.Text(request_id);
  }
  insert.Text(request_digest).Int(CreatedUs(wizard)).Blob(wizard.SerializeAsString());
  return insert.Step().status();
}

absl::StatusOr<std::optional<WizardDatabase::Created>> WizardDatabase::FindByRequest(
    const std::string& request_id) {
  Statement select(this, "SELECT wizard, request_digest FROM wizards WHERE request_id = ?");
  select.Text(request_id);
  ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return std::optional<Created>();
  ASSIGN_OR_RETURN(Wizard wizard, select.ParseWizard(0));
  return std::optional<Created>(Created{std::move(wizard), select.Bytes(1)});
}

absl::StatusOr<WizardDatabase::Wizard> WizardDatabase::Load(const std::string& wizard_id) {
  Statement select(this, "SELECT wizard FROM wizards WHERE wizard_id = ?");
  select.Text(wizard_id);
  ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) return absl::NotFoundError(absl::StrCat("no wizard ", wizard_id));
  return select.ParseWizard(0);
}

absl::Status WizardDatabase::Save(const Wizard& wizard) {
  Statement update(this, "UPDATE wizards SET wizard = ? WHERE wizard_id = ?");
  update.Blob(wizard.SerializeAsString()).Text(wizard.wizard_id());
  return update.Step().status();
}

absl::StatusOr<std::vector<WizardDatabase::Wizard>> WizardDatabase::Page(
    int64_t before_created_us, const std::string& before_wizard_id, int limit) {
  Statement select(this,
                   "SELECT wizard FROM wizards WHERE (created_us, wizard_id) < (?, ?) "
                   "ORDER BY created_us DESC, wizard_id DESC LIMIT ?");
  select.Int(before_created_us).Text(before_wizard_id).Int(limit);
  std::vector<Wizard> wizards;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return wizards;
    ASSIGN_OR_RETURN(Wizard wizard, select.ParseWizard(0));
    wizards.push_back(std::move(wizard));
  }
}

absl::StatusOr<int64_t> WizardDatabase::Count() {
  Statement count(this, "SELECT count(*) FROM wizards");
  RETURN_IF_ERROR(count.Step().status());
  return count.Integer(0);
}

}  // namespace gateway
