// campaignctl as its users run it, against the servers of the fixture: output and exit codes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/support/await.h"

extern char** environ;

namespace gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

struct Ran {
  int exit_code = -1;
  std::string out;
  std::string err;
};

std::string Contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Cli : public GatewayTest {
 protected:
  pid_t Spawn(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {CAMPAIGNCTL, "--address", grpc_address()});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 1, folder_.File("out").c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, folder_.File("err").c_str(), flags, 0600);
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, CAMPAIGNCTL, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }
  Ran Wait(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    Ran ran;
    ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ran.out = Contents(folder_.File("out"));
    ran.err = Contents(folder_.File("err"));
    return ran;
  }
  // Waits until the program has printed that.
  void AwaitOutput(const std::string& text, const std::string& file = "out") {
    test::Await([&] { return absl::StrContains(Contents(folder_.File(file)), text); },
                "campaignctl to print " + text);
  }
  Ran Run(std::vector<std::string> arguments) { return Wait(Spawn(std::move(arguments))); }
  // The campaign ends while the server is away; then it comes back, and campaignctl ends.
  Ran EndThenServe(pid_t pid, const std::string& address) {
    client_.Change("c1", [](auto& run) { run.info.set_status(v1::RunStatus::COMPLETED); });
    grpc_ = std::make_unique<GrpcServer>(GrpcServerOptions{.address = address}, door_, random_,
                                         workflow_service_.get(), campaign_service_.get());
    EXPECT_TRUE(grpc_->Start().ok());
    return Wait(pid);
  }
  std::string File(const std::string& name, const std::string& text) {
    std::ofstream(folder_.File(name)) << text;
    return folder_.File(name);
  }
};

constexpr char kSpring[] =
    "campaign_name: Spring\ncampaign_goals: [Sell]\nchannels: [email]\n"
    "research_sources: [memory]\ntarget_audience: All\ntone: casual\n";

TEST_F(Cli, StartsACampaignFromAFile) {
  const std::string file = File("spring.yaml", kSpring);
  const Ran first = Run({"start", "-f", file, "--request-id", "r1", "--output", "json"});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  const std::string id = json::parse(first.out)["workflow_id"];
  const Ran again = Run({"start", "-f", file, "--request-id", "r1"});
  EXPECT_THAT(again.out, HasSubstr(id));
  EXPECT_THAT(again.out, HasSubstr("had started it before"));
  EXPECT_EQ(Run({"start", "-f", "/nonexistent.yaml"}).exit_code, 2);
}

TEST_F(Cli, NamesWrongFieldsWithTheirLines) {
  const Ran types = Run({"start", "-f", File("a.yaml", "campaign_name: 7\ntones: x\n")});
  EXPECT_EQ(types.exit_code, 2);
  EXPECT_THAT(types.err, HasSubstr("campaign_name must be a string, not a number (line 1)"));
  EXPECT_THAT(types.err, HasSubstr("did you mean tone? (line 2)"));
  const Ran values =
      Run({"start", "-f", File("b.yaml", absl::StrCat(kSpring, "reviewers:\n  - bob\n"))});
  EXPECT_EQ(values.exit_code, 2);
  EXPECT_THAT(values.err, HasSubstr("reviewers[0] must be a Slack user id"));
  EXPECT_THAT(values.err, HasSubstr("(line 8)"));
}

TEST_F(Cli, WatchPrintsALinePerChangeAndExitsWithTheOutcome) {
  for (const auto& [status, code] :
       {std::pair{v1::RunStatus::COMPLETED, 0}, std::pair{v1::RunStatus::FAILED, 1}}) {
    client_.AddCampaign("c1");
    const pid_t pid = Spawn({"watch", "c1"});
    AwaitOutput("60 %");
    client_.Change("c1", [status = status](auto& run) { run.info.set_status(status); });
    const Ran ran = Wait(pid);
    EXPECT_EQ(ran.exit_code, code) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("review"));
    EXPECT_THAT(ran.out, HasSubstr(absl::StrCat("status  ", v1::RunStatus::Value_Name(status))));
  }
}

TEST_F(Cli, WatchGoesOnWhenTheServerComesBack) {
  client_.AddCampaign("c1");
  const pid_t pid = Spawn({"watch", "c1", "--output", "json"});
  AwaitOutput("review");
  const std::string address = grpc_address();
  grpc_->Stop(absl::ZeroDuration());
  const Ran ran = EndThenServe(pid, address);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("COMPLETED"));
  EXPECT_THAT(ran.err, HasSubstr("campaignctl: the server is away"));
  EXPECT_THAT(ran.err, HasSubstr("campaignctl: the server is back"));
}

