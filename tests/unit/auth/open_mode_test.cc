// A server without credentials: everybody on this machine is admin, but no web page is.
#include <gtest/gtest.h>

#include "gateway/auth/authenticator.h"

namespace auth {
namespace {

absl::StatusOr<Caller> Ask(Credentials credentials) {
  absl::StatusOr<Caller> answer = absl::UnknownError("not answered");
  OpenAuthenticator().Authenticate(std::move(credentials),
                                   [&](absl::StatusOr<Caller> caller) { answer = caller; });
  return answer;
}

TEST(OpenMode, EverybodyIsAdminOfEveryNamespace) {
  const auto caller = Ask({.address = "127.0.0.1:4711"});
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->role, Role::kAdmin);
  EXPECT_EQ(caller->ns, "*");
  EXPECT_EQ(caller->credential, "none");
  EXPECT_EQ(caller->identity, "");
  EXPECT_FALSE(caller->proven());
  EXPECT_EQ(caller->address, "127.0.0.1:4711");
}

TEST(OpenMode, AnswersOnlyToNamesOfThisMachine) {
  for (const char* host : {"127.0.0.1:8080", "127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:80",
                           "127.9.9.9", "app.localhost:1"}) {
    EXPECT_TRUE(Ask({.host = host}).ok()) << host;
  }
  for (const char* host : {"evil.example.com", "evil.example.com:8080", "127.0.0.1.evil.com",
                           "10.0.0.1:8080", "localhost.evil.com", "[::2]:80"}) {
    EXPECT_EQ(ReasonOf(Ask({.host = host}).status()), "HOST_NOT_LOCAL") << host;
  }
}

TEST(OpenMode, TakesNothingFromOtherOrigins) {
  EXPECT_TRUE(Ask({.host = "localhost", .origin = "http://localhost:3000"}).ok());
  EXPECT_TRUE(Ask({.host = "localhost", .fetch_site = "same-origin"}).ok());
  for (const char* origin : {"https://evil.example.com", "null", "http://127.0.0.1.evil.com"}) {
    EXPECT_EQ(ReasonOf(Ask({.host = "localhost", .origin = origin}).status()), "ORIGIN_NOT_LOCAL")
        << origin;
  }
  EXPECT_FALSE(Ask({.host = "localhost", .fetch_site = "cross-site"}).ok());
}

}  // namespace
}  // namespace auth
