// The other vendors as a client sees them, and what each of them demands of a caller.

#include <gtest/gtest.h>

#include <chrono>

#include "tests/sandbox/test/process.h"

namespace sandbox {
namespace {

class VendorsTest : public ::testing::Test {
 protected:
  void Advance(int seconds) {
    const Answer answer = sandbox_.Send({.method = "POST",
                                         .path = "/__sandbox/clock",
                                         .body = Json{{"advance_seconds", seconds}}.dump()});
    ASSERT_EQ(answer.status, 200) << answer.body;
  }

  int64_t NowS() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

  Json Slack(const std::string& method, const Json& body) {
    const Answer answer = sandbox_.Call("POST", "/slack/api/" + method, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }

  std::string NewBatch() {
    return sandbox_.Call("POST", "/sendgrid/v3/mail/batch").json()["batch_id"];
  }

  Json Mail(const std::string& batch, int64_t send_at) {
    return {{"personalizations", {{{"to", {{{"email", "reader@example.com"}}}}}}},
            {"from", {{"email", "news@example.com"}}},
            {"subject", "Spring"},
            {"content", {{{"type", "text/plain"}, {"value", "Hello"}}}},
            {"batch_id", batch},
            {"send_at", send_at}};
  }

  Answer Send(const Json& mail) { return sandbox_.Call("POST", "/sendgrid/v3/mail/send", mail); }

  Answer SetStatus(const std::string& batch, const std::string& status) {
    return sandbox_.Call("POST", "/sendgrid/v3/user/scheduled_sends",
                         {{"batch_id", batch}, {"status", status}});
  }

  // States of all mails, in order of creation.
  std::vector<std::string> MailStates() {
    std::vector<std::string> states;
    const Json all = sandbox_.Resources("?vendor=sendgrid&kind=mail");
    for (const Json& mail : all["resources"]) {
      states.push_back(mail["state"]);
    }
    return states;
  }

  Json Buffer(const std::string& query, const Json& variables) {
    const Answer answer =
        sandbox_.Call("POST", "/buffer", {{"query", query}, {"variables", variables}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json()["data"];
  }

  Process sandbox_;
};

using States = std::vector<std::string>;

TEST_F(VendorsTest, EachVendorDemandsItsAuthorization) {
  struct Case {
    const char *method, *path, *body;
    int status_missing, status_invalid;
    const char* part;  // of the answer to an invalid token
  };
  const Case cases[] = {
      {"GET", "/notion/v1/databases/1", "", 401, 401, "unauthorized"},
      {"POST", "/openai/v1/chat/completions", "{}", 401, 401, "invalid_api_key"},
      {"GET", "/figma/v1/files/k", "", 403, 403, "Invalid token"},
      {"GET", "/github/repos/a/b", "", 401, 401, "Bad credentials"},
      {"POST", "/slack/api/auth.test", "{}", 200, 200, "invalid_auth"},
      {"POST", "/sendgrid/v3/mail/batch", "", 401, 401, "authorization grant"},
      {"POST", "/buffer", "{}", 401, 401, "UNAUTHENTICATED"},
      {"GET", "/grafana/api/search", "", 401, 401, "Invalid API key"},
      {"GET", "/memory/v1/memories/brand/guidelines", "", 401, 401, "unauthenticated"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.path);
    EXPECT_EQ(sandbox_.Send({c.method, c.path, c.body, {"User-Agent: t"}}).status,
              c.status_missing);
    const Answer invalid =
        sandbox_.Send({c.method,
                       c.path,
                       c.body,
                       {"User-Agent: t", "Authorization: Bearer invalid-token",
                        "X-Figma-Token: invalid-token", "Notion-Version: 2025-09-03"}});
    EXPECT_EQ(invalid.status, c.status_invalid);
    EXPECT_NE(invalid.body.find(c.part), std::string::npos) << invalid.body;
  }
  const Answer no_agent =
      sandbox_.Send({"GET", "/github/repos/a/b", "", {"User-Agent:", "Authorization: Bearer t"}});
  EXPECT_EQ(no_agent.status, 403);
  const Answer no_version =
      sandbox_.Send({"GET", "/notion/v1/databases/1", "", {"Authorization: Bearer t"}});
  EXPECT_EQ(no_version.status, 400);
  EXPECT_EQ(no_version.json()["code"], "missing_version");
}

TEST_F(VendorsTest, SlackFailsWithStatus200) {
  EXPECT_EQ(Slack("chat.postMessage", {{"channel", "missing"}, {"text", "x"}})["error"],
            "channel_not_found");
  EXPECT_EQ(Slack("chat.postMessage", {{"channel", "C1"}})["error"], "no_text");
  EXPECT_EQ(Slack("chat.delete", {{"channel", "C1"}, {"ts", "1.2"}})["error"], "message_not_found");
  EXPECT_EQ(Slack("no.such", Json::object())["error"], "unknown_method");
  EXPECT_EQ(Slack("auth.test", Json::object())["ok"], true);
}

TEST_F(VendorsTest, SlackMessageIsFoundByItsMetadataAndSettles) {
  const Json button = {{"type", "button"},
                       {"action_id", "approve"},
                       {"text", {{"type", "plain_text"}, {"text", "Approve"}}}};
  const Json actions = {{"type", "actions"}, {"elements", Json::array({button})}};
  const Json message = {
      {"channel", "#campaigns"},
      {"text", "Please review"},
      {"blocks", Json::array({actions})},
      {"metadata", {{"event_type", "review"}, {"event_payload", {{"key", "wf-1/review"}}}}}};
  const Json posted = Slack("chat.postMessage", message);
  ASSERT_EQ(posted["ok"], true) << posted;
  EXPECT_TRUE(posted["ts"].is_string());
  EXPECT_EQ(sandbox_.Resources()["alive"]["slack"]["message"], 1);

  const Json history = sandbox_
                           .Call("GET", "/slack/api/conversations.history?channel=" +
                                            posted["channel"].get<std::string>() +
                                            "&oldest=0&include_all_metadata=true&limit=100")
                           .json();
  ASSERT_EQ(history["messages"].size(), 1u);
  EXPECT_EQ(history["messages"][0]["metadata"]["event_payload"]["key"], "wf-1/review");

  Slack("chat.update",
        {{"channel", posted["channel"]}, {"ts", posted["ts"]}, {"text", "Approved"}});
  const Json resources = sandbox_.Resources("?vendor=slack&kind=message");
  EXPECT_EQ(resources["resources"][0]["state"], "settled");
  EXPECT_TRUE(resources["alive"].empty());

  Slack("chat.postMessage", message);
  EXPECT_EQ(sandbox_.Resources()["duplicates"].size(), 1u);
}

TEST_F(VendorsTest, SlackHistoryHasPages) {
  for (int i = 0; i < 5; ++i) Slack("chat.postMessage", {{"channel", "C9"}, {"text", "m"}});
  const Json first = Slack("conversations.history", {{"channel", "C9"}, {"limit", 3}});
  EXPECT_EQ(first["messages"].size(), 3u);
  EXPECT_EQ(first["has_more"], true);
  const Json second = Slack(
      "conversations.history",
      {{"channel", "C9"}, {"limit", 3}, {"cursor", first["response_metadata"]["next_cursor"]}});
  EXPECT_EQ(second["messages"].size(), 2u);
  EXPECT_EQ(second["response_metadata"]["next_cursor"], "");
}

TEST_F(VendorsTest, MailGoesOutWhenItsTimeComes) {
  const Answer sent = Send(Mail(NewBatch(), NowS() + 900));
  EXPECT_EQ(sent.status, 202);
  EXPECT_EQ(sent.body, "");
  EXPECT_NE(sent.Header("x-message-id"), "");
  EXPECT_EQ(MailStates(), States{"queued"});
  Advance(901);
  EXPECT_EQ(MailStates(), States{"sent"});
}

TEST_F(VendorsTest, CancelledBatchNeverSends) {
  const std::string batch = NewBatch();
  Send(Mail(batch, NowS() + 900));
  EXPECT_EQ(SetStatus(batch, "cancel").status, 201);
  EXPECT_EQ(SetStatus(batch, "cancel").status, 400);
  // One that arrives late does not go out either.
  EXPECT_EQ(Send(Mail(batch, NowS() + 900)).status, 202);
  Advance(3600);
  EXPECT_EQ(MailStates(), (States{"cancelled", "cancelled"}));
  EXPECT_TRUE(sandbox_.Resources()["alive"].empty());
  // A new batch after a cancelled one is no duplicate.
  Send(Mail(NewBatch(), NowS() + 7200));
  EXPECT_TRUE(sandbox_.Resources()["duplicates"].empty());
  Send(Mail(NewBatch(), NowS() + 7200));
  EXPECT_EQ(sandbox_.Resources()["duplicates"].size(), 1u);
}

TEST_F(VendorsTest, PausedBatchResumesWhenItsStatusIsDeleted) {
  const std::string batch = NewBatch();
  Send(Mail(batch, NowS() + 900));
  const std::string path = "/sendgrid/v3/user/scheduled_sends/" + batch;
  EXPECT_EQ(sandbox_.Call("PATCH", path, {{"status", "pause"}}).status, 404);
  EXPECT_EQ(SetStatus(batch, "pause").status, 201);
  Advance(1000);
  EXPECT_EQ(MailStates(), States{"paused"});
  EXPECT_EQ(sandbox_.Call("GET", path).json()[0]["status"], "pause");
  EXPECT_EQ(sandbox_.Call("DELETE", path).status, 204);
  EXPECT_EQ(MailStates(), States{"sent"});
}

TEST_F(VendorsTest, MailFaultsAreReportedAtOnce) {
  const Json errors = Send(Json::object()).json()["errors"];
  std::vector<std::string> fields;
  for (const Json& error : errors) fields.push_back(error["field"]);
  EXPECT_EQ(fields, (States{"personalizations", "from.email", "subject", "content"}));
  EXPECT_EQ(Send(Mail("no-such-batch", NowS() + 60)).status, 400);
  EXPECT_EQ(Send(Mail(NewBatch(), NowS() + 73 * 3600)).status, 400);
}

TEST_F(VendorsTest, BufferPostsAreScheduledSentAndDeleted) {
  const std::string create =
      "mutation($i:CreatePostInput!){createPost(input:$i){__typename ... on PostActionSuccess{"
      "post{id status dueAt}} ... on MutationError{message}}}";
  const Json input = {{"channelId", "channel-linkedin"},
                      {"schedulingType", "automatic"},
                      {"mode", "customScheduled"},
                      {"text", "Spring is here"},
                      {"dueAt", "2099-01-01T00:00:00Z"}};
  const Json made = Buffer(create, {{"i", input}})["createPost"];
  ASSERT_EQ(made["__typename"], "PostActionSuccess") << made;
  EXPECT_EQ(made["post"]["status"], "scheduled");
  Json bad = input;
  bad["channelId"] = "missing";
  EXPECT_EQ(Buffer(create, {{"i", bad}})["createPost"]["__typename"], "NotFoundError");
  bad = input;
  bad.erase("dueAt");
  EXPECT_EQ(Buffer(create, {{"i", bad}})["createPost"]["__typename"], "InvalidInputError");

  const std::string list =
      "query($first:Int,$after:String,$input:PostsInput!){posts(first:$first,after:$after,"
      "input:$input){edges{node{id text}} pageInfo{endCursor hasNextPage}}}";
  const Json filter = {{"organizationId", "o"},
                       {"filter", {{"channelIds", Json::array({"channel-linkedin"})}}}};
  EXPECT_EQ(Buffer(list, {{"first", 10}, {"input", filter}})["posts"]["edges"].size(), 1u);

  const std::string remove =
      "mutation($input:DeletePostInput!){deletePost(input:$input){__typename}}";
  const Json id = {{"input", {{"id", made["post"]["id"]}}}};
  EXPECT_EQ(Buffer(remove, id)["deletePost"]["__typename"], "DeletePostSuccess");
  EXPECT_EQ(Buffer(remove, id)["deletePost"]["__typename"], "NotFoundError");
  EXPECT_TRUE(sandbox_.Resources()["alive"].empty());
}

TEST_F(VendorsTest, BufferTakesArgumentsInTheQueryToo) {
  const Json data = Buffer(
      "mutation { made: createPost(input: {channelId: \"c1\", schedulingType: automatic, "
      "mode: shareNow, text: \"now {} \\\"quoted\\\"\"}) { __typename } }",
      nullptr);
  EXPECT_EQ(data["made"]["post"]["status"], "sent");
  EXPECT_EQ(data["made"]["post"]["text"], "now {} \"quoted\"");
}

TEST_F(VendorsTest, GrafanaDashboardsHaveVersions) {
  const Json body = {{"dashboard", {{"uid", "c1"}, {"title", "Spring"}}}, {"overwrite", false}};
  EXPECT_EQ(sandbox_.Call("POST", "/grafana/api/dashboards/db", body).json()["version"], 1);
  const Answer again = sandbox_.Call("POST", "/grafana/api/dashboards/db", body);
  EXPECT_EQ(again.status, 412);
  EXPECT_EQ(again.json()["status"], "name-exists");
  Json versioned = body;
  versioned["dashboard"]["version"] = 7;
  EXPECT_EQ(sandbox_.Call("POST", "/grafana/api/dashboards/db", versioned).json()["status"],
            "version-mismatch");
  versioned["overwrite"] = true;
  EXPECT_EQ(sandbox_.Call("POST", "/grafana/api/dashboards/db", versioned).json()["version"], 2);
  EXPECT_EQ(sandbox_.Call("GET", "/grafana/api/search?query=spr").json().size(), 1u);
  EXPECT_EQ(sandbox_.Call("DELETE", "/grafana/api/dashboards/uid/c1").status, 200);
  EXPECT_EQ(sandbox_.Call("DELETE", "/grafana/api/dashboards/uid/c1").status, 404);
}

TEST_F(VendorsTest, MemoryReplacesByKeyAndFindsByWords) {
  const Json memory = {{"namespace", "drafts"},
                       {"key", "wf-1/headline"},
                       {"kind", "draft"},
                       {"content", "Spring sale for gardeners"}};
  const Answer made = sandbox_.Call("POST", "/memory/v1/memories", memory);
  EXPECT_EQ(made.status, 201);
  const Answer again = sandbox_.Call("POST", "/memory/v1/memories", memory);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(made.json()["id"], again.json()["id"]);
  const Json found =
      sandbox_.Call("POST", "/memory/v1/search", {{"namespace", "drafts"}, {"query", "gardeners"}})
          .json();
  EXPECT_EQ(found["results"][0]["key"], "wf-1/headline");
  EXPECT_EQ(sandbox_.Call("GET", "/memory/v1/memories/brand/voice-casual").status, 200);
  EXPECT_EQ(sandbox_.Call("DELETE", "/memory/v1/memories/drafts/wf-1%2Fheadline").status, 204);
  EXPECT_EQ(sandbox_.Call("DELETE", "/memory/v1/memories/drafts/wf-1/headline").status, 404);
  EXPECT_EQ(sandbox_.Call("POST", "/memory/v1/memories", Json::object())
                .json()["error"]["field_violations"]
                .size(),
            4u);
}

TEST_F(VendorsTest, NotionHoldsKnowledgeForEveryDatabase) {
  const Json database = sandbox_.Call("GET", "/notion/v1/databases/campaigns").json();
  const std::string source = database["data_sources"][0]["id"];
  const std::string query = "/notion/v1/data_sources/" + source + "/query";
  const Json first = sandbox_.Call("POST", query, {{"page_size", 4}}).json();
  EXPECT_EQ(first["results"].size(), 4u);
  EXPECT_EQ(first["has_more"], true);
  const Json rest =
      sandbox_.Call("POST", query, {{"page_size", 4}, {"start_cursor", first["next_cursor"]}})
          .json();
  EXPECT_EQ(rest["results"].size(), 2u);
  const std::string page = first["results"][0]["id"];
  EXPECT_GE(
      sandbox_.Call("GET", "/notion/v1/blocks/" + page + "/children").json()["results"].size(), 3u);
  EXPECT_EQ(sandbox_.Call("GET", "/notion/v1/databases/missing").json()["code"],
            "object_not_found");
  const Json title = {{"title", {{{"text", {{"content", "Note"}}}}}}};
  const Json made =
      sandbox_
          .Call("POST", "/notion/v1/pages",
                {{"parent", {{"data_source_id", source}}}, {"properties", {{"Name", title}}}})
          .json();
  EXPECT_EQ(sandbox_.Resources()["alive"]["notion"]["page"], 1);
  sandbox_.Call("PATCH", "/notion/v1/pages/" + made["id"].get<std::string>(), {{"in_trash", true}});
  EXPECT_TRUE(sandbox_.Resources()["alive"].empty());
}

TEST_F(VendorsTest, ModelFollowsTheSchemaAndRepeatsItself) {
  const Json schema = {{"type", "object"},
                       {"properties",
                        {{"headline", {{"type", "string"}, {"maxLength", 60}}},
                         {"score", {{"type", "integer"}, {"minimum", 1}, {"maximum", 5}}},
                         {"tags", {{"type", "array"}, {"items", {{"type", "string"}}}}},
                         {"tone", {{"enum", {"casual", "technical"}}}}}}};
  const Json body = {
      {"model", "gpt-4o-mini"},
      {"messages",
       Json::array({Json{{"role", "user"}, {"content", "Campaign name: Spring Sale\nWrite."}}})},
      {"response_format",
       {{"type", "json_schema"}, {"json_schema", {{"name", "copy"}, {"schema", schema}}}}}};
  const Json first = sandbox_.Call("POST", "/openai/v1/chat/completions", body).json();
  const std::string content = first["choices"][0]["message"]["content"];
  const Json copy = Json::parse(content, nullptr, false);
  EXPECT_NE(copy["headline"].get<std::string>().find("Spring Sale"), std::string::npos) << copy;
  EXPECT_TRUE(copy["score"].is_number_integer());
  EXPECT_TRUE(copy["tags"].is_array());
  EXPECT_GT(first["usage"]["total_tokens"], 0);
  const Json second = sandbox_.Call("POST", "/openai/v1/chat/completions", body).json();
  EXPECT_EQ(second["choices"][0]["message"]["content"], content);
  Json small = body;
  small["max_tokens"] = 3;
  EXPECT_EQ(sandbox_.Call("POST", "/openai/v1/chat/completions", small)
                .json()["choices"][0]["finish_reason"],
            "length");
}

TEST_F(VendorsTest, FigmaRendersRealImages) {
  const Json images =
      sandbox_.Call("GET", "/figma/v1/images/file1?ids=1:2,missing-1&format=png").json()["images"];
  EXPECT_TRUE(images["missing-1"].is_null());
  const std::string url = images["1:2"];
  ASSERT_TRUE(url.starts_with(sandbox_.url())) << url;
  const Answer png = sandbox_.Get(url.substr(sandbox_.url().size()));
  EXPECT_EQ(png.Header("content-type"), "image/png");
  EXPECT_EQ(png.body.substr(0, 4), "\x89PNG");
  EXPECT_EQ(sandbox_.Get("/figma-render/file1/1:2.jpg").body.substr(0, 2), "\xff\xd8");
}

TEST_F(VendorsTest, SiteHidesItsNewsFromThoseWithoutABrowser) {
  const Answer acme = sandbox_.Get("/site/acme");
  EXPECT_EQ(acme.status, 200);
  EXPECT_NE(acme.body.find("$49 per month"), std::string::npos);
  EXPECT_EQ(acme.body.find("spring offer"), std::string::npos);
  EXPECT_EQ(sandbox_.Get("/site/some-firm").body, sandbox_.Get("/site/some-firm").body);
  EXPECT_EQ(sandbox_.Get("/site/broken").status, 500);
}

}  // namespace
}  // namespace sandbox
