// What the connectors do for people who review: dialogs, words that only one sees, replies in a
// thread; commits, files and permissions of a pull request.
#include "activities/connectors/github/github_client.h"
#include "activities/connectors/slack/review_message.h"
#include "activities/connectors/slack/slack_client.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"

namespace connector_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kChannel[] = "C0CAMPAIGNS";

class SlackPeopleTest : public SandboxTest {
 protected:
  SlackPeopleTest() {
    Admin("PUT", "/__sandbox/hooks",
          Json{{"slack",
                {{"interactions_url", "http://127.0.0.1:9/x"},  // nobody listens
                 {"commands_url", "http://127.0.0.1:9/x"},
                 {"secret", "s"}}}}
              .dump());
  }
  slack::Posted Post() {
    auto posted = Run(client_.EnsureMessage(
        {.channel = kChannel,
         .text = "ready",
         .blocks_json = slack::ReviewBlocks({.workflow_id = "wf-1", .campaign_name = "Spring"}),
         .marker = "wf-1",
         .since = clock().Now()},
        true, Context("wf-1")));
    EXPECT_TRUE(posted.ok());
    return *posted;
  }
  // Presses a button; "trigger_id" and "response_url" of that press.
  Json Press() {
    return Admin("POST", "/__sandbox/slack/press", R"({"workflow_id":"wf-1","action":"reject"})");
  }
  slack::Message Reply(const slack::Posted& to, const std::string& marker) {
    return {.channel = to.channel,
            .text = "Reminder",
            .marker = marker,
            .since = clock().Now(),
            .thread_ts = to.ts};
  }
  int Count(const std::string& kind) {
    return static_cast<int>(Resources("slack", kind).at("resources").size());
  }
  slack::SlackClient client_{outbound(), {.base_url = url("/slack/api"), .token = "xoxb-test-1"}};
};

TEST_F(SlackPeopleTest, KnowsAUsersAddress) {
  const auto user = Run(client_.GetUser("U012AB3CD", Context("wf-1")));
  ASSERT_TRUE(user.ok()) << user.failure().ToString();
  EXPECT_EQ(user->email, "u012ab3cd@example.com");
  const auto nobody = Run(client_.GetUser("UMISSING", Context("wf-1")));
  ASSERT_FALSE(nobody.ok());
  EXPECT_FALSE(nobody.failure().retryable);
}

TEST_F(SlackPeopleTest, OpensOneDialogAPress) {
  Post();
  const std::string trigger = Press().at("trigger_id");
  const std::string dialog = slack::ReasonDialog("Spring & <more>", R"({"key":"wf-1"})");
  const auto opened = Run(client_.OpenView(trigger, dialog, Context("wf-1")));
  ASSERT_TRUE(opened.ok()) << opened.failure().ToString();
  const auto again = Run(client_.OpenView(trigger, dialog, Context("wf-1")));
  ASSERT_FALSE(again.ok());
  EXPECT_FALSE(again.failure().retryable);
  EXPECT_THAT(again.failure().message, HasSubstr("exchanged_trigger_id"));
  EXPECT_EQ(Count("view"), 1);
}

TEST_F(SlackPeopleTest, ATriggerIsGoodForThreeSeconds) {
  Post();
  const std::string trigger = Press().at("trigger_id");
  AdvanceClock(absl::Seconds(4));
  const auto late =
      Run(client_.OpenView(trigger, slack::ReasonDialog("Spring", "{}"), Context("wf-1")));
  ASSERT_FALSE(late.ok());
  EXPECT_FALSE(late.failure().retryable);
  EXPECT_THAT(late.failure().message, HasSubstr("expired_trigger_id"));
}

TEST_F(SlackPeopleTest, TellsOnePersonByBothWays) {
  Post();
  const std::string response_url = Press().at("response_url");
  for (const auto& told : {Run(client_.PostEphemeral(kChannel, "U1", "too late", Context("wf-1"))),
                           Run(client_.Respond(response_url, "not you", Context("wf-1")))}) {
    ASSERT_TRUE(told.ok()) << told.failure().ToString();
  }
  const Json whispers = Resources("slack", "ephemeral").at("resources");
  ASSERT_EQ(whispers.size(), 2u);
  EXPECT_EQ(whispers[0].at("detail").at("text"), "too late");
  EXPECT_EQ(whispers[1].at("detail").at("text"), "not you");
  EXPECT_EQ(Count("message"), 1) << "nobody else is told";
}

TEST_F(SlackPeopleTest, AnswersNoAddressThatIsNotSlacks) {
  for (const char* address : {"http://127.0.0.1:9/x", "https://hooks.slack.com.evil.com/x", ""}) {
    const auto told = Run(client_.Respond(address, "hello", Context("wf-1")));
    ASSERT_FALSE(told.ok()) << address;
    EXPECT_EQ(told.failure().type, "InvalidRequest") << address;
  }
  EXPECT_EQ(CallCount("slack", "response_url"), 0);
  const auto unknown =
      Run(client_.Respond(url("/slack/api/response/none"), "hello", Context("wf-1")));
  ASSERT_FALSE(unknown.ok());
  EXPECT_FALSE(unknown.failure().retryable);
}

