// Filters over lists, asked of a real table.
#include "orchestrator/database/list_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/filter/parser.h"

namespace database {
namespace {

using filter::ListField;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr ListField kFields[] = {{"name", ListField::Type::kText},
                                 {"made", ListField::Type::kTime},
                                 {"size", ListField::Type::kInteger}};

class ListFilterTest : public ::testing::Test {
 protected:
  ListFilterTest() : db_(*Connection::Open({.path = ":memory:"})) {
    EXPECT_TRUE(db_->Exec("CREATE TABLE things (name TEXT NOT NULL, made_us INTEGER NOT NULL, "
                          "size INTEGER NOT NULL); CREATE INDEX by_name ON things (name)")
                    .ok());
  }
  void Add(const std::string& name, absl::Time made = absl::UnixEpoch(), int64_t size = 0) {
    Statement insert = *Statement::Prepare(*db_, "INSERT INTO things VALUES (?, ?, ?)");
    insert.BindText(1, name);
    insert.BindInt(2, absl::ToUnixMicros(made));
    insert.BindInt(3, size);
    EXPECT_TRUE(insert.Run().ok());
  }
  static Condition Of(const std::string& filter) {
    const auto where = filter::ParseFor(kFields, filter);
    EXPECT_TRUE(where.ok()) << where.status();
    return *where == nullptr ? Condition() : ConditionOf(**where, {{"made", "made_us"}});
  }
  // Text of a column of all rows.
  std::vector<std::string> Select(const std::string& select, const std::string& filter,
                                  int column = 0) {
    const Condition condition = Of(filter);
    auto statement = Statement::Prepare(
        *db_, absl::StrCat(select, " FROM things WHERE ", condition.sql, " AND size > ?"));
    EXPECT_TRUE(statement.ok()) << statement.status();
    const int next = Bind(*statement, condition);
    EXPECT_EQ(next, static_cast<int>(condition.values.size()) + 1);
    statement->BindInt(next, -100);
    std::vector<std::string> found;
    while (*statement->Next()) found.push_back(statement->Text(column));
    return found;
  }
  std::vector<std::string> Names(const std::string& filter) {
    return Select("SELECT name", filter);
  }

  std::unique_ptr<Connection> db_;
};

TEST_F(ListFilterTest, FindsWhatItSays) {
  const absl::Time noon = absl::FromCivil(absl::CivilHour(2026, 11, 1, 12), absl::UTCTimeZone());
  Add("ann", noon, 1);
  Add("bob", noon + absl::Hours(1), 2);
  Add("", noon + absl::Hours(2), 3);
  EXPECT_THAT(Names(""), ElementsAre("ann", "bob", ""));
  EXPECT_THAT(Names("name = ann"), ElementsAre("ann"));
  EXPECT_THAT(Names("name != ann"), ElementsAre("bob", ""));
  EXPECT_THAT(Names("name > ann"), ElementsAre("bob"));
  EXPECT_THAT(Names("name:*"), ElementsAre("ann", "bob"));
  EXPECT_THAT(Names("name:o"), ElementsAre("bob"));
  EXPECT_THAT(Names("size <= 2 AND NOT size < 2"), ElementsAre("bob"));
  EXPECT_THAT(Names("made >= 2026-11-01T13:00:00Z AND (name = bob OR size = 3)"),
              ElementsAre("bob", ""));
  EXPECT_THAT(Names("name = \"x' OR 1=1 --\""), IsEmpty());
}

TEST_F(ListFilterTest, APrefixIsOfBytesAndOfNothingElse) {
  for (const char* name : {"a", "ab", "a%", "a_c", "b", "aé", "a\xf4\x8f\xbf\xbf!", "A"}) Add(name);
  EXPECT_THAT(Names("name = \"a*\""),
              ElementsAre("a", "a%", "a_c", "ab", "aé", "a\xf4\x8f\xbf\xbf!"));
  EXPECT_THAT(Names("name = \"a%*\""), ElementsAre("a%"));
  EXPECT_THAT(Names("name = \"aé*\""), ElementsAre("aé"));
  EXPECT_THAT(Names("name != \"a*\""), ElementsAre("b", "A"));
  EXPECT_EQ(Names("name = \"*\"").size(), 8u);
}

TEST_F(ListFilterTest, AnIndexServesEqualityAndPrefixes) {
  for (const char* filter : {"name = \"a*\"", "name = ann",
                             "name = ann AND made > "
                             "2026-11-01T13:00:00Z"}) {
    const auto plan = Select("EXPLAIN QUERY PLAN SELECT *", filter, 3);
    ASSERT_EQ(plan.size(), 1u) << filter;
    EXPECT_THAT(plan[0], HasSubstr("SEARCH things USING INDEX by_name")) << filter;
  }
}

}  // namespace
}  // namespace database
