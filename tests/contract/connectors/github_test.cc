// GitHub: whatever is lost on the way, one branch, one pull request, one comment, one page; an
// undo twice is fine.
#include "activities/connectors/github/github_client.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"

namespace connector_test {
namespace {

using github::GithubClient;
using github::PullRequest;

class GithubTest : public SandboxTest {
 protected:
  github::PullRequestSpec Spec(const std::string& text = "Hello") {
    return {.branch = "campaign/wf-1",
            .title = "Spring campaign",
            .body = "Please review",
            .files = {{"campaigns/wf-1/email.md", text},
                      {"campaigns/wf-1/banner.png", std::string("\x89PNG\xff\x00\x01", 7)}},
            .date = absl::FromUnixSeconds(1'767'225'600)};
  }
  PullRequest Ensure() {
    auto pull = Run(client_.EnsurePullRequest(Spec(), Context("wf-1")));
    EXPECT_TRUE(pull.ok()) << pull.failure().ToString();
    return pull.ok() ? *pull : PullRequest{};
  }
  GithubClient client_{outbound(),
                       {.base_url = url("/github"),
                        .token = "ghp_contract_test",
                        .owner = "acme",
                        .repo = "site",
                        .pages_branch = "main",
                        .pages_url = "https://acme.example.com"}};
};

TEST_F(GithubTest, OpensOnePullRequestHoweverOftenAsked) {
  const PullRequest first = Ensure();
  const PullRequest second = Ensure();
  EXPECT_GT(first.number, 0);
  EXPECT_TRUE(first.open);
  EXPECT_THAT(first.url, testing::HasSubstr("/pull/"));
  EXPECT_EQ(first.number, second.number);
  EXPECT_EQ(first.head_sha, second.head_sha);
  EXPECT_EQ(AliveCount("github", "pull"), 1);
  EXPECT_EQ(AliveCount("github", "branch"), 1);
}

TEST_F(GithubTest, ABranchRepeatedIsTheSameCommitAndOtherFilesReplaceIt) {
  const auto ensure = [&](const std::string& text) {
    return Run(client_.EnsureBranchWithFiles("campaign/wf-1", Spec(text).files, "Draft",
                                             Spec().date, Context("wf-1")));
  };
  const auto first = ensure("one");
  const auto same = ensure("one");
  const auto other = ensure("two");
  ASSERT_TRUE(first.ok() && same.ok() && other.ok()) << other.failure().ToString();
  EXPECT_EQ(first->sha, same->sha);
  EXPECT_NE(first->sha, other->sha);
  EXPECT_EQ(AliveCount("github", "branch"), 1);
}

struct FaultCase {
  const char* operation;
  const char* kind;
};

class GithubFaultTest : public GithubTest, public testing::WithParamInterface<FaultCase> {};

TEST_P(GithubFaultTest, LeavesExactlyOneOfEach) {
  AddFault(Json{{"vendor", "github"},
                {"operation", GetParam().operation},
                {"kind", GetParam().kind},
                {"count", 2}}
               .dump());
  EXPECT_GT(Ensure().number, 0);
  const auto comment = Run(client_.EnsureComment(Ensure().number, "Done", "k1", Context("wf-1")));
  EXPECT_TRUE(comment.ok()) << comment.failure().ToString();
  EXPECT_EQ(Resources("github", "pull")["resources"].size(), 1u);
  EXPECT_EQ(AliveCount("github", "branch"), 1);
  EXPECT_TRUE(Resources("github")["duplicates"].empty());
}

INSTANTIATE_TEST_SUITE_P(
    Faults, GithubFaultTest,
    testing::Values(
        FaultCase{"pulls.create", "lost_response"}, FaultCase{"pulls.create", "reset"},
        FaultCase{"pulls.create", "error"}, FaultCase{"pulls.create", "malformed"},
        FaultCase{"pulls.create", "rate_limit"}, FaultCase{"git.createRef", "lost_response"},
        FaultCase{"git.createTree", "lost_response"}, FaultCase{"git.createCommit", "error"},
        FaultCase{"git.getRef", "malformed"}, FaultCase{"issues.createComment", "lost_response"},
        FaultCase{"issues.createComment", "reset"}, FaultCase{"issues.createComment", "error"}),
    [](const auto& info) {
      std::string name = std::string(info.param.operation) + "_" + info.param.kind;
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

TEST_F(GithubTest, CommentsOnceByMarker) {
  const int64_t number = Ensure().number;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Run(client_.EnsureComment(number, "Approved", "approved", Context("wf-1"))).ok());
  }
  ASSERT_TRUE(Run(client_.EnsureComment(number, "Published", "published", Context("wf-1"))).ok());
  EXPECT_EQ(Resources("github", "comment")["resources"].size(), 2u);
}

TEST_F(GithubTest, UndoClosesAndDeletesOnceAndSaysWhatWasGone) {
  const int64_t number = Ensure().number;
  AddFault(R"({"vendor":"github","operation":"pulls.update","kind":"lost_response","count":1})");
  AddFault(R"({"vendor":"github","operation":"git.deleteRef","kind":"lost_response","count":1})");
  const auto closed = Run(client_.ClosePullRequest(number, Context("wf-1")));
  ASSERT_TRUE(closed.ok()) << closed.failure().ToString();
  EXPECT_TRUE(*closed);
  const auto deleted = Run(client_.DeleteBranch("campaign/wf-1", Context("wf-1")));
  ASSERT_TRUE(deleted.ok()) << deleted.failure().ToString();
  EXPECT_EQ(AliveCount("github", "pull"), 0);
  EXPECT_EQ(AliveCount("github", "branch"), 0);
  const auto again = Run(client_.ClosePullRequest(number, Context("wf-1")));
  const auto branch_again = Run(client_.DeleteBranch("campaign/wf-1", Context("wf-1")));
  ASSERT_TRUE(again.ok() && branch_again.ok());
  EXPECT_FALSE(*again);
  EXPECT_FALSE(*branch_again);
  const auto unknown = Run(client_.ClosePullRequest(4711, Context("wf-1")));
  ASSERT_TRUE(unknown.ok());
  EXPECT_FALSE(*unknown);
}

TEST_F(GithubTest, UndoFindsThePullRequestByItsBranch) {
  const int64_t number = Ensure().number;
  const auto closed = Run(client_.ClosePullRequestsOf("campaign/wf-1", Context("wf-1")));
  ASSERT_TRUE(closed.ok()) << closed.failure().ToString();
  EXPECT_THAT(*closed, testing::ElementsAre(number));
  const auto again = Run(client_.ClosePullRequestsOf("campaign/wf-1", Context("wf-1")));
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(*again, testing::IsEmpty());
  const auto never = Run(client_.ClosePullRequestsOf("campaign/never", Context("wf-2")));
  ASSERT_TRUE(never.ok());
}

TEST_F(GithubTest, MergesOnceAlsoWhenTheAnswerIsLost) {
  const PullRequest pull = Ensure();
  AddFault(R"({"vendor":"github","operation":"pulls.merge","kind":"lost_response","count":1})");
  for (int i = 0; i < 2; ++i) {
    const auto merged =
        Run(client_.MergePullRequest(pull.number, "Spring (#1)", "", Context("wf-1")));
    ASSERT_TRUE(merged.ok()) << merged.failure().ToString();
  }
  const auto read = Run(client_.GetPullRequest(pull.number, Context("wf-1")));
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(read->merged);
}

TEST_F(GithubTest, ReportsWhatCannotBeMerged) {
  const PullRequest pull = Ensure();
  const auto changed =
      Run(client_.MergePullRequest(pull.number, "", std::string(40, 'a'), Context("wf-1")));
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.failure().type, "HeadChanged");
  ASSERT_TRUE(Run(client_.ClosePullRequest(pull.number, Context("wf-1"))).ok());
  const auto closed = Run(client_.MergePullRequest(pull.number, "", "", Context("wf-1")));
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.failure().type, "NotMergeable");
  EXPECT_FALSE(closed.failure().retryable);
}

TEST_F(GithubTest, UpdatesTheBodyOrSaysItIsGone) {
  const int64_t number = Ensure().number;
  const auto updated = Run(client_.UpdatePullRequestBody(number, "Approved", Context("wf-1")));
  ASSERT_TRUE(updated.ok());
  EXPECT_TRUE(*updated);
  const auto gone = Run(client_.UpdatePullRequestBody(4711, "Approved", Context("wf-1")));
  ASSERT_TRUE(gone.ok());
  EXPECT_FALSE(*gone);
}

TEST_F(GithubTest, PublishesOnePageAndTakesItBack) {
  AddFault(R"({"vendor":"github","operation":"repos.createOrUpdateFileContents",
               "kind":"lost_response","count":2})");
  const auto page = Run(
      client_.EnsurePage("campaigns/spring/index.html", "<h1>Hi</h1>", "Publish", Context("wf-1")));
  ASSERT_TRUE(page.ok()) << page.failure().ToString();
  EXPECT_EQ(page->url, "https://acme.example.com/campaigns/spring/");
  const auto again = Run(
      client_.EnsurePage("campaigns/spring/index.html", "<h1>Hi</h1>", "Publish", Context("wf-1")));
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->changed);
  EXPECT_EQ(AliveCount("github", "page"), 1);

