#include "gateway/server/audited_settings.h"

#include <gtest/gtest.h>

namespace server {
namespace {

TEST(AuditedSettings, SayWhereEachCameFrom) {
  Sources sources;
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "SLACK_BOT_TOKEN") return "xoxb-secret";
    return std::nullopt;
  };
  sources.flags = {{"--http-listen", "server.http_listen", "127.0.0.1:3"}};
  Settings settings;
  Provenance provenance;
  ASSERT_TRUE(Load(sources, &settings, &provenance).empty());

  auto audited = AuditedSettings(settings, provenance);
  EXPECT_EQ(audited["server.http_listen"].value, "127.0.0.1:3");
  EXPECT_EQ(audited["server.http_listen"].source, "flag --http-listen");
  EXPECT_FALSE(audited["server.http_listen"].is_default);
  EXPECT_EQ(audited["vendors.slack.token"].source, "environment SLACK_BOT_TOKEN");
  EXPECT_TRUE(audited["vendors.slack.token"].secret);
  EXPECT_EQ(audited["server.grpc_listen"].source, "default");
  EXPECT_TRUE(audited["server.grpc_listen"].is_default);
  EXPECT_EQ(AuditedSettings(settings, {})["server.http_listen"].source, "");
}

}  // namespace
}  // namespace server
