// GitHub as a client sees it: git data, pull requests, contents.

#include <gtest/gtest.h>

#include "tests/sandbox/test/process.h"

namespace sandbox {
namespace {

constexpr char kRepo[] = "/github/repos/acme/site";

class GitHubTest : public ::testing::Test {
 protected:
  std::string Head(const std::string& branch) {
    return sandbox_.Call("GET", Path("/git/ref/heads%2F" + branch)).json()["object"]["sha"];
  }

  std::string Path(const std::string& rest) { return kRepo + rest; }

  // A commit on top of main that puts `text` at `path`, with fixed dates.
  std::string Commit(const std::string& path, const std::string& text) {
    const std::string main = Head("main");
    const Json blob =
        sandbox_.Call("POST", Path("/git/blobs"), {{"content", text}, {"encoding", "utf-8"}})
            .json();
    const Json entry = {{"path", path}, {"mode", "100644"}, {"type", "blob"}, {"sha", blob["sha"]}};
    const Json tree =
        sandbox_
            .Call("POST", Path("/git/trees"), {{"base_tree", main}, {"tree", Json::array({entry})}})
            .json();
    const Json person = {
        {"name", "bot"}, {"email", "bot@example.com"}, {"date", "2026-01-02T03:04:05Z"}};
    return sandbox_
        .Call("POST", Path("/git/commits"),
              {{"message", "add " + path},
               {"tree", tree["sha"]},
               {"parents", Json::array({main})},
               {"author", person},
               {"committer", person}})
        .json()["sha"];
  }

  Answer CreateBranch(const std::string& name, const std::string& sha) {
    return sandbox_.Call("POST", Path("/git/refs"), {{"ref", "refs/heads/" + name}, {"sha", sha}});
  }

  Answer CreatePull(const std::string& head) {
    return sandbox_.Call("POST", Path("/pulls"),
                         {{"title", "Spring"}, {"head", head}, {"base", "main"}, {"body", "b"}});
  }