  AddFault(
      R"({"vendor":"github","operation":"repos.deleteFile","kind":"lost_response","count":1})");
  const auto removed =
      Run(client_.DeletePage("campaigns/spring/index.html", "", "Withdraw", Context("wf-1")));
  ASSERT_TRUE(removed.ok()) << removed.failure().ToString();
  EXPECT_TRUE(*removed);
  const auto twice =
      Run(client_.DeletePage("campaigns/spring/index.html", "", "Withdraw", Context("wf-1")));
  ASSERT_TRUE(twice.ok());
  EXPECT_FALSE(*twice);
  EXPECT_EQ(AliveCount("github", "page"), 0);
}

TEST_F(GithubTest, RestoresWhatAPageWasBefore) {
  const auto old = Run(client_.EnsurePage("index.html", "old \xff", "Old", Context("wf-0")));
  const auto page = Run(client_.EnsurePage("index.html", "new", "New", Context("wf-1")));
  ASSERT_TRUE(old.ok() && page.ok());
  EXPECT_EQ(page->replaced_sha, old->sha);
  const auto restored =
      Run(client_.DeletePage("index.html", page->replaced_sha, "Withdraw", Context("wf-1")));
  ASSERT_TRUE(restored.ok()) << restored.failure().ToString();
  const auto same = Run(client_.EnsurePage("index.html", "old \xff", "Old", Context("wf-0")));
  ASSERT_TRUE(same.ok());
  EXPECT_FALSE(same->changed);
}

