// Every operation of every connector, as steps that the matrix can run.
#include <utility>

#include "absl/strings/ascii.h"
#include "activities/connectors/buffer/buffer_client.h"
#include "activities/connectors/figma/figma_client.h"
#include "activities/connectors/github/github_client.h"
#include "activities/connectors/google_chat/google_chat_client.h"
#include "activities/connectors/grafana/grafana_client.h"
#include "activities/connectors/memory/memory_gateway.h"
#include "activities/connectors/notion/notion_client.h"
#include "activities/connectors/openai/chat_client.h"
#include "activities/connectors/openai/moderator.h"
#include "activities/connectors/sendgrid/sendgrid_client.h"
#include "activities/connectors/slack/review_message.h"
#include "activities/connectors/slack/slack_client.h"
#include "activities/connectors/webdriver/webdriver_client.h"
#include "activities/connectors/webhook/webhook_client.h"
#include "activities/connectors/wire/uuid.h"
#include "tests/contract/connectors/fault_matrix.h"

namespace connector_test {
namespace {

using base::Done;
using base::Task;

template <typename T>
Done Drop(const base::Outcome<T>& outcome) {
  if (!outcome.ok()) return outcome.failure();
  return base::Unit{};
}

Task<Done> Nothing(Case*) { co_return base::Unit{}; }

// --- Notion

notion::NotionClient Notion(Case* c) {
  return notion::NotionClient(*c->outbound,
                              {.base_url = c->Base("/notion"), .token = "secret-test"});
}
Task<Done> NotionSearch(Case* c) {
  notion::NotionClient client = Notion(c);
  co_return Drop(co_await client.Search("launch", 1, c->context));
}
Task<Done> NotionQuery(Case* c) {
  notion::NotionClient client = Notion(c);
  co_return Drop(co_await client.QueryDatabase("db-matrix", "launch", 1, c->context));
}
Task<Done> NotionPrepare(Case* c) {
  notion::NotionClient client = Notion(c);
  base::Outcome<notion::Found> found =
      co_await client.QueryDatabase("db-matrix", "launch", 1, c->context);
  if (!found.ok()) co_return found.failure();
  if (found->pages.empty()) co_return base::Failure::Permanent("Test", "no page");
  c->id = found->pages[0].id;
  co_return base::Unit{};
}
Task<Done> NotionPageText(Case* c) {
  notion::NotionClient client = Notion(c);
  co_return Drop(co_await client.PageText(c->id, c->context));
}

// --- The language model

Task<Done> OpenAiComplete(Case* c) {
  openai::ChatClient client(
      *c->outbound,
      {.base_url = c->Base("/openai/v1"), .api_key = "sk-test-1", .model = "gpt-4o-mini"});
  openai::ChatRequest request{.messages = {{"user", "Write about shoes."}},
                              .required_keys = {"headline"}};
  co_return Drop(co_await client.CompleteJson(std::move(request), c->context));
}
Task<Done> OpenAiModerate(Case* c) {
  openai::Moderator client(*c->outbound, {.base_url = c->Base("/openai/v1"),
                                          .api_key = "sk-test-1",
                                          .model = "omni-moderation-latest"});
  co_return Drop(co_await client.Check({"Nice shoes."}, c->context));
}

// --- Figma

figma::FigmaClient Figma(Case* c) {
  return figma::FigmaClient(*c->outbound, {.base_url = c->Base("/figma"), .token = "figd-test"});
}
Task<Done> FigmaRender(Case* c) {
  figma::FigmaClient client = Figma(c);
  base::Outcome<std::vector<figma::Render>> renders =
      co_await client.RenderNodes("CampaignKit", {"1:2"}, "png", 1, c->context);
  if (!renders.ok()) co_return renders.failure();
  c->id = (*renders)[0].url.value_or("");
  co_return base::Unit{};
}
Task<Done> FigmaDownload(Case* c) {
  figma::FigmaClient client = Figma(c);
  const size_t path = c->id.find("/figma-render");
  co_return Drop(co_await client.Download(c->origin + c->id.substr(path), c->context));
}

// --- GitHub: a repository for each case

github::GithubClient::Options GithubOptions(Case* c) {
  return {.base_url = c->Base("/github"),
          .token = "ghp-test",
          .owner = "acme",
          .repo = c->workflow_id,
          .pages_branch = "main"};
}
github::PullRequestSpec PullSpec(Case* c) {
  return {.branch = "campaign/" + c->workflow_id,
          .title = "Spring",
          .body = "Review me",
          .files = {{"drafts/text.md", "# Spring\n"}},
          .date = absl::FromUnixSeconds(1'790'000'000)};
}
Task<Done> GithubBranch(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  const github::PullRequestSpec spec = PullSpec(c);
  co_return Drop(co_await client.EnsureBranchWithFiles(spec.branch, spec.files, spec.title,
                                                       spec.date, c->context));
}
Task<Done> GithubEnsurePull(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  base::Outcome<github::PullRequest> pull =
      co_await client.EnsurePullRequest(PullSpec(c), c->context);
  if (pull.ok()) c->number = pull->number;
  co_return Drop(pull);
}
Task<Done> GithubFindPull(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.FindPullRequest(PullSpec(c).branch, c->context));
}
Task<Done> GithubGetPull(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.GetPullRequest(c->number, c->context));
}
Task<Done> GithubUpdateBody(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.UpdatePullRequestBody(c->number, "New text", c->context));
}
Task<Done> GithubComment(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.EnsureComment(c->number, "Approved", "decision", c->context));
}
Task<Done> GithubClose(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.ClosePullRequest(c->number, c->context));
}
Task<Done> GithubCloseAll(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.ClosePullRequestsOf(PullSpec(c).branch, c->context));
}
Task<Done> GithubMerge(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.MergePullRequest(c->number, "Spring", "", c->context));
}
Task<Done> GithubDeleteBranch(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.DeleteBranch(PullSpec(c).branch, c->context));
}
Task<Done> GithubEnsurePage(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.EnsurePage("campaigns/" + c->workflow_id + ".html",
                                            "<p>" + c->workflow_id + "</p>", "Publish",
                                            c->context));
}
Task<Done> GithubDeletePage(Case* c) {
  github::GithubClient client(*c->outbound, GithubOptions(c));
  co_return Drop(co_await client.DeletePage("campaigns/" + c->workflow_id + ".html", "", "Withdraw",
                                            c->context));
}

