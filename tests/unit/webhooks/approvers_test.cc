#include "gateway/webhooks/approvers.h"

#include <gtest/gtest.h>

namespace webhooks {
namespace {

TEST(SlackApprovers, AreIdsAddressesDomainsOrEverybody) {
  for (const char* good : {"U012AB3CD", "W9", "ann@example.com", "@example.com", "*"}) {
    EXPECT_EQ(SlackApproverProblem(good), "") << good;
  }
  for (const char* bad : {"", "ann", "u012", "ann@", "a@b@c", "**"}) {
    EXPECT_NE(SlackApproverProblem(bad), "") << bad;
  }
}

TEST(SlackApprovers, AreFoundByIdAddressOrDomain) {
  const std::vector<std::string> approvers = {"U1", "ann@example.com", "@acme.com"};
  EXPECT_TRUE(IsApprover(approvers, "U1", ""));
  EXPECT_FALSE(IsApprover(approvers, "U2", ""));
  EXPECT_TRUE(IsApprover(approvers, "U2", "Ann@Example.com"));
  EXPECT_TRUE(IsApprover(approvers, "U2", "bob@acme.com"));
  EXPECT_FALSE(IsApprover(approvers, "U2", "bob@evilacme.com"));
  EXPECT_FALSE(IsApprover(approvers, "U2", "joann@example.com"));
  EXPECT_FALSE(IsApprover({}, "U1", "ann@example.com"));
  EXPECT_TRUE(IsApprover({"*"}, "U9", ""));
  EXPECT_TRUE(HasAddresses(approvers));
  EXPECT_FALSE(HasAddresses({"U1", "*"}));
}

}  // namespace
}  // namespace webhooks
