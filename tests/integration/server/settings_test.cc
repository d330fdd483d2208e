// Settings over real files: precedence, every fault at once with line and path, secrets, and the
// sample and the reference document that must not fall behind the keys.
#include "gateway/server/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/server/address.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/metrics.h"
#include "tests/support/temporary_folder.h"

namespace server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string Read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class SettingsTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = dir_ / name;
    std::ofstream(path) << text;
    return path;
  }

  std::vector<std::string> LoadText(const std::string& yaml) {
    Sources sources{.file = Write("settings.yaml", yaml)};
    sources.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      if (found == environment_.end()) return std::nullopt;
      return found->second;
    };
    sources.flags = flags_;
    return Load(sources, &settings_, &provenance_);
  }

  const test::TemporaryFolder folder_;
  const std::filesystem::path dir_ = folder_.path();
  std::map<std::string, std::string> environment_;
  std::vector<Sources::Flag> flags_;
  Settings settings_;
  Provenance provenance_;
};

TEST_F(SettingsTest, EmptyFileGivesDefaults) {
  EXPECT_THAT(LoadText("# nothing\n"), IsEmpty());
  EXPECT_EQ(settings_.server.http_listen, "127.0.0.1:8080");
  EXPECT_EQ(settings_.campaign.undo_window, absl::Minutes(15));
}

TEST_F(SettingsTest, FlagsWinOverEnvironmentOverFile) {
  const std::string yaml =
      "server:\n  http_listen: 127.0.0.1:1\nvendors:\n  webdriver:\n    url: http://file:1\n"
      "  slack:\n    token: from-the-file\n";
  ASSERT_THAT(LoadText(yaml), IsEmpty());
  EXPECT_EQ(settings_.vendors.webdriver.url, "http://file:1");
  EXPECT_EQ(settings_.vendors.slack.token.value(), "from-the-file");

  environment_ = {{"TOOL_SERVICE_URL", "http://environment:2/"}, {"SLACK_BOT_TOKEN", "from-env"}};
  flags_ = {{"--http-listen", "server.http_listen", "127.0.0.1:3"}};
  ASSERT_THAT(LoadText(yaml), IsEmpty());
  EXPECT_EQ(settings_.vendors.webdriver.url, "http://environment:2");
  EXPECT_EQ(settings_.vendors.slack.token.value(), "from-env");
  EXPECT_EQ(settings_.server.http_listen, "127.0.0.1:3");
  EXPECT_EQ(provenance_["vendors.webdriver.url"], "environment TOOL_SERVICE_URL");
  EXPECT_EQ(provenance_["server.http_listen"], "flag --http-listen");
}

TEST_F(SettingsTest, ASecretThatCannotSignIsAFaultAndIsNotShown) {
  environment_ = {{"CMS_WEBHOOK_SECRET", "whsec_no*base64*hush"}};
  const std::vector<std::string> faults = LoadText("");
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_THAT(faults[0], HasSubstr("vendors.cms.secret: what follows whsec_ must be base64"));
  EXPECT_THAT(faults[0], Not(HasSubstr("hush")));
}

TEST_F(SettingsTest, EveryEnvironmentNameIsRead) {
  const std::vector<std::string> secrets = {
      "GITHUB_TOKEN",     "SLACK_BOT_TOKEN",     "FIGMA_ACCESS_TOKEN",
      "SENDGRID_API_KEY", "BUFFER_ACCESS_TOKEN", "GRAFANA_TOKEN",
      "NOTION_TOKEN",     "OPENAI_API_KEY",      "MEMORY_GATEWAY_TOKEN"};
  const std::vector<std::string> urls = {"TOOL_SERVICE_URL", "SOMALLM_PROVIDER_URL",
                                         "MEMORY_GATEWAY_URL", "GRAFANA_URL"};
  for (const std::string& name : secrets) environment_[name] = "value-of-" + name;
  for (const std::string& name : urls) environment_[name] = "http://" + name;
  ASSERT_THAT(LoadText(""), IsEmpty());
  for (const std::string& missing : MissingKeys(settings_)) {
    EXPECT_THAT(missing, Not(HasSubstr("token")));
  }
  EXPECT_EQ(settings_.vendors.github.token.value(), "value-of-GITHUB_TOKEN");
  EXPECT_EQ(settings_.vendors.openai.base_url, "http://SOMALLM_PROVIDER_URL");
  EXPECT_EQ(settings_.vendors.memory.base_url, "http://MEMORY_GATEWAY_URL");
  EXPECT_EQ(settings_.vendors.grafana.base_url, "http://GRAFANA_URL");
}

