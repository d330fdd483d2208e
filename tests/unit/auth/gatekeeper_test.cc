// Who is behind a credential: roles, namespaces, domains; keys that have ended.
#include "gateway/auth/gatekeeper.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/auth/test_tokens.h"

namespace auth {
namespace {

class GatekeeperTest : public ::testing::Test {
 protected:
  GatekeeperTest() {
    base::SetLogLevel(base::LogLevel::kOff);
    Open();
    EXPECT_TRUE(verifier_.Open().ok());
  }
  void Open() {
    store_.reset();
    store_ = *AccessStore::Open(folder_.File("access.db"), clock_);
  }
  absl::StatusOr<NewKey> Create(Role role, const std::string& ns = "*",
                                absl::Time expires = absl::InfiniteFuture()) {
    std::promise<absl::StatusOr<NewKey>> made;
    store_->CreateKey(
        {.name = "ci", .role = role, .ns = ns, .created_by = "test", .expires = expires},
        [&](absl::StatusOr<NewKey> key) { made.set_value(std::move(key)); });
    return made.get_future().get();
  }
  absl::StatusOr<ApiKey> Revoke(const std::string& id, const std::string& only_ns = "") {
    std::promise<absl::StatusOr<ApiKey>> done;
    store_->RevokeKey(id, "ann", only_ns,
                      [&](absl::StatusOr<ApiKey> key) { done.set_value(std::move(key)); });
    return done.get_future().get();
  }
  void Set(const std::string& email, Role role, const std::string& ns = "default") {
    std::promise<void> done;
    store_->SetUser({.email = email, .role = role, .ns = ns},
                    [&](absl::StatusOr<User>) { done.set_value(); });
    done.get_future().get();
  }
  absl::StatusOr<Caller> Ask(Credentials credentials, Gatekeeper::Options options = {}) {
    Gatekeeper gatekeeper(*store_, &verifier_, std::move(options), clock_);
    absl::StatusOr<Caller> answer = absl::UnknownError("not answered");
    gatekeeper.Authenticate(std::move(credentials),
                            [&](absl::StatusOr<Caller> caller) { answer = std::move(caller); });
    return answer;
  }
  absl::StatusOr<Caller> AskWith(const std::string& token, Gatekeeper::Options options = {}) {
    return Ask({.authorization = absl::StrCat("Bearer ", token), .address = "10.0.0.9:1"},
               std::move(options));
  }
  std::string Token(nlohmann::json claims) {
    nlohmann::json all = {{"iss", "issuer"},
                          {"aud", "campaignd"},
                          {"exp", absl::ToUnixSeconds(clock_.Now() + absl::Hours(1))}};
    all.update(claims);
    return key_.Sign(all);
  }