TEST_F(Cli, ResultGoesOnWhenTheServerComesBack) {
  client_.AddCampaign("c1");
  const pid_t pid = Spawn({"result", "c1", "--wait"});
  test::Await([&] { return client_.calls("GetResult") >= 2; }, "campaignctl to ask again");
  const std::string address = grpc_address();
  grpc_->Stop(absl::ZeroDuration());
  AwaitOutput("the server is away", "err");
  const Ran ran = EndThenServe(pid, address);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("COMPLETED"));
  EXPECT_EQ(ran.err.find("error"), std::string::npos) << ran.err;
}

TEST_F(Cli, AServerThatStaysAwayIsNotWaitedForBeyondTheTimeout) {
  client_.AddCampaign("c1");
  const std::vector<std::vector<std::string>> commands = {
      {"result", "c1", "--wait", "--timeout", "2s"}, {"watch", "c1", "--timeout", "2s"}};
  for (const std::vector<std::string>& arguments : commands) {
    const int before = client_.calls("GetResult") + client_.calls("Query");
    const pid_t pid = Spawn(arguments);
    test::Await([&] { return client_.calls("GetResult") + client_.calls("Query") > before; },
                "campaignctl to ask");
    const std::string address = grpc_address();
    grpc_->Stop(absl::ZeroDuration());
    const Ran ran = Wait(pid);
    EXPECT_EQ(ran.exit_code, 5) << arguments[0];
    EXPECT_THAT(ran.err, HasSubstr("error: ")) << arguments[0];
    const Ran never = Run(arguments);  // nobody was there, ever
    EXPECT_EQ(never.exit_code, 5) << arguments[0];
    EXPECT_EQ(never.err.find("waiting for it"), std::string::npos) << never.err;
    grpc_ = std::make_unique<GrpcServer>(GrpcServerOptions{.address = address}, door_, random_,
                                         workflow_service_.get(), campaign_service_.get());
    ASSERT_TRUE(grpc_->Start().ok());
  }
}

TEST_F(Cli, DecisionsAndTheirConflict) {
  client_.AddCampaign("c1");
  const Ran approved = Run({"approve", "c1", "--by", "ann", "--comment", "good"});
  EXPECT_EQ(approved.exit_code, 0) << approved.err;
  EXPECT_THAT(approved.out, HasSubstr("approved by ann"));
  const Ran rejected = Run({"reject", "c1", "--reason", "late"});
  EXPECT_EQ(rejected.exit_code, 4);
  EXPECT_THAT(rejected.err, HasSubstr("error: already approved by ann"));
  EXPECT_EQ(Run({"approve", "none"}).exit_code, 3);
}

TEST_F(Cli, ShowsListsAndHistories) {
  client_.AddCampaign("c1");
  EXPECT_THAT(Run({"list"}).out, HasSubstr("c1        campaign  RUNNING"));
  EXPECT_EQ(json::parse(Run({"list", "--output", "json"}).out)["workflows"][0]["workflow_id"],
            "c1");
  EXPECT_THAT(Run({"show", "c1"}).out, HasSubstr("run       run-1"));
  EXPECT_THAT(Run({"history", "c1"}).out, HasSubstr("WorkflowExecutionStarted  campaign"));
  EXPECT_THAT(Run({"saga", "show", "c1"}).out, HasSubstr("content_creation_activity  SUCCEEDED"));
  EXPECT_THAT(Run({"saga", "skip", "c1", "step", "--reason", "gone"}).out, HasSubstr("SKIPPED"));
  EXPECT_EQ(Run({"saga", "skip", "c1", "step"}).exit_code, 2);
  EXPECT_EQ(Run({"result", "c1"}).exit_code, 4);
  EXPECT_EQ(Run({"list", "--status", "happy"}).exit_code, 2);
}

