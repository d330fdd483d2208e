#include "gateway/grpc/validate.h"

#include <gtest/gtest.h>

namespace gateway {
namespace {

size_t Count(const std::function<void(FieldViolations*)>& check) {
  FieldViolations violations;
  check(&violations);
  return violations.total();
}

TEST(Validate, CountsCharactersOfValidUtf8Only) {
  EXPECT_EQ(CountCharacters(""), 0);
  EXPECT_EQ(CountCharacters("aé€😀"), 4);
  for (const char* bad :
       {"\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80", "\xff"}) {
    EXPECT_EQ(CountCharacters(bad), -1);
  }
}

TEST(Validate, WorkflowIds) {
  const auto check = [](const std::string& id) {
    return Count([&](FieldViolations* v) { CheckWorkflowId("workflow_id", id, v); });
  };
  EXPECT_EQ(check("campaign-2c26:x_y.z"), 0u);
  EXPECT_EQ(check(std::string(255, 'a')), 0u);
  for (const std::string& bad : {std::string(), std::string(256, 'a'), std::string("a b"),
                                 std::string("a/b"), std::string("é")}) {
    EXPECT_EQ(check(bad), 1u) << bad;
  }
}

TEST(Validate, Waits) {
  const auto check = [](int64_t seconds, int nanos) {
    google::protobuf::Duration wait;
    wait.set_seconds(seconds);
    wait.set_nanos(nanos);
    return Count([&](FieldViolations* v) { CheckWait(wait, v); });
  };
  EXPECT_EQ(check(0, 0), 0u);
  EXPECT_EQ(check(60, 0), 0u);
  EXPECT_EQ(check(60, 1), 1u);
  EXPECT_EQ(check(-1, 0), 1u);
}

TEST(Validate, C1ControlsAreControls) {
  EXPECT_EQ(Count([](FieldViolations* v) {
              CheckText("f", "a\xc2\x85 b", 10, Presence::kOptional, Lines::kMultiple, v);
            }),
            1u);
}

}  // namespace
}  // namespace gateway