// --- Slack: a channel for each case

slack::SlackClient Slack(Case* c) {
  return slack::SlackClient(*c->outbound,
                            {.base_url = c->Base("/slack/api"), .token = "xoxb-test-1"});
}
std::string SlackChannel(Case* c) {
  std::string channel = "C0";  // as Slack's ids look
  for (const char letter : absl::AsciiStrToUpper(c->workflow_id)) {
    if (absl::ascii_isalnum(letter)) channel += letter;
  }
  return channel;
}
std::string SlackBlocks(Case* c) {
  return slack::ReviewBlocks({.workflow_id = c->workflow_id, .campaign_name = "Spring"});
}
Task<Done> SlackEnsure(Case* c) {
  slack::SlackClient client = Slack(c);
  slack::Message message{.channel = SlackChannel(c),
                         .text = "Ready",
                         .blocks_json = SlackBlocks(c),
                         .marker = c->workflow_id,
                         .since = c->now};
  base::Outcome<slack::Posted> posted =
      co_await client.EnsureMessage(std::move(message), c->attempt == 1, c->context);
  if (posted.ok()) c->id = posted->ts;
  co_return Drop(posted);
}
Task<Done> SlackFind(Case* c) {
  slack::SlackClient client = Slack(c);
  co_return Drop(co_await client.FindMessage(SlackChannel(c), c->workflow_id, c->now, c->context));
}
Task<Done> SlackUpdate(Case* c) {
  slack::SlackClient client = Slack(c);
  co_return Drop(
      co_await client.UpdateMessage(SlackChannel(c), c->id, "New", SlackBlocks(c), c->context));
}
Task<Done> SlackDelete(Case* c) {
  slack::SlackClient client = Slack(c);
  co_return Drop(co_await client.DeleteMessage(SlackChannel(c), c->id, c->context));
}

// --- Google Chat: a space for each case