  Process sandbox_;
};

TEST_F(GitHubTest, ObjectsHaveGitsOwnShas) {
  const Json blob =
      sandbox_.Call("POST", Path("/git/blobs"), {{"content", "hello\n"}, {"encoding", "utf-8"}})
          .json();
  EXPECT_EQ(blob["sha"], "ce013625030ba8dba906f756967f9e9ca394464a");
  EXPECT_EQ(Commit("campaigns/a.md", "x"), Commit("campaigns/a.md", "x"));
}

TEST_F(GitHubTest, ReferencesAreUnique) {
  const std::string sha = Commit("campaigns/a.md", "x");
  EXPECT_EQ(CreateBranch("c1", sha).status, 201);
  const Answer again = CreateBranch("c1", sha);
  EXPECT_EQ(again.status, 422);
  EXPECT_EQ(again.json()["message"], "Reference already exists");
  EXPECT_EQ(sandbox_.Call("DELETE", Path("/git/refs/heads%2Fc1")).status, 204);
  EXPECT_EQ(sandbox_.Call("DELETE", Path("/git/refs/heads/c1")).status, 422);
  EXPECT_EQ(CreateBranch("c2", std::string(40, '0')).json()["message"], "Object does not exist");
}

TEST_F(GitHubTest, SecondPullRequestOfABranchIsRefused) {
  CreateBranch("c1", Commit("campaigns/a.md", "x"));
  ASSERT_EQ(CreatePull("c1").status, 201);
  const Answer again = CreatePull("c1");
  EXPECT_EQ(again.status, 422);
  EXPECT_EQ(again.json()["errors"][0]["message"], "A pull request already exists for acme:c1.");
  const Json list = sandbox_.Call("GET", Path("/pulls?head=acme:c1&base=main&state=all")).json();
  EXPECT_EQ(list.size(), 1u);
  EXPECT_TRUE(sandbox_.Resources()["duplicates"].empty());
}

TEST_F(GitHubTest, ClosedPullRequestMakesRoomForAnother) {
  CreateBranch("c1", Commit("campaigns/a.md", "x"));
  const int number = CreatePull("c1").json()["number"];
  const std::string pull = Path("/pulls/" + std::to_string(number));
  EXPECT_EQ(sandbox_.Call("PATCH", pull, {{"state", "closed"}}).json()["state"], "closed");
  EXPECT_EQ(CreatePull("c1").status, 201);
  EXPECT_EQ(sandbox_.Call("PATCH", pull, {{"state", "open"}}).status, 422);
  EXPECT_EQ(sandbox_.Call("PUT", pull + "/merge", Json::object()).status, 405);
}

TEST_F(GitHubTest, PullRequestNeedsItsBranchAndSomethingToMerge) {
  const Answer no_branch = CreatePull("nowhere");
  EXPECT_EQ(no_branch.status, 422);
  EXPECT_EQ(no_branch.json()["errors"][0]["field"], "head");
  CreateBranch("same", Head("main"));
  EXPECT_EQ(CreatePull("same").json()["errors"][0]["message"], "No commits between main and same");
}

TEST_F(GitHubTest, MergePutsFilesOnMainAndListsThemAsPages) {
  CreateBranch("c1", Commit("campaigns/wf-1/a.md", "x"));
  // Main moves on meanwhile; the merge keeps both.
  CreateBranch("c2", Commit("campaigns/wf-1/b.md", "y"));
  const int first = CreatePull("c1").json()["number"];
  const int second = CreatePull("c2").json()["number"];
  const auto merge = [&](int number, const Json& body) {
    return sandbox_.Call("PUT", Path("/pulls/" + std::to_string(number) + "/merge"), body);
  };
  EXPECT_EQ(merge(first, {{"sha", std::string(40, '0')}}).status, 409);
  EXPECT_EQ(merge(first, {{"merge_method", "squash"}}).json()["merged"], true);
  EXPECT_EQ(merge(second, Json::object()).json()["merged"], true);
  EXPECT_EQ(merge(second, Json::object()).status, 405);
  EXPECT_EQ(sandbox_.Call("GET", Path("/contents/campaigns/wf-1")).json().size(), 2u);
  const Json alive = sandbox_.Resources("?workflow_id=wf-1&alive=true")["alive"];
  EXPECT_EQ(alive["github"]["page"], 2);
  EXPECT_FALSE(alive["github"].contains("pull"));
}

TEST_F(GitHubTest, ConflictingPullRequestIsNotMergeable) {
  CreateBranch("c1", Commit("campaigns/a.md", "one"));
  CreateBranch("c2", Commit("campaigns/a.md", "two"));
  CreatePull("c1");
  CreatePull("c2");
  EXPECT_EQ(sandbox_.Call("PUT", Path("/pulls/1/merge"), Json::object()).status, 200);
  EXPECT_EQ(sandbox_.Call("PUT", Path("/pulls/2/merge"), Json::object()).status, 405);
}

TEST_F(GitHubTest, ContentsCompareAndSet) {
  const std::string path = Path("/contents/docs/post.md");
  const Json body = {{"message", "publish"}, {"content", "aGVsbG8K"}};
  const Answer made = sandbox_.Call("PUT", path, body);
  ASSERT_EQ(made.status, 201);
  const std::string sha = made.json()["content"]["sha"];
  EXPECT_EQ(sandbox_.Call("PUT", path, body).status, 422);
  Json wrong = body;
  wrong["sha"] = std::string(40, '0');
  EXPECT_EQ(sandbox_.Call("PUT", path, wrong).status, 409);
  wrong["sha"] = sha;
  EXPECT_EQ(sandbox_.Call("PUT", path, wrong).status, 200);
  EXPECT_EQ(sandbox_.Call("GET", path).json()["content"], "aGVsbG8K");
  EXPECT_EQ(sandbox_.Resources()["alive"]["github"]["page"], 1);
  EXPECT_EQ(sandbox_.Call("DELETE", path, {{"message", "undo"}, {"sha", sha}}).status, 200);
  EXPECT_EQ(sandbox_.Call("GET", path).status, 404);
  EXPECT_TRUE(sandbox_.Resources()["alive"].empty());
}

TEST_F(GitHubTest, ReviewsComeFromOtherPeople) {
  CreateBranch("c1", Commit("campaigns/a.md", "x"));
  CreatePull("c1");
  EXPECT_EQ(sandbox_.Call("POST", Path("/pulls/1/reviews"), {{"event", "APPROVE"}}).status, 422);
  const Answer other =
      sandbox_.Send({.method = "POST",
                     .path = Path("/pulls/1/reviews"),
                     .body = R"({"event":"APPROVE"})",
                     .headers = {"Authorization: Bearer somebody-else", "User-Agent: tests"}});
  EXPECT_EQ(other.json()["state"], "APPROVED");
  EXPECT_EQ(sandbox_.Call("GET", Path("/pulls/1/reviews")).json().size(), 1u);
  const Answer comment = sandbox_.Call("POST", Path("/issues/1/comments"), {{"body", "withdrawn"}});
  EXPECT_EQ(comment.status, 201);
  EXPECT_EQ(sandbox_.Call("GET", Path("/issues/1/comments")).json()[0]["body"], "withdrawn");
}

TEST_F(GitHubTest, PagesHaveBuilds) {
  EXPECT_EQ(sandbox_.Call("GET", Path("/pages")).status, 404);
  const Json source = {{"source", {{"branch", "main"}, {"path", "/docs"}}}};
  EXPECT_EQ(sandbox_.Call("POST", Path("/pages"), source).status, 201);
  EXPECT_EQ(sandbox_.Call("POST", Path("/pages"), source).status, 409);
  const Json build = sandbox_.Call("GET", Path("/pages/builds/latest")).json();
  EXPECT_EQ(build["status"], "built");
  EXPECT_EQ(build["commit"], Head("main"));
}

TEST_F(GitHubTest, ListsComeInPagesWithLinks) {
  const std::string sha = Commit("campaigns/a.md", "x");
  for (const char* name : {"a", "b", "c"}) CreateBranch(name, sha);
  const Answer first = sandbox_.Call("GET", Path("/branches?per_page=2"));
  EXPECT_EQ(first.json().size(), 2u);
  EXPECT_NE(first.Header("link").find("page=2>; rel=\"next\""), std::string::npos);
  EXPECT_EQ(sandbox_.Call("GET", Path("/branches?per_page=2&page=2")).json().size(), 2u);
}

}  // namespace
}  // namespace sandbox