  test::ManualClock clock_;
  test::TemporaryFolder folder_;
  std::unique_ptr<AccessStore> store_;
  const std::string secret_ = std::string(32, 's');
  const TokenKey key_ = TokenKey::Secret(secret_);
  JwtVerifier verifier_{
      {.rules = {.issuer = "issuer", .audiences = {"campaignd"}}, .secret = base::Secret(secret_)},
      clock_,
      {}};
};

TEST_F(GatekeeperTest, AKeyIsItsRoleAndNamespace) {
  const auto admin = Create(Role::kAdmin);
  ASSERT_TRUE(admin.ok()) << admin.status().ToString();
  EXPECT_EQ(admin->secret.substr(0, 12), admin->key.id + "_");
  EXPECT_GE(admin->secret.size(), 12 + 43);  // 256 bits as base64url
  const auto editor = Create(Role::kEditor, "marketing");
  const auto caller = AskWith(editor->secret);
  ASSERT_TRUE(caller.ok()) << caller.status().ToString();
  EXPECT_EQ(caller->identity, "key:ci");
  EXPECT_EQ(caller->credential, "api_key");
  EXPECT_EQ(caller->role, Role::kEditor);
  EXPECT_EQ(caller->ns, "marketing");
  EXPECT_EQ(caller->key_id, editor->key.id);
  EXPECT_EQ(caller->address, "10.0.0.9:1");
}

TEST_F(GatekeeperTest, TheFirstKeyMustBeAnAdminOfEverything) {
  EXPECT_EQ(Create(Role::kEditor).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Create(Role::kAdmin, "marketing").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Create(Role::kAdmin).ok());
  EXPECT_TRUE(Create(Role::kViewer, "marketing").ok());
}

TEST_F(GatekeeperTest, KeysThatEndedOrAreWrongAreRefused) {
  const auto key = Create(Role::kAdmin);
  const auto short_lived = Create(Role::kAdmin, "*", clock_.Now() + absl::Hours(1));
  EXPECT_TRUE(AskWith(short_lived->secret).ok());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(ReasonOf(AskWith(short_lived->secret).status()), "API_KEY_EXPIRED");
  std::string wrong = key->secret;
  wrong.back() = wrong.back() == 'A' ? 'B' : 'A';
  for (const std::string& bad : {wrong, key->key.id, key->key.id + "_", std::string("ck_"),
                                 key->secret + "x", "ck_" + std::string(500, 'a')}) {
    EXPECT_EQ(ReasonOf(AskWith(bad).status()), "API_KEY_UNKNOWN") << bad;
  }
  EXPECT_EQ(Revoke("ck_00000000").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Revoke(key->key.id, "marketing").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(AskWith(key->secret).ok());
  EXPECT_TRUE(Revoke(key->key.id).ok());
  EXPECT_EQ(ReasonOf(AskWith(key->secret).status()), "API_KEY_REVOKED");
}

TEST_F(GatekeeperTest, AfterARestartKeysAreAsTheyWere) {
  const auto kept = Create(Role::kAdmin);
  const auto revoked = Create(Role::kViewer, "a");
  ASSERT_TRUE(Revoke(revoked->key.id).ok());
  Set("ann@example.com", Role::kEditor, "b");
  EXPECT_TRUE(AskWith(kept->secret).ok());
  const absl::Time used = clock_.Now();
  Open();
  EXPECT_TRUE(store_->has_keys());
  EXPECT_EQ(ReasonOf(AskWith(revoked->secret).status()), "API_KEY_REVOKED");
  ASSERT_EQ(store_->Keys().size(), 2);
  for (const ApiKey& key : store_->Keys()) {
    if (key.id == kept->key.id) EXPECT_EQ(key.last_used, used);
    if (key.id == revoked->key.id) EXPECT_EQ(key.revoked_by, "ann");
  }
  EXPECT_EQ(store_->FindUser("ann@example.com")->ns, "b");
}

TEST_F(GatekeeperTest, TheSecretIsNowhereInTheFile) {
  const auto key = Create(Role::kAdmin);
  store_->Close();
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    std::ifstream in(file.path(), std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  EXPECT_NE(all.find(key->key.id), std::string::npos);
  EXPECT_EQ(all.find(key->secret), std::string::npos);
  EXPECT_EQ(all.find(key->secret.substr(12)), std::string::npos);
}

TEST_F(GatekeeperTest, WithoutACredentialNobodyIsLetIn) {
  ASSERT_TRUE(Create(Role::kAdmin).ok());
  EXPECT_EQ(ReasonOf(Ask({}).status()), "CREDENTIAL_MISSING");
  EXPECT_EQ(ReasonOf(Ask({.authorization = "Basic YTpi"}).status()), "CREDENTIAL_UNKNOWN");
  EXPECT_EQ(ReasonOf(Ask({.authorization = "Bearer"}).status()), "CREDENTIAL_UNKNOWN");
  EXPECT_EQ(ReasonOf(Ask({.authorization = "Bearer hello"}).status()), "TOKEN_MALFORMED");
  EXPECT_EQ(ReasonOf(Ask({.host = "localhost"}).status()), "CREDENTIAL_MISSING");
}

TEST_F(GatekeeperTest, TheServerOpensItselfOnlyWhileNothingWasEverSetUp) {
  Gatekeeper gatekeeper(*store_, nullptr, {}, clock_);
  EXPECT_FALSE(gatekeeper.configured());
  const auto key = Create(Role::kAdmin);
  EXPECT_TRUE(gatekeeper.configured());
  ASSERT_TRUE(Revoke(key->key.id).ok());
  EXPECT_TRUE(gatekeeper.configured());
}

TEST_F(GatekeeperTest, APersonIsTheirEmailElseTheirSubject) {
  EXPECT_EQ(AskWith(Token({{"sub", "u1"}, {"email", "Ann@Example.com"}}))->identity,
            "ann@example.com");
  EXPECT_EQ(AskWith(Token({{"sub", "u1"}}))->identity, "u1");
  const auto unverified =
      AskWith(Token({{"sub", "u1"}, {"email", "ann@example.com"}, {"email_verified", false}}));
  EXPECT_EQ(unverified->identity, "u1");
  EXPECT_EQ(ReasonOf(AskWith(Token(nlohmann::json::object())).status()), "TOKEN_WITHOUT_IDENTITY");
}

TEST_F(GatekeeperTest, TheRoleIsTheEntrysElseTheTokensElseTheDomains) {
  const Gatekeeper::Options options{.email_domains = {"example.com"}};
  const auto role = [&](const nlohmann::json& claims) {
    const auto caller = AskWith(Token(claims), options);
    return caller.ok() ? caller->role : Role::kNone;
  };
  const nlohmann::json ann = {{"email", "ann@example.com"}};
  EXPECT_EQ(role(ann), Role::kViewer);  // the default
  nlohmann::json admin = ann;
  admin["roles"] = {"viewer", "admin", "root"};
  EXPECT_EQ(role(admin), Role::kAdmin);
  Set("ann@example.com", Role::kEditor, "marketing");
  EXPECT_EQ(role(admin), Role::kEditor);
  EXPECT_EQ(AskWith(Token(admin), options)->ns, "marketing");
  Set("ann@example.com", Role::kNone);
  EXPECT_EQ(AskWith(Token(admin), options)->role, Role::kNone);
  // Without domains nobody is known by theirs.
  EXPECT_EQ(AskWith(Token({{"email", "bob@example.com"}}))->role, Role::kNone);
}

// An unverified address must not give somebody else's role.
TEST_F(GatekeeperTest, AnUnverifiedEmailIsNobodys) {
  Set("ann@example.com", Role::kAdmin, "*");
  const auto caller =
      AskWith(Token({{"sub", "u9"}, {"email", "ann@example.com"}, {"email_verified", false}}));
  EXPECT_EQ(caller->role, Role::kNone);
}

TEST_F(GatekeeperTest, OnlyAllowedDomainsGetIn) {
  const Gatekeeper::Options options{.email_domains = {"example.com"}};
  EXPECT_TRUE(AskWith(Token({{"email", "ann@EXAMPLE.com"}}), options).ok());
  for (const nlohmann::json& claims :
       std::vector<nlohmann::json>{{{"email", "eve@evil.com"}, {"roles", "admin"}},
                                   {{"email", "eve@example.com.evil.com"}},
                                   {{"email", "eve@sub.example.com"}},
                                   {{"email", "eve@evil.com@example.com"}},
                                   {{"email", "ann@example.com"}, {"email_verified", false}},
                                   {{"sub", "ann@example.com"}, {"roles", "admin"}}}) {
    EXPECT_FALSE(AskWith(Token(claims), options).ok()) << claims.dump();
  }
}

TEST_F(GatekeeperTest, TheNamespaceIsTheTokensElseTheDefault) {
  EXPECT_EQ(AskWith(Token({{"sub", "u"}, {"namespace", "marketing"}}))->ns, "marketing");
  EXPECT_EQ(AskWith(Token({{"sub", "u"}}))->ns, "default");
  EXPECT_EQ(AskWith(Token({{"sub", "u"}}), {.default_ns = "*"})->ns, "*");
}

TEST_F(GatekeeperTest, ACertificateIsItsNamesEntry) {
  const Gatekeeper::Options options{.certificates = true};
  const auto unknown = Ask({.certificate = "robot"}, options);
  EXPECT_EQ(unknown->role, Role::kNone);
  EXPECT_EQ(unknown->credential, "certificate");
  Set("robot@example.com", Role::kEditor, "ci");
  const auto known = Ask({.certificate = "Robot@example.com"}, options);
  EXPECT_EQ(known->role, Role::kEditor);
  EXPECT_EQ(known->ns, "ci");
  EXPECT_EQ(
      Ask({.certificate = "x"}, {.certificates = true, .certificate_role = Role::kViewer})->role,
      Role::kViewer);
  // What is shown in the header counts more, also when it is wrong.
  EXPECT_FALSE(
      Ask({.authorization = "Bearer x", .certificate = "robot@example.com"}, options).ok());
}

}  // namespace
}  // namespace auth