const outbound::Vendor& SandboxItself() {
  static const auto* const kVendor = new outbound::Vendor{.name = "sandbox"};
  return *kVendor;
}
std::string ChatSpace(Case* c) {
  std::string space = "spaces/S";
  for (const char letter : c->workflow_id) {
    if (absl::ascii_isalnum(letter)) space += letter;
  }
  return space;
}
google_chat::GoogleChatClient Chat(Case* c) {
  static base::SystemClock* const kClock = new base::SystemClock();
  return google_chat::GoogleChatClient(*c->outbound, *kClock,
                                       {.base_url = c->Base("/google-chat"),
                                        .token_url = c->Base("/google-chat") + "/token",
                                        .service_account = c->key_file});
}
Task<Done> ChatKeyFile(Case* c) {
  outbound::HttpRequest request{.method = "POST",
                                .url = c->Base("/google-chat") + "/sandbox/service-account",
                                .body = "{}",
                                .operation = "sandbox.serviceAccount"};
  request.headers.emplace_back("Content-Type", "application/json");
  base::Outcome<outbound::HttpResponse> answer =
      co_await c->outbound->Call(SandboxItself(), std::move(request), c->context);
  if (!answer.ok()) co_return answer.failure();
  c->key_file = answer->body;
  co_return base::Unit{};
}
Task<Done> ChatCreate(Case* c) {
  google_chat::GoogleChatClient client = Chat(c);
  google_chat::Message message{
      .space = ChatSpace(c), .text = "Ready", .request_id = wire::UuidOf(c->workflow_id)};
  base::Outcome<google_chat::Posted> posted =
      co_await client.CreateMessage(std::move(message), c->context);
  if (posted.ok()) c->id = posted->name;
  co_return Drop(posted);
}
Task<Done> ChatPrepare(Case* c) {
  base::Done ready = co_await ChatKeyFile(c);
  if (!ready.ok()) co_return ready;
  base::Done made = co_await ChatCreate(c);
  co_return made;
}
Task<Done> ChatUpdate(Case* c) {
  google_chat::GoogleChatClient client = Chat(c);
  co_return Drop(co_await client.UpdateMessage(c->id, "Approved", "", c->context));
}
Task<Done> ChatDelete(Case* c) {
  google_chat::GoogleChatClient client = Chat(c);
  co_return Drop(co_await client.DeleteMessage(c->id, c->context));
}

// --- SendGrid

sendgrid::SendgridClient Sendgrid(Case* c) {
  return sendgrid::SendgridClient(*c->outbound,
                                  {.base_url = c->Base("/sendgrid"), .token = "SG.test"});
}
Task<Done> Journal(Case* c, std::vector<std::string> batch_ids) {
  c->batch_ids = std::move(batch_ids);
  co_return base::Unit{};
}
Task<Done> SendgridBatch(Case* c) {
  sendgrid::SendgridClient client = Sendgrid(c);
  co_return Drop(co_await client.CreateBatch(c->context));
}
Task<Done> SendgridSend(Case* c) {
  sendgrid::SendgridClient client = Sendgrid(c);
  sendgrid::Message mail{.from = {"news@acme.example.com", "Acme"},
                         .to = {{"ann@example.com", "Ann"}},
                         .subject = "Spring is here",
                         .text = "Hello"};
  sendgrid::SendgridClient::Journal journal = [c](std::vector<std::string> batch_ids) {
    return Journal(c, std::move(batch_ids));
  };
  base::Outcome<sendgrid::Scheduled> sent = co_await client.SendOnce(
      std::move(mail), c->now + absl::Hours(1), c->batch_ids, journal, c->context);
  if (sent.ok()) c->id = sent->batch_id;
  co_return Drop(sent);
}
Task<Done> SendgridCancel(Case* c) {
  sendgrid::SendgridClient client = Sendgrid(c);
  co_return Drop(co_await client.CancelBatch(c->id, c->context));
}
Task<Done> SendgridSendAndCancel(Case* c) {
  base::Done sent = co_await SendgridSend(c);
  if (!sent.ok()) co_return sent;
  base::Done canceled = co_await SendgridCancel(c);
  co_return canceled;
}
Task<Done> SendgridGet(Case* c) {
  sendgrid::SendgridClient client = Sendgrid(c);
  co_return Drop(co_await client.GetBatch(c->id, c->context));
}

// --- Buffer

