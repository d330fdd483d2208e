#include "gateway/grpc/wizard_query.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gateway/grpc/ids.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/filter/parser.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

using campaign::v1::Wizard;
using filter::ListField;

constexpr ListField kFields[] = {
    {"status", ListField::Type::kText},        {"created_by", ListField::Type::kText},
    {"campaign_name", ListField::Type::kText}, {"workflow_id", ListField::Type::kText},
    {"create_time", ListField::Type::kTime},   {"update_time", ListField::Type::kTime},
};

const std::map<absl::string_view, absl::string_view>& Columns() {
  static const auto* const kColumns = new std::map<absl::string_view, absl::string_view>{
      {"status", "status"},           {"created_by", "created_by"},
      {"workflow_id", "workflow_id"}, {"campaign_name", "campaign_name"},
      {"create_time", "created_us"},  {"update_time", "updated_us"},
  };
  return *kColumns;
}

bool IsTime(const std::string& column) { return column == "created_us" || column == "updated_us"; }

int64_t Micros(const google::protobuf::Timestamp& time) {
  return absl::ToUnixMicros(history::FromProto(time));
}

std::string ColumnText(const Wizard& wizard, const std::string& column) {
  if (column == "created_us") return absl::StrCat(Micros(wizard.created_at()));
  if (column == "updated_us") return absl::StrCat(Micros(wizard.updated_at()));
  if (column == "status") return wizard.status();
  if (column == "created_by") return wizard.created_by();
  if (column == "campaign_name") return wizard.campaign().campaign_name();
  return wizard.wizard_id();
}

absl::Status OrderError(absl::string_view item) {
  return FieldError(
      "order_by",
      absl::StrCat("\"", std::string(item.substr(0, 100)),
                   "\" is not one of create_time, update_time, campaign_name, status, created_by, "
                   "with \" desc\" behind it if wanted"));
}

}  // namespace

absl::StatusOr<WizardQuery> WizardQuery::Parse(const std::string& ns,
                                               const campaign::v1::ListWizardsRequest& request) {
  WizardQuery query;
  FieldViolations violations;
  query.where_ = {.sql = "namespace = ?", .values = {ns}};
  auto where = filter::ParseFor(kFields, request.filter());
  if (!where.ok()) {
    violations.Add("filter", absl::StripPrefix(where.status().message(), "filter: "));
  } else if (*where != nullptr) {
    database::Condition more = database::ConditionOf(**where, Columns());
    absl::StrAppend(&query.where_.sql, " AND ", more.sql);
    std::move(more.values.begin(), more.values.end(), std::back_inserter(query.where_.values));
  }
  const absl::Status order = query.ReadOrder(request.order_by());
  for (const FieldViolation& v : ViolationsOf(order)) violations.Add(v.field, v.description);
  RETURN_IF_ERROR(violations.ToStatus());
  query.digest_ =
      HashHex(absl::StrCat(ns.size(), "/", ns, request.filter(), "\n", query.OrderBySql()));
  RETURN_IF_ERROR(query.ReadToken(request.page_token()));
  return query;
}

absl::Status WizardQuery::ReadOrder(const std::string& text) {
  std::vector<std::string> items;
  if (!absl::StripAsciiWhitespace(text).empty()) items = absl::StrSplit(text, ',');
  if (items.size() > kOrdersMax) {
    return FieldError("order_by", absl::StrCat("has more than ", kOrdersMax, " fields"));
  }
  for (const std::string& item : items) {
    const std::vector<std::string> words =
        absl::StrSplit(item, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    const bool direction_known =
        words.size() == 1 || (words.size() == 2 && (words[1] == "desc" || words[1] == "asc"));
    const auto column = words.empty() ? Columns().end() : Columns().find(words[0]);
    if (!direction_known || column == Columns().end() || column->first == "workflow_id") {
      return OrderError(item);
    }
    Order order{.column = std::string(column->second),
                .descending = words.size() == 2 && words[1] == "desc"};
    if (std::any_of(orders_.begin(), orders_.end(),
                    [&](const Order& before) { return before.column == order.column; })) {
      return FieldError("order_by", absl::StrCat(words[0], " is there twice"));
    }
    orders_.push_back(std::move(order));
  }
  if (orders_.empty()) orders_.push_back({.column = "created_us", .descending = true});
  orders_.push_back({.column = "wizard_id", .descending = orders_.front().descending});
  return absl::OkStatus();
}

std::string WizardQuery::OrderBySql() const {
  return absl::StrJoin(orders_, ", ", [](std::string* out, const Order& order) {
    absl::StrAppend(out, order.column, order.descending ? " DESC" : " ASC");
  });
}

std::string WizardQuery::TokenAfter(const Wizard& last) const {
  std::vector<std::string> parts = {digest_};
  for (const Order& order : orders_) {
    parts.push_back(absl::WebSafeBase64Escape(ColumnText(last, order.column)));
  }
  return absl::StrJoin(parts, ".");
}

// Those after the values (a, b, id) of the page's last one:
// a > ? OR (a = ? AND (b > ? OR (b = ? AND id > ?))).
absl::Status WizardQuery::ReadToken(const std::string& token) {
  if (token.empty()) return absl::OkStatus();
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  if (parts.size() != orders_.size() + 1 || parts[0] != digest_) {
    return FieldError("page_token",
                      "is not a token that this service gave for this filter and order");
  }
  std::string sql;
  for (size_t i = 0; i < orders_.size(); ++i) {
    std::string text;
    int64_t number = 0;
    const bool time = IsTime(orders_[i].column);
    if (!absl::WebSafeBase64Unescape(parts[i + 1], &text) ||
        (time && !absl::SimpleAtoi(text, &number))) {
      return FieldError("page_token", "is not a token that this service gave");
    }
    const bool last = i + 1 == orders_.size();
    const std::string& column = orders_[i].column;
    absl::StrAppend(&sql, "(", column, orders_[i].descending ? " < ?" : " > ?");
    if (!last) absl::StrAppend(&sql, " OR (", column, " = ? AND ");
    for (int times = last ? 1 : 2; times > 0; --times) {
      if (time) {
        where_.values.emplace_back(number);
      } else {
        where_.values.emplace_back(text);
      }
    }
  }
  sql.append(2 * orders_.size() - 1, ')');
  absl::StrAppend(&where_.sql, " AND ", sql);
  return absl::OkStatus();
}

}  // namespace gateway
