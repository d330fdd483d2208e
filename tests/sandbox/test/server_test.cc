// Faults, durability and the admin interface, over real HTTP against the real program.

#include <curl/curl.h>
#include <gtest/gtest.h>

#include "tests/sandbox/test/process.h"
#include "tests/support/temporary_folder.h"

namespace sandbox {
namespace {

const Json kMessage = {{"channel", "C1"}, {"text", "hello"}};

size_t MessagesIn(const Process& sandbox) {
  return sandbox.Resources("?vendor=slack&kind=message")["resources"].size();
}

TEST(Faults, LostResponseDoesTheWork) {
  Process sandbox;
  sandbox.AddFault({{"vendor", "slack"},
                    {"operation", "chat.postMessage"},
                    {"kind", "lost_response"},
                    {"count", 1}});
  const Answer lost = sandbox.Call("POST", "/slack/api/chat.postMessage", kMessage);
  EXPECT_EQ(lost.status, 0);
  EXPECT_EQ(lost.curl_code, CURLE_GOT_NOTHING);
  EXPECT_EQ(MessagesIn(sandbox), 1u);
  EXPECT_EQ(sandbox.Call("POST", "/slack/api/chat.postMessage", kMessage).status, 200);
  EXPECT_EQ(MessagesIn(sandbox), 2u);
}

TEST(Faults, ResetHappensBeforeTheWork) {
  Process sandbox;
  sandbox.AddFault({{"vendor", "slack"}, {"kind", "reset"}, {"count", 1}});
  const Answer answer = sandbox.Call("POST", "/slack/api/chat.postMessage", kMessage);
  EXPECT_EQ(answer.curl_code, CURLE_RECV_ERROR);
  EXPECT_EQ(MessagesIn(sandbox), 0u);
}

TEST(Faults, HangNeverAnswersAndOthersAreServed) {
  Process sandbox;
  sandbox.AddFault({{"vendor", "slack"}, {"kind", "hang"}, {"count", 1}});
  const Answer answer = sandbox.Send({.method = "POST",
                                      .path = "/slack/api/auth.test",
                                      .body = "{}",
                                      .headers = {"Authorization: Bearer t"},
                                      .timeout_ms = 200});
  EXPECT_EQ(answer.curl_code, CURLE_OPERATION_TIMEDOUT);
  EXPECT_EQ(sandbox.Call("POST", "/slack/api/auth.test", Json::object()).status, 200);
}

TEST(Faults, MalformedDoesTheWorkAndAnswersNoJson) {
  Process sandbox;
  sandbox.AddFault({{"vendor", "*"}, {"kind", "malformed"}, {"count", 1}});
  const Answer answer = sandbox.Call("POST", "/slack/api/chat.postMessage", kMessage);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.json().is_discarded()) << answer.body;
  EXPECT_EQ(MessagesIn(sandbox), 1u);
}

TEST(Faults, EachVendorFailsInItsOwnWay) {
  Process sandbox;
  sandbox.AddFault({{"vendor", "*"}, {"kind", "error"}});
  EXPECT_EQ(sandbox.Call("GET", "/github/user").status, 500);
  EXPECT_EQ(sandbox.Call("POST", "/slack/api/auth.test").json()["error"], "internal_error");
  EXPECT_EQ(sandbox.Call("POST", "/buffer").json()["errors"][0]["extensions"]["code"],
            "UNEXPECTED");
  EXPECT_EQ(sandbox.Call("POST", "/sendgrid/v3/mail/batch").status, 500);
  EXPECT_TRUE(sandbox.Call("POST", "/sendgrid/v3/mail/batch").json().contains("errors"));
  EXPECT_EQ(sandbox.Call("GET", "/grafana/api/search").status, 500);
  EXPECT_EQ(sandbox.Send({.method = "DELETE", .path = "/__sandbox/faults"}).status, 204);

  sandbox.AddFault({{"vendor", "*"}, {"kind", "rate_limit"}, {"retry_after_s", 7}});
  const Answer github = sandbox.Call("GET", "/github/user");
  EXPECT_EQ(github.status, 403);
  EXPECT_EQ(github.Header("retry-after"), "7");
  const Answer slack = sandbox.Call("POST", "/slack/api/auth.test");
  EXPECT_EQ(slack.status, 429);
  EXPECT_EQ(slack.Header("retry-after"), "7");
  const Answer sendgrid = sandbox.Call("POST", "/sendgrid/v3/mail/batch");
  EXPECT_EQ(sendgrid.status, 429);
  EXPECT_EQ(sendgrid.Header("retry-after"), "");
  EXPECT_NE(sendgrid.Header("x-ratelimit-reset"), "");
  EXPECT_EQ(sandbox.Call("GET", "/openai/v1/models").json()["error"]["code"],
            "rate_limit_exceeded");
  EXPECT_EQ(sandbox.Call("GET", "/notion/v1/users/me").json()["code"], "rate_limited");
}

TEST(Faults, MatchOperationPathAndWorkflow) {
  Process sandbox;
  sandbox.AddFault({{"vendor", "github"}, {"operation", "GET /user"}, {"kind", "error"}});
  sandbox.AddFault({{"vendor", "slack"}, {"workflow_id", "wf-2"}, {"kind", "error"}});
  sandbox.AddFault({{"vendor", "buffer"}, {"operation", "createPost"}, {"kind", "error"}});
  EXPECT_EQ(sandbox.Call("GET", "/github/user").status, 500);
  EXPECT_EQ(sandbox.Call("GET", "/github/rate_limit").status, 200);
  const auto slack = [&](const char* key) {
    return sandbox.Call("POST", "/slack/api/auth.test", Json::object(), key).json()["ok"];
  };
  EXPECT_EQ(slack("wf-1/review"), true);
  EXPECT_EQ(slack("wf-2/review"), false);
  EXPECT_TRUE(sandbox.Call("POST", "/buffer", {{"query", "{ account { id } }"}})
                  .json()["data"]
                  .is_object());
  EXPECT_TRUE(sandbox.Call("POST", "/buffer", {{"query", "mutation{createPost(input:{}){id}}"}})
                  .json()["data"]
                  .is_null());
}

TEST(Faults, RateIsRepeatableBySeed) {
  const auto run = [] {
    Process sandbox;
    sandbox.AddFault({{"vendor", "slack"}, {"kind", "error"}, {"rate", 0.3}, {"seed", 11}});
    std::string pattern;
    for (int i = 0; i < 60; ++i) {
      const Answer answer = sandbox.Call("POST", "/slack/api/auth.test", Json::object());
      pattern += answer.json()["ok"] == true ? '.' : 'x';
    }
    return pattern;
  };
  const std::string first = run();
  EXPECT_EQ(first, run());
  const auto struck = std::count(first.begin(), first.end(), 'x');
  EXPECT_GT(struck, 5);
  EXPECT_LT(struck, 35);
}

TEST(Faults, BadFieldsAreReportedAtOnce) {
  Process sandbox;
  const Json bad = {{"vendor", "fax"}, {"kind", "explode"}, {"rate", 2},   {"count", 0},
                    {"status", "x"},   {"latency_ms", -1},  {"colour", 1}, {"operation", 5}};
  const Answer answer =
      sandbox.Send({.method = "POST", .path = "/__sandbox/faults", .body = bad.dump()});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.json()["field_violations"].size(), 8u) << answer.body;
  EXPECT_EQ(sandbox.Send({.method = "POST", .path = "/__sandbox/faults", .body = "{oops"}).status,
            400);
  EXPECT_EQ(sandbox.Send({.method = "DELETE", .path = "/__sandbox/faults/f9"}).status, 404);
  EXPECT_TRUE(sandbox.Get("/__sandbox/faults").json()["faults"].empty());
}

