// Goal: under random errors, resets and lost answers in every call, what a campaign publishes
// exists once, and nothing of it is left after the undo. Method: repeat each step as the engine
// would until it succeeds, for several seeds; then look at what the vendors hold.
#include "activities/connectors/buffer/buffer_client.h"
#include "activities/connectors/github/github_client.h"
#include "activities/connectors/sendgrid/sendgrid_client.h"
#include "tests/contract/connectors/fixture.h"

namespace connector_test {
namespace {

constexpr int kAttemptsMax = 60;

class StormTest : public SandboxTest, public testing::WithParamInterface<int> {
 protected:
  StormTest() {
    for (const char* kind : {"error", "reset", "lost_response"}) {
      for (const char* vendor : {"github", "sendgrid", "buffer"}) {
        AddFault(
            Json{{"vendor", vendor}, {"kind", kind}, {"rate", 0.12}, {"seed", GetParam()}}.dump());
      }
    }
  }
  // Runs the step until it succeeds; false when it never does.
  template <typename Step>
  bool Persist(Step step) {
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      if (step()) return true;
    }
    return false;
  }
  static base::Task<base::Done> Write(std::vector<std::string>* journal,
                                      std::vector<std::string> batch_ids) {
    *journal = std::move(batch_ids);
    co_return base::Unit{};
  }
};

TEST_P(StormTest, GithubLeavesOneAndThenNone) {
  github::GithubClient client(outbound(), {.base_url = url("/github"),
                                           .token = "t-1234567",
                                           .owner = "acme",
                                           .repo = "site",
                                           .pages_branch = "main"});
  const github::PullRequestSpec spec{.branch = "campaign/wf-1",
                                     .title = "Spring",
                                     .files = {{"content/wf-1.md", "Hello"}},
                                     .date = absl::FromUnixSeconds(1'767'225'600)};
  EXPECT_TRUE(Persist([&] { return Run(client.EnsurePullRequest(spec, Context("wf-1"))).ok(); }));
  EXPECT_TRUE(Persist([&] {
    return Run(client.EnsurePage("campaigns/wf-1.html", "<h1>Hi</h1>", "Add", Context("wf-1")))
        .ok();
  }));
  ClearFaults();
  EXPECT_EQ(AliveCount("github", "pull"), 1);
  EXPECT_EQ(AliveCount("github", "page"), 1);
  EXPECT_TRUE(Resources("github")["duplicates"].empty());
  AddFault(
      Json{{"vendor", "github"}, {"kind", "lost_response"}, {"rate", 0.3}, {"seed", 5}}.dump());
  EXPECT_TRUE(Persist([&] {
    return Run(client.DeletePage("campaigns/wf-1.html", "", "Remove", Context("wf-1"))).ok();
  }));
  EXPECT_TRUE(Persist(
      [&] { return Run(client.ClosePullRequestsOf("campaign/wf-1", Context("wf-1"))).ok(); }));
  EXPECT_TRUE(
      Persist([&] { return Run(client.DeleteBranch("campaign/wf-1", Context("wf-1"))).ok(); }));
  ClearFaults();
  EXPECT_EQ(AliveCount("github", "pull"), 0);
  EXPECT_EQ(AliveCount("github", "page"), 0);
  EXPECT_EQ(AliveCount("github", "branch"), 0);
}

TEST_P(StormTest, SendgridSendsOnceOrNever) {
  sendgrid::SendgridClient client(outbound(), {.base_url = url("/sendgrid"), .token = "SG.12345"});
  const absl::Time send_at = clock().Now() + absl::Minutes(20);
  for (const std::string& workflow_id : {"wf-sent", "wf-undone"}) {
    std::vector<std::string> journal;
    EXPECT_TRUE(Persist([&] {
      const auto write = [&](std::vector<std::string> ids) {
        return Write(&journal, std::move(ids));
      };
      const sendgrid::Message mail{.from = {"news@example.com", ""},
                                   .to = {{"ann@example.com", ""}},
                                   .subject = "Hi",
                                   .text = "Hello"};
      return Run(client.SendOnce(mail, send_at, journal, write, Context(workflow_id))).ok();
    }));
    if (workflow_id == "wf-sent") continue;
    for (const std::string& batch_id : journal) {
      EXPECT_TRUE(
          Persist([&] { return Run(client.CancelBatch(batch_id, Context(workflow_id))).ok(); }));
    }
  }
  AdvanceClock(absl::Hours(1));
  const Json mails = Resources("sendgrid", "mail");
  std::vector<std::string> sent;
  for (const Json& mail : mails["resources"]) {
    if (mail["state"] == "sent") sent.push_back(mail["workflow_id"]);
  }
  EXPECT_EQ(sent, std::vector<std::string>{"wf-sent"});
}

TEST_P(StormTest, BufferLeavesOneAndThenNone) {
  buffer::BufferClient client(outbound(), {.base_url = url("/buffer"), .token = "buffer-1"});
  const buffer::PostSpec spec{.channel_id = "channel-linkedin",
                              .text = "Hi https://example.com/?utm_id=wf-1",
                              .marker = "utm_id=wf-1",
                              .due_at = clock().Now() + absl::Minutes(15),
                              .since = clock().Now()};
  EXPECT_TRUE(Persist([&] { return Run(client.EnsurePost(spec, Context("wf-1"))).ok(); }));
  EXPECT_EQ(AliveCount("buffer", "post"), 1);
  EXPECT_TRUE(Persist([&] {
    return Run(client.DeletePosts(spec.channel_id, spec.marker, spec.since, Context("wf-1"))).ok();
  }));
  EXPECT_EQ(AliveCount("buffer", "post"), 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, StormTest, testing::Range(1, 4));

}  // namespace
}  // namespace connector_test