TEST_F(GithubTest, MakesThePagesBranchWhenThereIsNone) {
  GithubClient pages(
      outbound(),
      {.base_url = url("/github"), .token = "ghp_contract_test", .owner = "acme", .repo = "site"});
  const auto page = Run(pages.EnsurePage("campaigns/x.html", "<h1>Hi</h1>", "Add", Context("wf")));
  ASSERT_TRUE(page.ok()) << page.failure().ToString();
  EXPECT_EQ(page->url, "https://acme.github.io/site/campaigns/x.html");
  const auto removed = Run(pages.DeletePage("campaigns/x.html", "", "Remove", Context("wf")));
  ASSERT_TRUE(removed.ok());
  EXPECT_TRUE(*removed);
}

base::Task<int> PublishMany(GithubClient& client, std::vector<outbound::CallContext> contexts) {
  std::vector<base::Task<base::Outcome<github::Page>>> writes;
  for (const outbound::CallContext& context : contexts) {
    writes.push_back(client.EnsurePage("campaigns/" + context.workflow_id + ".html",
                                       context.workflow_id, "Publish", context));
  }
  std::vector<base::Outcome<github::Page>> pages = co_await base::WhenAll(std::move(writes));
  int published = 0;
  for (const auto& page : pages) published += page.ok();
  co_return published;
}

TEST_F(GithubTest, FiftyPagesAtOnceDoNotConflict) {
  std::vector<outbound::CallContext> contexts;
  for (int i = 0; i < 50; ++i) contexts.push_back(Context("wf-" + std::to_string(i)));
  EXPECT_EQ(Run(PublishMany(client_, contexts)), 50);
  EXPECT_EQ(CallCount("github", "repos.createOrUpdateFileContents"), 50);
}

TEST_F(GithubTest, SaysWhyItMayNot) {
  GithubClient stranger(
      outbound(),
      {.base_url = url("/github"), .token = "invalid-token", .owner = "acme", .repo = "site"});
  const auto pull = Run(stranger.EnsurePullRequest(Spec(), Context("wf-1")));
  ASSERT_FALSE(pull.ok());
  EXPECT_EQ(pull.failure().type, "Unauthorized");
  EXPECT_FALSE(pull.failure().retryable);
  EXPECT_THAT(pull.failure().message, testing::Not(testing::HasSubstr("invalid-token")));
}

TEST_F(GithubTest, LeavesALongRateLimitToTheEngine) {
  AddFault(R"({"vendor":"github","kind":"rate_limit","retry_after_s":90})");
  const auto pull = Run(client_.EnsurePullRequest(Spec(), Context("wf-1")));
  ASSERT_FALSE(pull.ok());
  EXPECT_EQ(pull.failure().type, "RateLimited");
  EXPECT_EQ(pull.failure().retry_after, absl::Seconds(90));
  EXPECT_EQ(CallCount("github"), 1);
}

}  // namespace
}  // namespace connector_test