TEST_F(Cli, WizardsFromDraftToCampaign) {
  const Ran made = Run(
      {"wizard", "create", "-f", File("d.yaml", "campaign_name: Spring\n"), "--output", "json"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const std::string id = json::parse(made.out)["wizard_id"];
  EXPECT_EQ(Run({"wizard", "approve", id}).exit_code, 2);
  EXPECT_EQ(Run({"wizard", "update", id, "-f", File("e.yaml", kSpring)}).exit_code, 0);
  EXPECT_THAT(Run({"wizard", "approve", id}).out, HasSubstr(absl::StrCat("campaign-", id)));
  EXPECT_THAT(Run({"wizard", "list"}).out, HasSubstr("approved"));
  EXPECT_EQ(Run({"wizard", "update", id, "-f", File("f.yaml", "tone: casual\n")}).exit_code, 4);
}

TEST_F(Cli, WizardsAreValidatedPreviewedClonedFilteredAndDeleted) {
  const Ran made = Run(
      {"wizard", "create", "-f", File("d.yaml", "campaign_name: Spring\n"), "--output", "json"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const std::string id = json::parse(made.out)["wizard_id"];
  const std::string etag = json::parse(made.out)["etag"];
  const Ran invalid = Run({"wizard", "validate", id});
  EXPECT_EQ(invalid.exit_code, 2);
  EXPECT_THAT(invalid.out, HasSubstr("5 to be mended:"));
  EXPECT_THAT(invalid.out, HasSubstr("campaign.tone is required"));
  ASSERT_EQ(Run({"wizard", "update", id, "--etag", etag, "-f", File("e.yaml", kSpring)}).exit_code,
            0);
  const Ran stale = Run({"wizard", "update", id, "--etag", etag, "-f", File("e.yaml", kSpring)});
  EXPECT_EQ(stale.exit_code, 4);
  EXPECT_THAT(stale.err, HasSubstr("is not its current one"));
  EXPECT_THAT(Run({"wizard", "validate", id}).out, HasSubstr("ready to be approved"));
  const Ran preview = Run({"wizard", "preview", id});
  EXPECT_EQ(preview.exit_code, 0) << preview.err;
  EXPECT_THAT(preview.out, HasSubstr("open a pull request"));
  EXPECT_THAT(preview.out, HasSubstr("no reviewers are named"));
  const Ran cloned =
      Run({"wizard", "clone", "--wizard", id, "-f", File("c.yaml", "campaign_name: Summer\n")});
  EXPECT_EQ(cloned.exit_code, 0) << cloned.err;
  EXPECT_THAT(cloned.out, HasSubstr(absl::StrCat("wizards/", id)));
  EXPECT_EQ(Run({"wizard", "clone"}).exit_code, 2);
  const Ran list = Run({"wizard", "list", "--filter", "campaign_name:Summer", "--order-by",
                        "campaign_name desc, create_time"});
  EXPECT_THAT(list.out, HasSubstr("Summer"));
  EXPECT_THAT(list.out, testing::Not(HasSubstr("Spring")));
  EXPECT_EQ(Run({"wizard", "list", "--filter", "colour = red"}).exit_code, 2);
  EXPECT_EQ(Run({"wizard", "delete", id, "--etag", etag}).exit_code, 4);
  EXPECT_THAT(Run({"wizard", "delete", id}).out, HasSubstr("is deleted"));
  EXPECT_EQ(Run({"wizard", "show", id}).exit_code, 3);
}

TEST_F(Cli, HoldsARunAndLetsItGoOn) {
  client_.AddCampaign("c1");
  const Ran paused = Run({"pause", "c1", "--reason", "incident", "--request-id", "p1"});
  EXPECT_EQ(paused.exit_code, 0) << paused.err;
  EXPECT_THAT(paused.out, HasSubstr("c1 is paused"));
  EXPECT_THAT(client_.last("Pause"), HasSubstr("reason: \"incident\""));
  EXPECT_THAT(client_.last("Pause"), HasSubstr("request_id: \"p1\""));
  EXPECT_THAT(Run({"pause", "c1"}).out, HasSubstr("was paused before"));
  EXPECT_THAT(Run({"resume", "c1"}).out, HasSubstr("c1 goes on"));
  EXPECT_THAT(Run({"resume", "c1"}).out, HasSubstr("was not paused"));
  EXPECT_THAT(Run({"retry-now", "c1"}).out, HasSubstr("no activity was waiting"));
  EXPECT_THAT(Run({"retry-now", "c1", "--activity", "3", "--activity", "4"}).out,
              HasSubstr("tried now: activity 3, 4"));
  EXPECT_EQ(Run({"pause", "none"}).exit_code, 3);
  EXPECT_EQ(Run({"resume", "none"}).exit_code, 3);
  EXPECT_EQ(Run({"retry-now", "none"}).exit_code, 3);
  EXPECT_THAT(Run({"pause", "--help"}).out, HasSubstr("campaignctl pause campaign-"));
}

TEST_F(Cli, StartsARunOfAnyTypeWithItsOptions) {
  const Ran started = Run({"start-workflow", "report", "daily", "--cron", "0 6 * * *", "--reuse",
                           "reject-duplicate", "--run-timeout", "90s", "--input", "{\"day\":1}"});
  EXPECT_EQ(started.exit_code, 0) << started.err;
  const std::string request = client_.last("StartWorkflow");
  for (const char* part : {"cron_schedule: \"0 6 * * *\"", "REJECT_DUPLICATE", "seconds: 90",
                           "workflow_type: \"report\"", "json/plain"}) {
    EXPECT_THAT(request, HasSubstr(part));
  }
  EXPECT_EQ(Run({"start-workflow", "report", "daily", "--conflict", "maybe"}).exit_code, 2);
  EXPECT_EQ(Run({"start-workflow", "report", "daily", "--delay", "soon"}).exit_code, 2);
  EXPECT_EQ(Run({"start-workflow", "report", "daily", "--delay", "-5s"}).exit_code, 2);
  const Ran signaled = Run({"start-workflow", "cart", "c9", "--signal", "add"});
  EXPECT_THAT(signaled.out, HasSubstr("started, with the signal")) << signaled.err;
  const Ran updated =
      Run({"start-workflow", "cart", "c9", "--update", "pay", "--update-input", "{\"sum\":17}"});
  EXPECT_EQ(updated.exit_code, 0) << updated.err;
  EXPECT_THAT(updated.out, HasSubstr("17"));
  EXPECT_EQ(Run({"start-workflow", "cart", "c9", "--signal", "a", "--update", "b"}).exit_code, 2);
}

TEST_F(Cli, CountsVersionsDeletesAndFilters) {
  client_.AddCampaign("c1");
  const Ran count = Run({"count", "--filter", "status = RUNNING"});
  EXPECT_EQ(count.exit_code, 0) << count.err;
  EXPECT_THAT(count.out, HasSubstr("1 runs"));
  EXPECT_THAT(client_.last("CountWorkflows"), HasSubstr("filter: \"status = RUNNING\""));
  const Ran wrong = Run({"count", "--filter", "wrong"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("filter"));
  EXPECT_THAT(wrong.err, HasSubstr("at character 1"));
  EXPECT_EQ(Run({"list", "--filter", "Region = eu", "--order-by", "close_time"}).exit_code, 0);
  EXPECT_THAT(client_.last("ListWorkflows"), HasSubstr("filter: \"Region = eu"));
  EXPECT_THAT(client_.last("ListWorkflows"), HasSubstr("order_by: \"close_time\""));
  const Ran versions = Run({"versions"});
  EXPECT_THAT(versions.out, HasSubstr("fast-path"));
  EXPECT_THAT(versions.out, HasSubstr("build-7"));
  const Ran deleted = Run({"delete", "c1", "--reason", "tidy"});
  EXPECT_EQ(deleted.exit_code, 0) << deleted.err;
  EXPECT_THAT(client_.last("DeleteWorkflow"), HasSubstr("reason: \"tidy\""));
  EXPECT_NE(Run({"delete", "nobody"}).exit_code, 0);
}

TEST_F(Cli, ResetsARun) {
  client_.AddCampaign("c1");
  const Ran ran = Run({"reset", "c1", "--event", "4", "--reason", "wrong price", "--children",
                       "cancel", "--drop-signals", "--request-id", "r1"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("c1 goes on after event 4 as run"));
  const std::string request = client_.last("ResetWorkflow");
  for (const char* part : {"event_id: 4", "reason: \"wrong price\"", "children: REQUEST_CANCEL",
                           "drop_signals: true", "request_id: \"r1\""}) {
    EXPECT_THAT(request, HasSubstr(part));
  }
  EXPECT_THAT(request, Not(HasSubstr("force")));
  EXPECT_EQ(Run({"reset", "c1", "--list"}).exit_code, 0);
  EXPECT_EQ(Run({"reset", "c1"}).exit_code, 2) << "it must say where to";
  EXPECT_EQ(Run({"reset", "c1", "--event", "4", "--list"}).exit_code, 2);
  EXPECT_EQ(Run({"reset", "none", "--event", "4"}).exit_code, 3);
}

TEST_F(Cli, SaysWhenTheServerCannotBeReached) {
  grpc_->Stop(absl::ZeroDuration());
  const Ran ran = Run({"list"});
  EXPECT_EQ(ran.exit_code, 5);
  EXPECT_THAT(ran.err, HasSubstr("is campaignd running at"));
}

TEST_F(Cli, UsageErrorsAndHelp) {
  EXPECT_EQ(Run({}).exit_code, 2);
  EXPECT_THAT(Run({"strat"}).err, HasSubstr("no command strat; did you mean start?"));
  EXPECT_EQ(Run({"list", "--output", "xml"}).exit_code, 2);
  EXPECT_EQ(Run({"list", "--timeout", "soon"}).exit_code, 2);
  const Ran help = Run({"saga", "retry", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("Example:"));
  EXPECT_THAT(Run({"completion", "bash"}).out, HasSubstr("complete -F _campaignctl campaignctl"));
}

}  // namespace
}  // namespace gateway
