// The table of rules: complete is what the build checks (permissions_check); here, that it is sane.
#include "gateway/auth/permissions.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/auth/roles.h"

namespace auth {
namespace {

TEST(Permissions, EveryRuleIsFoundByItsName) {
  for (const Rule& rule : Rules()) EXPECT_EQ(FindRule(rule.name), &rule) << rule.name;
  EXPECT_EQ(FindRule("campaign.v1.CampaignService.DropTables"), nullptr);
  EXPECT_EQ(FindRule(""), nullptr);
}

TEST(Permissions, WhatChangesThingsIsNotForViewers) {
  for (const Rule& rule : Rules()) {
    const bool method = absl::StrContains(rule.name, "Service.");
    if (!method) continue;
    EXPECT_EQ(rule.access, Access::kCredential) << rule.name;
    const absl::string_view name = rule.name.substr(rule.name.rfind('.') + 1);
    const bool reads = absl::StartsWith(name, "Get") || absl::StartsWith(name, "List") ||
                       absl::StartsWith(name, "Watch") || absl::StartsWith(name, "Count") ||
                       absl::StartsWith(name, "Query") || absl::StartsWith(name, "Validate") ||
                       absl::StartsWith(name, "Preview") || absl::StartsWith(name, "Verify") ||
                       absl::StartsWith(name, "Export");
    if (!reads) EXPECT_GE(rule.role, Role::kEditor) << rule.name;
    if (rule.group == "operate" || rule.group == "access") {
      EXPECT_EQ(rule.role, Role::kAdmin) << rule.name;
    }
  }
}

TEST(Permissions, NobodyWithoutACredentialReadsAnythingButHealthAndDocuments) {
  for (const Rule& rule : Rules()) {
    if (rule.access != Access::kOpen) continue;
    const bool harmless = rule.name == "GET /healthz" || rule.name == "GET /readyz" ||
                          absl::StartsWith(rule.name, "GET /docs") ||
                          rule.name == "GET /openapi.json" ||
                          absl::StartsWith(rule.name, "POST /webhooks/");
    EXPECT_TRUE(harmless) << rule.name;
  }
}

TEST(Permissions, TheDocumentHoldsTheTable) {
  std::ifstream file(SOURCE_DIRECTORY "/docs/security.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  ASSERT_FALSE(text.empty());
  for (const Rule& rule : Rules()) {
    const char* role = rule.access == Access::kOpen ? "open"
                       : rule.role == Role::kNone   ? "any caller"
                                                    : RoleName(rule.role);
    const std::string row =
        absl::StrCat("| `", std::string(rule.name), "` | ", role, " | ", std::string(rule.group),
                     " | ", rule.scope == Scope::kServer ? "server" : "namespace", " |");
    EXPECT_TRUE(absl::StrContains(text, row)) << row;
  }
}

TEST(Roles, AreOrderedAndHaveNames) {
  EXPECT_LT(Role::kNone, Role::kViewer);
  EXPECT_LT(Role::kViewer, Role::kEditor);
  EXPECT_LT(Role::kEditor, Role::kAdmin);
  for (const Role role : {Role::kViewer, Role::kEditor, Role::kAdmin}) {
    EXPECT_EQ(ParseRole(RoleName(role)), role);
  }
  EXPECT_EQ(ParseRole("none"), std::nullopt);
  EXPECT_EQ(ParseRole("Admin"), std::nullopt);
}

}  // namespace
}  // namespace auth