TEST(Faults, OperationsThatNobodyHasAreRefused) {
  Process sandbox;
  const auto add = [&](const char* vendor, const char* operation) {
    const Json fault = {{"vendor", vendor}, {"operation", operation}, {"kind", "error"}};
    return sandbox.Send({.method = "POST", .path = "/__sandbox/faults", .body = fault.dump()});
  };
  const Answer unknown = add("buffer", "createPosts");
  EXPECT_EQ(unknown.status, 400);
  const Json violation = unknown.json()["field_violations"][0];
  EXPECT_EQ(violation["field"], "operation");
  const std::string said = violation["description"];
  EXPECT_NE(said.find("createPost, deletePost, editPost"), std::string::npos) << said;
  EXPECT_EQ(said.find("pulls.create"), std::string::npos) << said;
  EXPECT_EQ(add("buffer", "pulls.create").status, 400);  // another vendor's
  EXPECT_EQ(add("*", "createPosts").status, 400);
  EXPECT_EQ(add("github", "GET pulls").status, 400);
  EXPECT_EQ(add("github", "FETCH /user").status, 400);
  EXPECT_EQ(add("fax", "send").json()["field_violations"].size(), 1u);
  EXPECT_TRUE(sandbox.Get("/__sandbox/faults").json()["faults"].empty());
  for (const char* operation : {"pulls.create", "PULLS.CREATE", "GET /user", "/repos"}) {
    EXPECT_EQ(add("github", operation).status, 201) << operation;
    EXPECT_EQ(add("*", operation).status, 201) << operation;
  }
}

