// SearchAttributes builds search attributes, typed: for Context::UpsertSearchAttributes and for the
// starts of workflows. It converts to the message.
//
// Not thread-safe; a value.
//
// Example:
//   ctx.UpsertSearchAttributes(
//       sdk::SearchAttributes().Keyword("Region", "eu").Int("Amount", 120).Remove("Draft"));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/history/time.h"
#include "orchestrator/v1/common.pb.h"

namespace sdk {

class SearchAttributes {
 public:
  SearchAttributes& Keyword(const std::string& name, const std::string& value) {
    Field(name).set_keyword(value);
    return *this;
  }
  SearchAttributes& Int(const std::string& name, int64_t value) {
    Field(name).set_int_(value);
    return *this;
  }
  SearchAttributes& Double(const std::string& name, double value) {
    Field(name).set_double_(value);
    return *this;
  }
  SearchAttributes& Bool(const std::string& name, bool value) {
    Field(name).set_bool_(value);
    return *this;
  }
  // Kept to the microsecond.
  SearchAttributes& Datetime(const std::string& name, absl::Time value) {
    *Field(name).mutable_datetime() = history::ToProto(value);
    return *this;
  }
  SearchAttributes& KeywordList(const std::string& name, const std::vector<std::string>& values) {
    auto* list = Field(name).mutable_keyword_list();
    list->clear_values();
    for (const std::string& value : values) list->add_values(value);
    return *this;
  }
  // The run has the attribute no longer.
  SearchAttributes& Remove(const std::string& name) {
    Field(name).clear_value();
    return *this;
  }

  operator ::orchestrator::v1::SearchAttributes() const { return attributes_; }  // NOLINT

 private:
  ::orchestrator::v1::SearchAttribute& Field(const std::string& name) {
    return (*attributes_.mutable_fields())[name];
  }

  ::orchestrator::v1::SearchAttributes attributes_;
};

}  // namespace sdk
