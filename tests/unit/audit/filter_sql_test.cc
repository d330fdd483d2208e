#include "gateway/audit/filter_sql.h"

#include <gtest/gtest.h>

#include "gateway/audit/audit_database.h"
#include "tests/support/temporary_folder.h"

namespace audit {
namespace {

TEST(ToSql, BindsEveryValue) {
  const auto where =
      ToSql("actor = \"o'neil; DROP TABLE events\" AND (outcome != OK OR sequence > 5)");
  ASSERT_TRUE(where.ok()) << where.status();
  EXPECT_EQ(where->sql, "((actor = ?) AND (NOT (outcome = ?) OR (sequence > ?)))");
  ASSERT_EQ(where->values.size(), 3);
  EXPECT_EQ(std::get<std::string>(where->values[0]), "o'neil; DROP TABLE events");
  EXPECT_EQ(std::get<int64_t>(where->values[2]), 5);
}

TEST(ToSql, EmptyIsEverything) {
  EXPECT_EQ(ToSql("")->sql, "1");
  EXPECT_EQ(ToSql("  ")->sql, "1");
}

TEST(ToSql, TimesPrefixesAndParts) {
  const auto where = ToSql(
      "time >= \"2026-11-01T00:00:00Z\" AND subject = \"workflow/*\" AND detail:\"price\" AND "
      "namespace = eu AND correlation_id = 17");
  ASSERT_TRUE(where.ok()) << where.status();
  EXPECT_EQ(where->sql,
            "((time_us >= ?) AND (subject >= ? AND subject < ?) AND (instr(detail, ?) > 0) "
            "AND (namespace = ?) AND (correlation_id = ?))");
  EXPECT_EQ(std::get<int64_t>(where->values[0]), 1793491200000000);
  EXPECT_EQ(std::get<std::string>(where->values[5]), "17");
  EXPECT_EQ(ToSql("correlation_id:*")->sql, "(correlation_id <> '')");
}

// Every field is a column of the file.
TEST(ToSql, IsUnderstoodByTheFile) {
  const test::TemporaryFolder folder;
  auto database = AuditDatabase::Open(folder.File("audit.db"));
  ASSERT_TRUE(database.ok()) << database.status();
  for (const char* filter :
       {"sequence = 1 AND started_by = 1 AND time > \"2026-11-01T00:00:00Z\"",
        "action = x AND actor = x AND address = x AND credential = x AND correlation_id = x",
        "detail:x AND namespace = x AND outcome = x AND subject = \"x*\""}) {
    const auto read = (*database)->Read({.where = *ToSql(filter)});
    EXPECT_TRUE(read.ok()) << filter << read.status();
  }
}

TEST(ToSql, SaysWhatIsWrong) {
  for (const char* wrong : {"actr = \"ann\"", "status = RUNNING", "time = 5", "sequence = \"x\"",
                            "time:*", "actor ="}) {
    const auto where = ToSql(wrong);
    EXPECT_EQ(where.status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
  EXPECT_NE(ToSql("actr = \"ann\"").status().message().find("there are sequence, started_by"),
            std::string::npos);
}

}  // namespace
}  // namespace audit