// What is listed can be named in a fault; what the calls were known by is listed.
TEST(Faults, EveryOperationIsListed) {
  Process sandbox;
  const Json operations = sandbox.Get("/__sandbox/operations").json()["operations"];
  for (const auto& [vendor, names] : operations.items()) {
    for (const Json& name : names) {
      sandbox.AddFault({{"vendor", vendor}, {"operation", name}, {"kind", "reset"}, {"rate", 0}});
    }
  }
  const auto listed = [&](const char* vendor) { return operations[vendor].dump(); };
  for (const char* name : {"createPost", "deletePost", "editPost", "post", "posts", "channels",
                           "channel", "account", "graphql"}) {
    EXPECT_NE(listed("buffer").find('"' + std::string(name) + '"'), std::string::npos) << name;
    sandbox.Call("POST", "/buffer", {{"query", "{ " + std::string(name) + " { id } }"}});
  }
  for (const char* name : {"content.published", "content.retracted"}) {
    EXPECT_NE(listed("cms").find(name), std::string::npos) << name;
    sandbox.Call("POST", "/cms/hooks/content", {{"type", name}});
  }
  for (const char* vendor : {"buffer", "cms"}) {
    const Json calls =
        sandbox.Get(std::string("/__sandbox/calls?vendor=") + vendor).json()["calls"];
    EXPECT_FALSE(calls.empty());
    for (const Json& call : calls) {
      const std::string operation = call["operation"];
      if (operation == "graphql") continue;  // a query that is none
      EXPECT_NE(listed(vendor).find('"' + operation + '"'), std::string::npos) << operation;
    }
  }
}

TEST(Durability, StateSurvivesKillAndRestart) {
  test::TemporaryFolder directory;
  Process sandbox(directory.path());
  const std::string repo = "/github/repos/acme/site";
  sandbox.Call("PUT", repo + "/contents/docs/a.md", {{"message", "m"}, {"content", "eA=="}});
  const Json posted = sandbox.Call("POST", "/slack/api/chat.postMessage", kMessage).json();
  sandbox.AddFault({{"vendor", "figma"}, {"kind", "error"}, {"count", 3}});
  sandbox.Call("GET", "/figma/v1/me");
  const Json before = sandbox.Resources();
  sandbox.Kill();
  sandbox.Start();
  EXPECT_EQ(sandbox.Resources(), before);
  EXPECT_EQ(sandbox.Get("/__sandbox/faults").json()["faults"][0]["count"], 2);
  EXPECT_EQ(sandbox.Call("GET", repo + "/contents/docs/a.md").json()["content"], "eA==");
  EXPECT_EQ(sandbox
                .Call("POST", "/slack/api/chat.delete",
                      {{"channel", posted["channel"]}, {"ts", posted["ts"]}})
                .json()["ok"],
            true);
  EXPECT_EQ(sandbox.Send({.method = "POST", .path = "/__sandbox/reset"}).status, 200);
  EXPECT_TRUE(sandbox.Resources()["resources"].empty());
  sandbox.Kill();
  sandbox.Start();
  EXPECT_TRUE(sandbox.Resources()["resources"].empty());
  EXPECT_EQ(sandbox.Stop(), 0);
}

TEST(Admin, CallsAreLoggedWithoutSecrets) {
  Process sandbox;
  sandbox.Call("POST", "/slack/api/chat.postMessage", kMessage, "wf-7/review");
  const Answer answer = sandbox.Get("/__sandbox/calls?vendor=slack&limit=5");
  const Json call = answer.json()["calls"][0];
  EXPECT_EQ(call["operation"], "chat.postMessage");
  EXPECT_EQ(call["status"], 200);
  EXPECT_EQ(call["workflow_id"], "wf-7");
  EXPECT_EQ(call["idempotency_key"], "wf-7/review");
  EXPECT_EQ(answer.body.find("token-1"), std::string::npos);
  EXPECT_EQ(sandbox.Get("/__sandbox/calls?limit=none").status, 400);
}

TEST(Admin, RefusesWhatItDoesNotKnow) {
  Process sandbox;
  EXPECT_EQ(sandbox.Get("/nobody/here").status, 404);
  EXPECT_EQ(sandbox.Get("/__sandbox/what").status, 404);
  EXPECT_EQ(sandbox.Send({.method = "POST", .path = "/__sandbox/resources"}).status, 405);
  const Answer bad = sandbox.Call("POST", "/slack/api/chat.postMessage", Json::array({1}));
  EXPECT_EQ(bad.json()["error"], "invalid_json");
  const std::string large(33 << 20, 'x');
  EXPECT_EQ(sandbox.Send({.method = "POST", .path = "/__sandbox/faults", .body = large}).status,
            413);
  EXPECT_EQ(sandbox.Get("/__sandbox/healthz").status, 200);
}

}  // namespace
}  // namespace sandbox