buffer::BufferClient Buffer(Case* c) {
  return buffer::BufferClient(*c->outbound,
                              {.base_url = c->Base("/buffer"), .token = "buffer-test"});
}
std::string BufferMarker(Case* c) { return "utm_id=" + c->workflow_id + "&"; }
Task<Done> BufferChannels(Case* c) {
  buffer::BufferClient client = Buffer(c);
  co_return Drop(co_await client.ListChannels(c->context));
}
Task<Done> BufferEnsure(Case* c) {
  buffer::BufferClient client = Buffer(c);
  buffer::PostSpec spec{.channel_id = "channel-linkedin",
                        .text = "Spring https://acme.example.com/?" + BufferMarker(c) + "x=1",
                        .marker = BufferMarker(c),
                        .due_at = c->now + absl::Hours(1),
                        .since = c->now,
                        .first_try = c->attempt == 1};
  base::Outcome<buffer::Post> post = co_await client.EnsurePost(std::move(spec), c->context);
  if (post.ok()) c->id = post->id;
  co_return Drop(post);
}
Task<Done> BufferFind(Case* c) {
  buffer::BufferClient client = Buffer(c);
  co_return Drop(co_await client.FindPost("channel-linkedin", BufferMarker(c), c->now, c->context));
}
Task<Done> BufferDelete(Case* c) {
  buffer::BufferClient client = Buffer(c);
  co_return Drop(co_await client.DeletePost(c->id, c->context));
}
Task<Done> BufferDeleteAll(Case* c) {
  buffer::BufferClient client = Buffer(c);
  co_return Drop(
      co_await client.DeletePosts("channel-linkedin", BufferMarker(c), c->now, c->context));
}

// --- Grafana

grafana::GrafanaClient Grafana(Case* c) {
  return grafana::GrafanaClient(*c->outbound,
                                {.base_url = c->Base("/grafana"), .token = "glsa_test"});
}
Task<Done> GrafanaEnsure(Case* c) {
  grafana::GrafanaClient client = Grafana(c);
  grafana::DashboardSpec spec{
      .workflow_id = c->workflow_id, .campaign_name = "Spring", .metrics = {"views"}};
  co_return Drop(co_await client.EnsureDashboard(std::move(spec), c->context));
}
Task<Done> GrafanaGet(Case* c) {
  grafana::GrafanaClient client = Grafana(c);
  co_return Drop(co_await client.GetDashboard(grafana::DashboardUid(c->workflow_id), c->context));
}
Task<Done> GrafanaDelete(Case* c) {
  grafana::GrafanaClient client = Grafana(c);
  co_return Drop(
      co_await client.DeleteDashboard(grafana::DashboardUid(c->workflow_id), c->context));
}

// --- A CMS that takes webhooks

webhook::WebhookClient Cms(Case* c) {
  return webhook::WebhookClient(*c->outbound, {.url = c->Base("/cms") + "/hooks/content",
                                               .secret = "whsec_c2FuZGJveC1jbXMtc2VjcmV0"});
}
Task<Done> CmsPublish(Case* c) {
  webhook::WebhookClient client = Cms(c);
  webhook::Content content{
      .name = c->workflow_id, .title = "Spring", .html = "<p>Hello</p>", .created = c->now};
  co_return Drop(co_await client.Publish(std::move(content), c->context));
}
Task<Done> CmsRetract(Case* c) {
  webhook::WebhookClient client = Cms(c);
  co_return Drop(co_await client.Retract(c->workflow_id, c->now, 1, c->context));
}

// --- Memory

memory::MemoryGateway Memory(Case* c) {
  return memory::MemoryGateway(*c->outbound,
                               {.base_url = c->Base("/memory"), .token = "memory-test"});
}
Task<Done> MemoryPut(Case* c) {
  memory::MemoryGateway client = Memory(c);
  memory::Item item{
      .name_space = "drafts", .key = c->workflow_id, .kind = "draft", .content = "Hello"};
  base::Done done = co_await client.Put(std::move(item), c->context);
  co_return done;
}
Task<Done> MemoryGet(Case* c) {
  memory::MemoryGateway client = Memory(c);
  co_return Drop(co_await client.Get("drafts", c->workflow_id, c->context));
}
Task<Done> MemoryDelete(Case* c) {
  memory::MemoryGateway client = Memory(c);
  co_return Drop(co_await client.Delete("drafts", c->workflow_id, c->context));
}
Task<Done> MemoryRecall(Case* c) {
  memory::MemoryGateway client = Memory(c);
  co_return Drop(co_await client.Recall("launch mails", "campaigns", "", 3, c->context));
}

// --- WebDriver

