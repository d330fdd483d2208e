#include "gateway/cli/human.h"

#include <gtest/gtest.h>

#include "gateway/cli/table.h"

namespace cli {
namespace {

TEST(Human, Durations) {
  EXPECT_EQ(HumanDuration(absl::Milliseconds(420)), "0.4s");
  EXPECT_EQ(HumanDuration(absl::Seconds(12)), "12s");
  EXPECT_EQ(HumanDuration(absl::Seconds(200)), "3m 20s");
  EXPECT_EQ(HumanDuration(absl::Minutes(125)), "2h 05m");
  EXPECT_EQ(HumanDuration(absl::Hours(76)), "3d 4h");
}

TEST(Human, LinesAreCutByCharactersAndHoldNoControls) {
  EXPECT_EQ(OneLine("a\nb\x1b[31mc", 100), "a b [31mc");
  EXPECT_EQ(OneLine("ééééééé", 5), "éé...");
  EXPECT_EQ(Width("é€"), 2u);
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"A", "B"});
  table.Add({"éé", "x"});
  table.Add({"long one", ""});
  EXPECT_EQ(table.Text(), "A         B\néé        x\nlong one\n");
  EXPECT_EQ(Pairs({{"a", "1"}, {"empty", ""}, {"bc", "2"}}), "a   1\nbc  2\n");
}

}  // namespace
}  // namespace cli
