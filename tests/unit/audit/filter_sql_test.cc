#include "gateway/audit/filter_sql.h"

#include <gtest/gtest.h>

namespace audit {
namespace {

TEST(ToSql, BindsEveryValue) {
  const auto where =
      ToSql("actor = \"o'neil; DROP TABLE events\" AND (outcome != OK OR sequence > 5)");
  ASSERT_TRUE(where.ok()) << where.status();
  EXPECT_EQ(where->sql, "((actor = ?1) AND (NOT (outcome = ?2) OR (sequence > ?3)))");
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
            "((time_us >= ?1) AND (subject >= ?2 AND subject < ?3) AND (instr(detail, ?4) > 0) "
            "AND (namespace = ?5) AND (correlation_id = ?6))");
  EXPECT_EQ(std::get<int64_t>(where->values[0]), 1793491200000000);
  EXPECT_EQ(std::get<std::string>(where->values[5]), "17");
}

TEST(ToSql, SaysWhatIsWrong) {
  for (const char* wrong : {"actr = \"ann\"", "status = RUNNING", "time = 5", "sequence = \"x\"",
                            "actor = \"2026-11-01T00:00:00Z\"", "actor ="}) {
    const auto where = ToSql(wrong);
    EXPECT_EQ(where.status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  }
  EXPECT_NE(ToSql("actr = \"ann\"").status().message().find("they are sequence"),
            std::string::npos);
}

}  // namespace
}  // namespace audit
