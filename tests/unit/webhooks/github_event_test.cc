#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway/webhooks/github_hooks.h"

namespace webhooks {
namespace {

using Json = nlohmann::json;
using Kind = GithubEvent::Kind;

constexpr char kRepository[] = "acme/campaigns";

Json Pull() {
  return {{"number", 7}, {"merged", false}, {"head", {{"ref", "campaign/spring"}, {"sha", "abc"}}}};
}

Json Payload(const char* action) {
  return {{"action", action},
          {"repository", {{"full_name", "Acme/Campaigns"}}},
          {"pull_request", Pull()},
          {"sender", {{"login", "ann"}}}};
}

Json Review(const char* state) {
  Json payload = Payload("submitted");
  payload["review"] = {{"id", 9},
                       {"state", state},
                       {"body", "too loud"},
                       {"commit_id", "abc"},
                       {"user", {{"login", "bob"}}}};
  return payload;
}

std::optional<GithubEvent> Read(const char* name, const Json& payload) {
  return ReadGithubEvent(name, payload.dump(), kRepository);
}

TEST(GithubEvent, ReviewsDecide) {
  const auto approved = Read("pull_request_review", Review("approved"));
  ASSERT_TRUE(approved.has_value());
  EXPECT_EQ(approved->kind, Kind::kApprove);
  EXPECT_EQ(approved->login, "bob");
  EXPECT_EQ(approved->commit, "abc");
  EXPECT_EQ(approved->pull_number, 7);
  const auto rejected = Read("pull_request_review", Review("changes_requested"));
  ASSERT_TRUE(rejected.has_value());
  EXPECT_EQ(rejected->kind, Kind::kReject);
  EXPECT_EQ(rejected->comment, "too loud");
}

TEST(GithubEvent, WhatIsNoDecisionDoesNot) {
  EXPECT_FALSE(Read("pull_request_review", Review("commented")).has_value());
  Json edited = Review("approved");
  edited["action"] = "edited";
  EXPECT_FALSE(Read("pull_request_review", edited).has_value());
  EXPECT_FALSE(Read("pull_request", Payload("opened")).has_value());
  EXPECT_FALSE(Read("issues", Payload("closed")).has_value());
  EXPECT_FALSE(Read("ping", Payload("closed")).has_value());
  Json other = Review("approved");
  other["repository"]["full_name"] = "acme/other";
  EXPECT_FALSE(Read("pull_request_review", other).has_value());
  Json branch = Review("approved");
  branch["pull_request"]["head"]["ref"] = "feature";
  EXPECT_FALSE(Read("pull_request_review", branch).has_value());
  EXPECT_FALSE(ReadGithubEvent("push", "[]", kRepository).has_value());
  EXPECT_FALSE(ReadGithubEvent("push", "{", kRepository).has_value());
}

TEST(GithubEvent, ClosingIsAMergeOrARejection) {
  Json closed = Payload("closed");
  const auto close = Read("pull_request", closed);
  ASSERT_TRUE(close.has_value());
  EXPECT_EQ(close->kind, Kind::kClose);
  EXPECT_EQ(close->login, "ann");
  closed["pull_request"]["merged"] = true;
  closed["pull_request"]["merged_by"] = {{"login", "cy"}};
  const auto merge = Read("pull_request", closed);
  ASSERT_TRUE(merge.has_value());
  EXPECT_EQ(merge->kind, Kind::kMerge);
  EXPECT_EQ(merge->login, "cy");
}

TEST(GithubEvent, PushesToACampaignsBranch) {
  Json push = {{"ref", "refs/heads/campaign/spring"},
               {"deleted", false},
               {"repository", {{"full_name", kRepository}}},
               {"sender", {{"login", "ann"}}}};
  const auto event = Read("push", push);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->branch, "campaign/spring");
  push["deleted"] = true;
  EXPECT_FALSE(Read("push", push).has_value());
  push["deleted"] = false;
  push["ref"] = "refs/heads/main";
  EXPECT_FALSE(Read("push", push).has_value());
  push["ref"] = "refs/tags/campaign/spring";
  EXPECT_FALSE(Read("push", push).has_value());
}

}  // namespace
}  // namespace webhooks