TEST_F(SlackPeopleTest, RepliesOnceInAThread) {
  const slack::Posted posted = Post();
  const auto first =
      Run(client_.EnsureMessage(Reply(posted, "wf-1/reminder-1"), false, Context("wf-1")));
  const auto second =
      Run(client_.EnsureMessage(Reply(posted, "wf-1/reminder-1"), false, Context("wf-1")));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(first->created);
  EXPECT_FALSE(second->created);
  EXPECT_EQ(first->ts, second->ts);
  AddFault(R"({"vendor":"slack","operation":"chat.postMessage","kind":"lost_response","count":1})");
  const auto lost =
      Run(client_.EnsureMessage(Reply(posted, "wf-1/reminder-2"), false, Context("wf-1")));
  ASSERT_TRUE(lost.ok()) << lost.failure().ToString();
  EXPECT_EQ(Count("message"), 3);  // the message and two reminders
}

TEST(ReasonDialog, GivesBackWhatWasTyped) {
  EXPECT_EQ(slack::ReasonOf(R"({"values":{"reason":{"reason":{"value":"too loud"}}}})"),
            "too loud");
  EXPECT_EQ(slack::ReasonOf(R"({"values":{}})"), "");
  EXPECT_EQ(slack::ReasonOf("{"), "");
}

TEST(Mention, KnowsIdentitiesOfDecisions) {
  EXPECT_EQ(slack::Mention("slack:U012AB3CD (ann)"), "<@U012AB3CD>");
  EXPECT_EQ(slack::Mention("slack:<!here> (ann)"), "slack:&lt;!here&gt; (ann)");
  EXPECT_EQ(slack::Mention("github:ann"), "github:ann");
}

class GithubReviewTest : public SandboxTest {
 protected:
  GithubReviewTest() {
    auto pull = Run(client_.EnsurePullRequest(
        {.branch = "campaign/wf-1",
         .title = "Spring",
         .body = "body",
         .files = {{"reviews/wf-1/headline.md", "Run"}, {"reviews/wf-1/tag line.md", "Fast"}},
         .date = absl::FromUnixSeconds(1'767'225'600)},
        Context("wf-1")));
    EXPECT_TRUE(pull.ok()) << pull.failure().ToString();
    pull_ = *pull;
  }
  // Ann edits a file on the branch.
  void Edit(const std::string& text) {
    github::GithubClient ann(outbound(), {.base_url = url("/github"),
                                          .token = "sandbox-user-ann",
                                          .owner = "acme",
                                          .repo = "site",
                                          .pages_branch = "campaign/wf-1",
                                          .author_name = "Ann",
                                          .author_email = "ann@example.com"});
    auto page = Run(ann.EnsurePage("reviews/wf-1/headline.md", text, "better", Context("wf-1")));
    ASSERT_TRUE(page.ok()) << page.failure().ToString();
  }
  github::GithubClient client_{
      outbound(),
      {.base_url = url("/github"), .token = "ghp_test", .owner = "acme", .repo = "site"}};
  github::PullRequest pull_;
};

TEST_F(GithubReviewTest, TellsOurCommitsFromThoseOfOthers) {
  Edit("Run faster");
  const auto commits = Run(client_.ListPullCommits(pull_.number, Context("wf-1")));
  ASSERT_TRUE(commits.ok()) << commits.failure().ToString();
  ASSERT_EQ(commits->size(), 2u);
  EXPECT_TRUE((*commits)[0].ours);
  EXPECT_EQ((*commits)[0].sha, pull_.head_sha);
  EXPECT_FALSE((*commits)[1].ours);
}

TEST_F(GithubReviewTest, ListsAndReadsWhatChanged) {
  Edit("Run faster");
  const auto now = Run(client_.GetPullRequest(pull_.number, Context("wf-1")));
  ASSERT_TRUE(now.ok());
  EXPECT_EQ(now->body, "body");
  EXPECT_EQ(now->author, pull_.author);
  const auto changed = Run(client_.ChangedFiles(pull_.head_sha, now->head_sha, Context("wf-1")));
  ASSERT_TRUE(changed.ok()) << changed.failure().ToString();
  ASSERT_EQ(changed->size(), 1u);
  EXPECT_EQ(changed->front().path, "reviews/wf-1/headline.md");
  EXPECT_FALSE(changed->front().removed);
  const auto read = [&](const std::string& path, const std::string& ref) {
    auto text = Run(client_.ReadFile(path, ref, Context("wf-1")));
    EXPECT_TRUE(text.ok()) << text.failure().ToString();
    return text.ok() && text->has_value() ? **text : "(none)";
  };
  EXPECT_EQ(read("reviews/wf-1/headline.md", now->head_sha), "Run faster");
  EXPECT_EQ(read("reviews/wf-1/headline.md", pull_.head_sha), "Run");
  EXPECT_EQ(read("reviews/wf-1/tag line.md", "campaign/wf-1"), "Fast");
  EXPECT_EQ(read("reviews/wf-1/none.md", now->head_sha), "(none)");
}

TEST_F(GithubReviewTest, KnowsWhoMayWrite) {
  EXPECT_TRUE(*Run(client_.MayWrite("ann", Context("wf-1"))));
  EXPECT_FALSE(*Run(client_.MayWrite("reader-tom", Context("wf-1"))));
  EXPECT_FALSE(*Run(client_.MayWrite("outsider", Context("wf-1"))));
}

}  // namespace
}  // namespace connector_test
