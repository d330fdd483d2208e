#include "orchestrator/filter/parser.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"

namespace filter {
namespace {

using testing::HasSubstr;

// The tree as text: (and a b), name op value.
std::string Show(const Expression& e) {
  const auto list = [&](const char* word) {
    std::string text = absl::StrCat("(", word);
    for (const Expression& operand : e.operands) absl::StrAppend(&text, " ", Show(operand));
    return text + ")";
  };
  if (e.kind == Expression::Kind::kAnd) return list("and");
  if (e.kind == Expression::Kind::kOr) return list("or");
  if (e.kind == Expression::Kind::kNot) return list("not");
  static constexpr const char* kOps[] = {"=", "<", "<=", ">", ">=", ":"};
  std::string text =
      absl::StrCat(e.field == Field::kAttribute ? e.attribute : std::string(FieldName(e.field)),
                   kOps[static_cast<int>(e.op)]);
  if (e.present) return text + "*";
  if (const auto* s = std::get_if<std::string>(&e.value)) {
    absl::StrAppend(&text, "'", *s, "'", e.prefix ? "*" : "");
  } else if (const auto* i = std::get_if<int64_t>(&e.value)) {
    absl::StrAppend(&text, *i);
  } else if (const auto* d = std::get_if<double>(&e.value)) {
    absl::StrAppend(&text, "double ", *d);
  } else if (const auto* b = std::get_if<bool>(&e.value)) {
    absl::StrAppend(&text, *b ? "true" : "false");
  } else {
    absl::StrAppend(&text, "time ", absl::ToUnixSeconds(std::get<absl::Time>(e.value)));
  }
  return text;
}

std::string Tree(absl::string_view text) {
  const auto parsed = Parse(text);
  if (!parsed.ok()) return std::string(parsed.status().message());
  return *parsed == nullptr ? "all" : Show(**parsed);
}

TEST(Parse, NothingMeansAll) {
  EXPECT_EQ(Tree(""), "all");
  EXPECT_EQ(Tree(" \n\t "), "all");
}

TEST(Parse, Comparisons) {
  EXPECT_EQ(Tree("workflow_id = \"a b\""), "workflow_id='a b'");
  EXPECT_EQ(Tree("workflow_id=a-b"), "workflow_id='a-b'");
  EXPECT_EQ(Tree("workflow_id = 'it\\'s'"), "workflow_id='it's'");
  EXPECT_EQ(Tree("status=STUCK"), "status=3");
  EXPECT_EQ(Tree("status = stuck"), "status=3");
  EXPECT_EQ(Tree("saga_state = \"COMPENSATING\""), "saga_state=2");
  EXPECT_EQ(Tree("Amount != 5"), "(not Amount=5)");
  EXPECT_EQ(Tree("Amount<=-5.5"), "Amount<=double -5.5");
  EXPECT_EQ(Tree("Amount > \"5\""), "Amount>'5'");
  EXPECT_EQ(Tree("Paid = true"), "Paid=true");
  EXPECT_EQ(Tree("Paid = \"true\""), "Paid='true'");
  EXPECT_EQ(Tree("patches:fast"), "patches:'fast'");
  EXPECT_EQ(Tree("Tags:*"), "Tags:*");
  EXPECT_EQ(Tree("Region = \"eu*\""), "Region='eu'*");
  EXPECT_EQ(Tree("Region = eu*"), "Region='eu'*");
  EXPECT_EQ(Tree("Region = \"eu\\*\""), "Region='eu*'");
  EXPECT_EQ(Tree("start_time > \"1970-01-01T00:01:00Z\""), "start_time>time 60");
  EXPECT_EQ(Tree("Due < 1970-01-01T01:01:00+01:00"), "Due<time 60");
}

TEST(Parse, OrBindsTighterThanAnd) {
  EXPECT_EQ(Tree("a = 1 AND b = 2 OR c = 3"), "(and a=1 (or b=2 c=3))");
  EXPECT_EQ(Tree("(a = 1 AND b = 2) OR c = 3"), "(or (and a=1 b=2) c=3)");
  EXPECT_EQ(Tree("NOT a = 1 AND -b = 2"), "(and (not a=1) (not b=2))");
  EXPECT_EQ(Tree("NOT (a = 1 OR b = 2)"), "(not (or a=1 b=2))");
}

TEST(Parse, ErrorsSayWhatAndWhere) {
  const struct {
    const char* text;
    const char* what;
    int place;
  } kWrong[] = {
      {"status", "expected an operator", 7},
      {"status =", "expected a value", 9},
      {"Region = AND a = 1", "expected a value", 10},
      {"status = HAPPY", "RUNNING, PAUSED, STUCK", 10},
      {"status > RUNNING", "does not fit status", 8},
      {"Status = RUNNING", "written \"status\"", 1},
      {"workflowId = x", "written \"workflow_id\"", 1},
      {"a = 1 b = 2", "expected AND, OR or the end", 7},
      {"(a = 1", "not closed", 1},
      {"a = 1)", "closes nothing", 6},
      {"a = 1 AND", "expected a field", 10},
      {"AND a = 1", "expected a field before AND", 1},
      {"a == 1", "not an operator", 3},
      {"a = \"x", "no closing quote", 5},
      {"start_time > yesterday", "not a time", 14},
      {"start_time : \"2026-11-01T00:00:00Z\"", "does not fit", 12},
      {"patches = x", "patches:\"id\"", 9},
      {"run_id = abc*", "no meaning here", 10},
      {"status = STUCK*", "no meaning here", 10},
      {"Paid > true", "compared with =", 8},
      {"5 = 5", "neither a field", 1},
      {"a.b = 5", "neither a field", 1},
      {"a = 1; drop table runs", "unexpected \";\"", 6},
  };
  for (const auto& wrong : kWrong) {
    const auto parsed = Parse(wrong.text);
    ASSERT_TRUE(absl::IsInvalidArgument(parsed.status())) << wrong.text;
    const std::string message(parsed.status().message());
    EXPECT_THAT(message, HasSubstr(wrong.what)) << wrong.text;
    EXPECT_THAT(message, HasSubstr(absl::StrCat("(at character ", wrong.place, ")"))) << wrong.text;
  }
}

TEST(Parse, IsBounded) {
  EXPECT_THAT(Tree(std::string(kBytesMax + 1, ' ')), HasSubstr("limit 8192"));
  std::string many = "a = 1";
  for (int i = 0; i < kComparisonsMax; ++i) many += " OR a = 1";
  EXPECT_THAT(Tree(many), HasSubstr("more than 100 comparisons"));
  EXPECT_THAT(Tree(std::string(100, '(') + "a = 1"), HasSubstr("nested more than 50"));
  std::string dashes;
  for (int i = 0; i < 200; ++i) dashes += "-";
  EXPECT_THAT(Tree(dashes + "a = 1"), HasSubstr("nested more than 50"));
}

TEST(CheckAttributeName, TakesNamesThatFiltersCanSay) {
  for (const char* name : {"Region", "a", "customer-id_2"}) {
    EXPECT_TRUE(CheckAttributeName(name).ok()) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("2x"), std::string("a b"), std::string("a.b"),
        std::string("status"), std::string("Patches"), std::string("NOT"), std::string(65, 'a')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckAttributeName(name))) << name;
  }
}