webdriver::WebDriverClient WebDriver(Case* c) {
  return webdriver::WebDriverClient(*c->outbound, c->Base("/webdriver"));
}
Task<Done> WebDriverStatus(Case* c) {
  webdriver::WebDriverClient client = WebDriver(c);
  co_return Drop(co_await client.Status(c->context));
}
Task<Done> WebDriverNew(Case* c) {
  webdriver::WebDriverClient client = WebDriver(c);
  base::Outcome<std::string> session = co_await client.NewSession("{}", c->context);
  if (session.ok()) c->id = *session;
  co_return Drop(session);
}
Task<Done> WebDriverNavigate(Case* c) {
  webdriver::WebDriverClient client = WebDriver(c);
  co_return Drop(
      co_await client.Navigate(c->id, "https://example.com/", absl::Seconds(20), c->context));
}
Task<Done> WebDriverExecute(Case* c) {
  webdriver::WebDriverClient client = WebDriver(c);
  co_return Drop(co_await client.Execute(c->id, "return 1", "[]", absl::Seconds(20), c->context));
}
Task<Done> WebDriverDelete(Case* c) {
  webdriver::WebDriverClient client = WebDriver(c);
  co_return Drop(co_await client.DeleteSession(c->id, absl::Seconds(20), c->context));
}