TEST_F(SettingsTest, SecretsComeFromFiles) {
  environment_ = {{"GITHUB_TOKEN_FILE", Write("github", "token-in-file\n")}};
  const std::string slack = Write("slack", "slack-in-file\n");
  ASSERT_THAT(LoadText("vendors: {slack: {token_file: " + slack + "}}\n"), IsEmpty());
  EXPECT_EQ(settings_.vendors.github.token.value(), "token-in-file");
  EXPECT_EQ(settings_.vendors.slack.token.value(), "slack-in-file");
}

TEST_F(SettingsTest, ASecretsFileThatChangesIsReadAgain) {
  const std::string path = Write("slack", "xoxb-first\n");
  environment_ = {{"SLACK_BOT_TOKEN_FILE", path}, {"GITHUB_TOKEN", "not-from-a-file"}};
  ASSERT_THAT(LoadText(""), IsEmpty());
  ASSERT_EQ(settings_.secret_files.size(), 1u);
  const base::Secret held_by_a_client = settings_.vendors.slack.token;
  base::SystemClock clock;
  base::EpollLoop loop(clock, "test");
  base::Metrics metrics;
  SecretFiles files(loop, settings_.secret_files, absl::Seconds(10), metrics);

  Write("slack", "xoxb-second\n");
  files.Check();
  EXPECT_EQ(held_by_a_client.value(), "xoxb-second");
  EXPECT_EQ(base::Redact("a xoxb-second b"), "a [redacted] b");
  EXPECT_THAT(metrics.Expose(), HasSubstr("secrets_replaced_total{key=\"vendors.slack.token\"} 1"));

  for (const char* wrong : {"", " \n", "two words"}) {
    Write("slack", wrong);
    files.Check();
    EXPECT_EQ(held_by_a_client.value(), "xoxb-second") << wrong;
  }
  std::filesystem::remove(path);
  files.Check();
  EXPECT_EQ(held_by_a_client.value(), "xoxb-second");
}

TEST_F(SettingsTest, AFlagOrASecondPlaceThatWinsIsNotAFile) {
  environment_ = {{"SLACK_BOT_TOKEN", "from-env"}};
  const std::string path = Write("slack", "from-a-file\n");
  ASSERT_THAT(LoadText("vendors: {slack: {token_file: " + path + "}}\n"), IsEmpty());
  EXPECT_EQ(settings_.vendors.slack.token.value(), "from-env");
  EXPECT_THAT(settings_.secret_files, IsEmpty());
}

TEST_F(SettingsTest, RefusesSecretGivenTwiceEmptyAndUnreadable) {
  environment_ = {{"GITHUB_TOKEN", "a"},
                  {"GITHUB_TOKEN_FILE", Write("github", "b")},
                  {"SLACK_BOT_TOKEN_FILE", "/no/such/file"},
                  {"FIGMA_ACCESS_TOKEN_FILE", Write("figma", "\n")}};
  EXPECT_THAT(
      LoadText(""),
      UnorderedElementsAre(HasSubstr("GITHUB_TOKEN and GITHUB_TOKEN_FILE are both set"),
                           AllOf(HasSubstr("SLACK_BOT_TOKEN_FILE"), HasSubstr("/no/such/file")),
                           AllOf(HasSubstr("FIGMA_ACCESS_TOKEN_FILE"), HasSubstr("is empty"))));
}