constexpr ListField kList[] = {{"name", ListField::Type::kText},
                               {"made", ListField::Type::kTime},
                               {"size", ListField::Type::kInteger}};

std::string ListTree(absl::string_view text) {
  const auto parsed = ParseFor(kList, text);
  if (!parsed.ok()) return std::string(parsed.status().message());
  return *parsed == nullptr ? "all" : Show(**parsed);
}

TEST(ParseFor, KnowsItsFieldsAndTheirTypes) {
  EXPECT_EQ(ListTree(" "), "all");
  EXPECT_EQ(ListTree("name = 5"), "name='5'");
  EXPECT_EQ(ListTree("name:\"a b\" AND size >= -5"), "(and name:'a b' size>=-5)");
  EXPECT_EQ(ListTree("name != a* OR NOT made < 1970-01-01T00:00:09Z"),
            "(or (not name='a'*) (not made<time 9))");
  EXPECT_EQ(ListTree("NOT name:*"), "(not name:*)");
}

TEST(ParseFor, SaysWhatIsWrong) {
  EXPECT_THAT(ListTree("status = x"), HasSubstr("unknown field \"status\"; there are name, made"));
  EXPECT_THAT(ListTree("name"), HasSubstr("expected an operator"));
  EXPECT_THAT(ListTree("name ="), HasSubstr("expected a value"));
  EXPECT_THAT(ListTree("made = soon"), HasSubstr("is not a time for made"));
  EXPECT_THAT(ListTree("made:2026-11-01T00:00:00Z"), HasSubstr("does not fit made"));
  EXPECT_THAT(ListTree("size = 1.5"), HasSubstr("is not a whole number for size"));
  EXPECT_THAT(ListTree("size = 1*"), HasSubstr("has no meaning here"));
  EXPECT_THAT(ListTree("name > a*"), HasSubstr("has no meaning here"));
  EXPECT_THAT(ListTree("name:a*"), HasSubstr("has no meaning here"));
  EXPECT_THAT(ListTree("size:*"), HasSubstr("does not fit size"));
}

}  // namespace
}  // namespace filter
