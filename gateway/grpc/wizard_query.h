// WizardQuery: what a list of wizards asks for, checked: filter, order, and where its page begins.
// Pure; a value.
//
// Example:
//   ASSIGN_OR_RETURN(const WizardQuery query, WizardQuery::Parse(ns, request));
//   auto page = database.Page(query, 51);
//   response.set_next_page_token(query.TokenAfter(page[49]));
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "campaign/v1/service.pb.h"
#include "orchestrator/database/list_filter.h"

namespace gateway {

inline constexpr size_t kOrdersMax = 5;

class WizardQuery {
 public:
  // INVALID_ARGUMENT with every fault (filter, order_by, page_token; a token of another filter or
  // order is one).
  static absl::StatusOr<WizardQuery> Parse(const std::string& ns,
                                           const campaign::v1::ListWizardsRequest& request);

  // "namespace = ? AND ...", over the columns of WizardDatabase.
  const database::Condition& where() const { return where_; }
  // "created_us DESC, wizard_id DESC".
  std::string OrderBySql() const;
  std::string TokenAfter(const campaign::v1::Wizard& last) const;

 private:
  struct Order {
    std::string column;
    bool descending = false;
  };
  absl::Status ReadOrder(const std::string& text);
  absl::Status ReadToken(const std::string& token);

  database::Condition where_;
  std::vector<Order> orders_;  // the last one is the wizard id: no two are equal
  std::string digest_;         // of what a token belongs to
};

}  // namespace gateway
