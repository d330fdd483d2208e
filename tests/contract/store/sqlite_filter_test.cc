// Which index leads a filter on SQLite. That the index can serve it is checked by SQLite itself: a
// statement that names one that it cannot use is refused, and the conformance suite runs them all.
#include <gmock/gmock.h>

#include "orchestrator/filter/parser.h"
#include "orchestrator/store/sqlite/filter_sql.h"

namespace contract {
namespace {

using store::RunOrder;
using store::sqlite::CompileQuery;
using store::sqlite::Query;
using testing::HasSubstr;
using testing::Not;

Query QueryOf(const char* text, RunOrder order = RunOrder::kStartTimeDescending) {
  return CompileQuery({.where = filter::Parse(text).value()}, order);
}

TEST(SqliteFilter, TheMostSelectivePartLeads) {
  const struct {
    const char* filter;
    const char* index;
  } kCases[] = {
      {"run_id = x AND workflow_id = y", "runs_run_id"},
      {"workflow_id = y AND status = RUNNING", "runs_workflow"},
      {"workflow_id = \"order-*\"", "runs_workflow"},
      {"status = RUNNING AND Region = eu", "attributes_value"},
      {"patches:fast AND workflow_type = t", "attributes_value"},
      {"parent_workflow_id = p AND status = RUNNING", "runs_parent"},
      {"build_id = b AND status = RUNNING", "runs_build"},
      {"saga_state = COMPENSATION_BLOCKED AND workflow_type = t", "runs_saga"},
      {"status = STUCK AND build_id = b", "runs_status"},
      {"status = COMPLETED AND workflow_type = t", "runs_status"},
      {"workflow_type = t", "runs_type"},
      {"start_time > \"2026-11-01T00:00:00Z\" AND status = COMPLETED", "runs_start"},
      {"close_time > \"2026-11-01T00:00:00Z\"", "runs_close"},
      {"NOT Region = eu", "runs_start"},
      {"status_reason : limit", "runs_start"},
  };
  for (const auto& c : kCases) {
    const Query query = QueryOf(c.filter);
    EXPECT_THAT(query.from, HasSubstr(std::string("INDEXED BY ") + c.index)) << c.filter;
  }
  EXPECT_THAT(QueryOf("status = COMPLETED", RunOrder::kCloseTimeAscending).from,
              HasSubstr("runs_status"));
  EXPECT_THAT(QueryOf("close_time < \"2026-11-01T00:00:00Z\" AND status = COMPLETED",
                      RunOrder::kCloseTimeAscending)
                  .from,
              HasSubstr("runs_close"));
}

TEST(SqliteFilter, AnOrLeadsWhenAllItsSidesDo) {
  const Query both = QueryOf("Region = eu OR patches:fast OR status = STUCK");
  EXPECT_THAT(both.where.text, HasSubstr("UNION ALL"));
  EXPECT_THAT(both.from, Not(HasSubstr("runs_start")));
  const Query one = QueryOf("Region = eu OR status_reason : limit");
  EXPECT_THAT(one.where.text, Not(HasSubstr("UNION ALL")));
  EXPECT_THAT(one.from, HasSubstr("runs_start"));
}

TEST(SqliteFilter, ValuesAreBoundAndNeverPartOfTheText) {
  const Query query = QueryOf("Region = \"x' OR 1=1 --\" AND workflow_id : \"'; DROP TABLE runs\"");
  EXPECT_THAT(query.where.text, Not(HasSubstr("DROP")));
  EXPECT_THAT(query.where.text, Not(HasSubstr("1=1")));
}

}  // namespace
}  // namespace contract