TEST_F(SettingsTest, ReportsEveryFaultAtOnceWithLineAndPath) {
  const std::vector<std::string> faults = LoadText(
      "server:\n"
      "  http_listen: nonsense\n"
      "  htp_listen: 127.0.0.1:1\n"
      "  log_level: [info]\n"
      "engin:\n"
      "  cached_runs_max: 1\n"
      "engine:\n"
      "  cached_runs_max: many\n"
      "  activities_at_once_max: 0\n"
      "campaign:\n"
      "  undo_window: 15\n"
      "  email:\n"
      "    from_address: nobody\n"
      "    recipients: one@example.com\n"
      "  research: 3\n"
      "vendors:\n"
      "  slak:\n"
      "    token: x\n"
      "  slack:\n"
      "    base_url: ftp://slack.com\n"
      "    token: two words\n"
      "    token: again\n");
  EXPECT_THAT(faults, SizeIs(14)) << ::testing::PrintToString(faults);
  const std::string all = absl::StrCat(::testing::PrintToString(faults));
  EXPECT_THAT(all, HasSubstr("settings.yaml:2: server.http_listen: must be ADDRESS:PORT"));
  EXPECT_THAT(all, HasSubstr(":3: server.htp_listen: unknown key; did you mean "
                             "server.http_listen?"));
  EXPECT_THAT(all, HasSubstr(":4: server.log_level: must be debug | info"));
  EXPECT_THAT(all, HasSubstr(":5: engin: unknown key; did you mean engine?"));
  EXPECT_THAT(all, HasSubstr(":8: engine.cached_runs_max: must be an integer"));
  EXPECT_THAT(all, HasSubstr(":9: engine.activities_at_once_max: must be 1 to 100000"));
  EXPECT_THAT(all, HasSubstr(":11: campaign.undo_window: must be a duration with its unit"));
  EXPECT_THAT(all, HasSubstr(":13: campaign.email.from_address: must be an e-mail address"));
  EXPECT_THAT(all, HasSubstr(":14: campaign.email.recipients: must be a list of texts"));
  EXPECT_THAT(all, HasSubstr(":15: campaign.research: must be a section"));
  EXPECT_THAT(all, HasSubstr(":17: vendors.slak: unknown key; did you mean vendors.slack?"));
  EXPECT_THAT(all, HasSubstr(":20: vendors.slack.base_url: must be an http"));
  EXPECT_THAT(all, HasSubstr(":21: vendors.slack.token: must not hold blanks"));
  EXPECT_THAT(all, HasSubstr(":22: vendors.slack.token: is given twice"));
  EXPECT_THAT(all, Not(HasSubstr("two words"))) << "a secret was shown";
}

TEST_F(SettingsTest, SaysWhatAKeyTakesWhereItGotAList) {
  const std::string all = ::testing::PrintToString(
      LoadText("vendors:\n  slack:\n    token: [a, b]\nserver:\n  log_level: {a: 1}\n"));
  EXPECT_THAT(all, HasSubstr("vendors.slack.token: must be one value (secret), not a list"));
  EXPECT_THAT(all, HasSubstr("server.log_level: must be debug | info"));
}

TEST_F(SettingsTest, ReportsBrokenYamlWithItsLine) {
  EXPECT_THAT(LoadText("server:\n  http_listen: [1\n"),
              ElementsAre(AllOf(HasSubstr("settings.yaml:3"), HasSubstr("not YAML"))));
  EXPECT_THAT(LoadText("- a\n- b\n"), ElementsAre(HasSubstr("must be a map of sections")));
}

TEST_F(SettingsTest, ReportsMissingFile) {
  EXPECT_THAT(Load({.file = "/no/such.yaml"}, &settings_, &provenance_),
              ElementsAre(HasSubstr("cannot read /no/such.yaml")));
}

TEST_F(SettingsTest, RefusesIntervalsThatContradictEachOther) {
  EXPECT_THAT(LoadText("activities:\n  compensations:\n    initial_interval: 1h\n"),
              ElementsAre(HasSubstr("activities.compensations.maximum_interval: must not be "
                                    "shorter than activities.compensations.initial_interval")));
}

TEST_F(SettingsTest, TokensNeedAnIssuerAnAudienceAndKeysThatNobodyCanChange) {
  const std::string keys = "auth: {jwt: {jwks_url: 'http://issuer.example.com/jwks'}}\n";
  EXPECT_THAT(LoadText(keys), ElementsAre(HasSubstr("auth.jwt.issuer"),
                                          HasSubstr("auth.jwt.audiences"), HasSubstr("https")));
  settings_ = {};
  EXPECT_THAT(LoadText("auth: {jwt: {issuer: x, audiences: [y]}}\n"),
              ElementsAre(HasSubstr("there are no keys")));
  settings_ = {};
  environment_ = {{"CAMPAIGND_JWT_SECRET", "too-short"}};
  EXPECT_THAT(LoadText("auth: {jwt: {issuer: x, audiences: [y]}, email_domains: [ann@example.com], "
                       "default_namespace: 'a b'}\n"),
              ElementsAre(HasSubstr("32 bytes"), HasSubstr("auth.email_domains"),
                          HasSubstr("auth.default_namespace")));
  environment_ = {};
  for (const char* url : {"https://issuer.example.com/jwks", "http://127.0.0.1:8000/jwks",
                          "http://localhost/jwks", "http://[::1]:9/jwks"}) {
    settings_ = {};
    EXPECT_THAT(
        LoadText(absl::StrCat("auth: {jwt: {issuer: x, audiences: [y], jwks_url: '", url, "'}}\n")),
        IsEmpty());
  }
}