std::vector<Operation> MakeOperations() {
  using enum Doubt;
  return {
      {"notion", "Search", "search", kRepeats, "", 0, Nothing, NotionSearch},
      {"notion", "QueryDatabase", "databases.retrieve", kRepeats, "", 0, Nothing, NotionQuery},
      {"notion", "QueryDatabase", "dataSources.query", kRepeats, "", 0, Nothing, NotionQuery},
      {"notion", "PageText", "blocks.children.list", kRepeats, "", 0, NotionPrepare,
       NotionPageText},
      {"webdriver", "Status", "status", kRepeats, "", 0, Nothing, WebDriverStatus},
      {"webdriver", "NewSession", "session.new", kGivesBack, "", 0, Nothing, WebDriverNew},
      {"webdriver", "Navigate", "navigate", kGivesBack, "session", 1, WebDriverNew,
       WebDriverNavigate},
      {"webdriver", "Execute", "execute", kGivesBack, "session", 1, WebDriverNew, WebDriverExecute},
      {"webdriver", "DeleteSession", "session.delete", kRepeats, "session", 0, WebDriverNew,
       WebDriverDelete},
      {"memory", "Recall", "memories.search", kRepeats, "", 0, Nothing, MemoryRecall},
      {"memory", "Put", "memories.put", kRepeats, "memory", 1, Nothing, MemoryPut},
      {"memory", "Get", "memories.get", kRepeats, "memory", 1, MemoryPut, MemoryGet},
      {"memory", "Delete", "memories.delete", kRepeats, "memory", 0, MemoryPut, MemoryDelete},
      {"openai", "CompleteJson", "chat.completions", kRepeats, "", 0, Nothing, OpenAiComplete},
      {"openai", "Check", "moderations.create", kRepeats, "", 0, Nothing, OpenAiModerate},
      {"figma", "RenderNodes", "images.get", kRepeats, "", 0, Nothing, FigmaRender},
      {"figma-render", "Download", "render", kRepeats, "", 0, FigmaRender, FigmaDownload},
      {"github", "EnsureBranchWithFiles", "git.getRef", kRepeats, "branch", 1, Nothing,
       GithubBranch, 2},
      {"github", "EnsureBranchWithFiles", "git.createTree", kRepeats, "branch", 1, Nothing,
       GithubBranch},
      {"github", "EnsureBranchWithFiles", "git.createCommit", kRepeats, "branch", 1, Nothing,
       GithubBranch},
      {"github", "EnsureBranchWithFiles", "git.createRef", kRepeats, "branch", 1, Nothing,
       GithubBranch},
      {"github", "EnsurePullRequest", "pulls.create", kLooks, "pull", 1, Nothing, GithubEnsurePull},
      {"github", "FindPullRequest", "pulls.list", kRepeats, "pull", 1, GithubEnsurePull,
       GithubFindPull},
      {"github", "GetPullRequest", "pulls.get", kRepeats, "pull", 1, GithubEnsurePull,
       GithubGetPull},
      {"github", "UpdatePullRequestBody", "pulls.update", kRepeats, "pull", 1, GithubEnsurePull,
       GithubUpdateBody},
      {"github", "EnsureComment", "issues.listComments", kRepeats, "pull", 1, GithubEnsurePull,
       GithubComment},
      {"github", "EnsureComment", "issues.createComment", kLooks, "pull", 1, GithubEnsurePull,
       GithubComment},
      {"github", "ClosePullRequest", "pulls.update", kRepeats, "pull", 0, GithubEnsurePull,
       GithubClose},
      {"github", "ClosePullRequestsOf", "pulls.list", kRepeats, "pull", 0, GithubEnsurePull,
       GithubCloseAll, 2},
      {"github", "MergePullRequest", "pulls.merge", kRepeats, "pull", 0, GithubEnsurePull,
       GithubMerge},
      {"github", "DeleteBranch", "git.deleteRef", kRepeats, "branch", 0, GithubBranch,
       GithubDeleteBranch},
      {"github", "EnsurePage", "repos.getContent", kRepeats, "page", 1, Nothing, GithubEnsurePage},
      {"github", "EnsurePage", "repos.createOrUpdateFileContents", kRepeats, "page", 1, Nothing,
       GithubEnsurePage},
      {"github", "DeletePage", "repos.deleteFile", kRepeats, "page", 0, GithubEnsurePage,
       GithubDeletePage},
      {"slack", "EnsureMessage", "chat.postMessage", kLooks, "message", 1, Nothing, SlackEnsure},
      {"slack", "FindMessage", "conversations.history", kRepeats, "message", 1, SlackEnsure,
       SlackFind},
      {"slack", "UpdateMessage", "chat.update", kRepeats, "message", 1, SlackEnsure, SlackUpdate},
      {"slack", "DeleteMessage", "chat.delete", kRepeats, "message", 0, SlackEnsure, SlackDelete},
      {"google_chat", "CreateMessage", "token", kRepeats, "message", 1, ChatKeyFile, ChatCreate},
      {"google_chat", "CreateMessage", "messages.create", kRepeats, "message", 1, ChatKeyFile,
       ChatCreate},
      {"google_chat", "UpdateMessage", "messages.patch", kRepeats, "message", 1, ChatPrepare,
       ChatUpdate},
      {"google_chat", "DeleteMessage", "messages.delete", kRepeats, "message", 0, ChatPrepare,
       ChatDelete},
      {"sendgrid", "CreateBatch", "mail.batch", kRepeats, "", 0, Nothing, SendgridBatch},
      {"sendgrid", "SendOnce", "mail.send", kFences, "mail", 1, Nothing, SendgridSend},
      {"sendgrid", "CancelBatch", "scheduledSends.create", kRepeats, "mail", 0, SendgridSend,
       SendgridCancel},
      {"sendgrid", "GetBatch", "scheduledSends.get", kRepeats, "mail", 0, SendgridSendAndCancel,
       SendgridGet},
      {"buffer", "ListChannels", "channels", kRepeats, "", 0, Nothing, BufferChannels},
      {"buffer", "EnsurePost", "createPost", kLooks, "post", 1, Nothing, BufferEnsure},
      {"buffer", "FindPost", "posts", kRepeats, "post", 1, BufferEnsure, BufferFind},
      {"buffer", "DeletePost", "deletePost", kRepeats, "post", 0, BufferEnsure, BufferDelete},
      {"buffer", "DeletePosts", "deletePost", kRepeats, "post", 0, BufferEnsure, BufferDeleteAll},
      {"grafana", "EnsureDashboard", "dashboards.save", kRepeats, "dashboard", 1, Nothing,
       GrafanaEnsure},
      {"grafana", "GetDashboard", "dashboards.get", kRepeats, "dashboard", 1, GrafanaEnsure,
       GrafanaGet},
      {"grafana", "DeleteDashboard", "dashboards.delete", kRepeats, "dashboard", 0, GrafanaEnsure,
       GrafanaDelete},
      {"cms", "Publish", "content.published", kRepeats, "article", 1, Nothing, CmsPublish},
      {"cms", "Retract", "content.retracted", kRepeats, "article", 0, CmsPublish, CmsRetract},
  };
}

}  // namespace

const std::vector<Operation>& Operations() {
  static const std::vector<Operation>* const kOperations =
      new std::vector<Operation>(MakeOperations());
  return *kOperations;
}

}  // namespace connector_test