TEST_F(SettingsTest, NeverPrintsSecrets) {
  environment_ = {{"GITHUB_TOKEN", "very-secret-token"}};
  ASSERT_THAT(LoadText("vendors: {slack: {token: another-secret}}\n"), IsEmpty());
  const std::string text = PrintYaml(settings_, provenance_);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("very-secret")), Not(HasSubstr("another-secret"))));
  EXPECT_THAT(text, HasSubstr("token: \"[set]\"  # environment GITHUB_TOKEN"));
}

TEST_F(SettingsTest, PrintedSettingsLoadAgain) {
  ASSERT_THAT(LoadText("campaign:\n  email:\n    recipients: [a@b.c, \"x: y\"]\n"
                       "  figma: {email_node: \"1:2\", file_key: \"007\"}\n"),
              IsEmpty());
  const std::string printed = PrintYaml(settings_, {});
  Settings again;
  Provenance provenance;
  EXPECT_THAT(Load({.file = Write("printed.yaml", printed)}, &again, &provenance), IsEmpty());
  EXPECT_EQ(PrintYaml(again, {}), printed);
  EXPECT_THAT(again.campaign.email.recipients, ElementsAre("a@b.c", "x: y"));
  EXPECT_EQ(again.campaign.figma.file_key, "007");
}

TEST_F(SettingsTest, NamesWhatCampaignsNeedAndIsNotSet) {
  ASSERT_THAT(LoadText("campaign: {figma: {file_key: abc}}\n"), IsEmpty());
  const std::vector<std::string> missing = MissingKeys(settings_);
  EXPECT_THAT(missing, ::testing::Contains("vendors.github.token (GITHUB_TOKEN)"));
  EXPECT_THAT(missing, ::testing::Contains("campaign.review.slack_channel"));
  EXPECT_THAT(missing, Not(::testing::Contains("campaign.figma.file_key")));
}

TEST(Address, ParsesHostsAndPorts) {
  const auto parsed = [](const char* text) {
    const std::optional<Address> address = ParseAddress(text);
    return address.has_value() ? ConnectText(*address) : "none";
  };
  EXPECT_EQ(parsed("127.0.0.1:8080"), "127.0.0.1:8080");
  EXPECT_EQ(parsed("localhost:0"), "127.0.0.1:0");
  EXPECT_EQ(parsed(":8080"), "127.0.0.1:8080");
  EXPECT_EQ(parsed("[::1]:7233"), "[::1]:7233");
  EXPECT_EQ(parsed("[::]:7233"), "[::1]:7233");
  for (const char* bad : {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80",
                          "[::1]", "[1.2.3.4]:80", "a b:80", "host:-1", "host:8o"}) {
    EXPECT_EQ(parsed(bad), "none") << bad;
  }
  EXPECT_TRUE(IsLoopback(*ParseAddress("127.0.0.2:1")));
  EXPECT_FALSE(IsLoopback(*ParseAddress("0.0.0.0:1")));
  EXPECT_FALSE(IsLoopback(*ParseAddress("127.example.com:1")));
}

// With CAMPAIGND_UPDATE_DOCUMENTS set the two tests below write what they expect.
bool Updating() { return std::getenv("CAMPAIGND_UPDATE_DOCUMENTS") != nullptr; }

TEST(SettingsDocuments, SampleHoldsEveryDefault) {
  const std::string path = "deploy/settings.yaml";
  if (Updating()) std::ofstream(path) << SampleYaml();
  EXPECT_EQ(Read(path), SampleYaml())
      << "run CAMPAIGND_UPDATE_DOCUMENTS=1 build/bin/settings_tests in the root";
  Settings loaded;
  Provenance provenance;
  ASSERT_THAT(Load({.file = path}, &loaded, &provenance), IsEmpty());
  EXPECT_EQ(PrintYaml(loaded, {}), PrintYaml(Settings(), {}));
}

TEST(SettingsDocuments, ReferenceDescribesEveryKey) {
  const std::string path = "docs/settings.md";
  const std::string begin = "<!-- keys: begin -->\n";
  const std::string end = "<!-- keys: end -->";
  std::string text = Read(path);
  const size_t from = text.find(begin);
  const size_t to = text.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos) << path << " lacks its marks";
  if (Updating()) {
    text = absl::StrCat(text.substr(0, from + begin.size()), ReferenceMarkdown(), text.substr(to));
    std::ofstream(path) << text;
  }
  EXPECT_THAT(text, HasSubstr(absl::StrCat(begin, ReferenceMarkdown(), end)))
      << "run CAMPAIGND_UPDATE_DOCUMENTS=1 build/bin/settings_tests in the root";
}

}  // namespace
}  // namespace server
