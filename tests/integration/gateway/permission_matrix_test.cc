// The permission matrix: every method of the router, every role, every kind of credential, good and
// bad, over real sockets of both fronts. Whatever the table of rules says must be what happens; and
// a door that lets everybody in must be noticed.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/sync_stream.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gateway/auth/access_store.h"
#include "gateway/auth/gatekeeper.h"
#include "gateway/auth/jwt_verifier.h"
#include "gateway/auth/permissions.h"
#include "gateway/auth/roles.h"
#include "gateway/grpc/access_service.h"
#include "gateway/grpc/audit_service.h"
#include "gateway/grpc/batch_service.h"
#include "gateway/grpc/schedule_service.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/rest/transcoder.h"
#include "gateway/tls/tls_files.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"
#include "tests/integration/gateway/test_certificates.h"
#include "tests/unit/auth/test_tokens.h"

namespace gateway {
namespace {

using auth::Role;
using nlohmann::json;

const char kJwtSecret[] = "the matrix signs with these bytes, 32 at least";

// A credential, and what it is worth.
struct Shown {
  std::string name;
  std::string header;  // of Authorization; empty: none
  bool good = false;   // else: UNAUTHENTICATED
  Role role = Role::kNone;
  std::string ns = "*";
  std::shared_ptr<const TestCertificate> certificate = nullptr;  // shown by TLS; null: none
};

enum class Outcome { kUnauthenticated, kDenied, kLetIn };

const char* Name(Outcome outcome) {
  return outcome == Outcome::kUnauthenticated ? "unauthenticated"
         : outcome == Outcome::kDenied        ? "denied"
                                              : "let in";
}

Outcome Expected(const auth::Rule& rule, const Shown& shown) {
  if (!shown.good) return Outcome::kUnauthenticated;
  if (shown.role < rule.role) return Outcome::kDenied;
  if (rule.scope == auth::Scope::kServer && shown.ns != "*") return Outcome::kDenied;
  return Outcome::kLetIn;
}

class PermissionMatrix : public GatewayTest, protected CertificateFiles {
 protected:
  PermissionMatrix() {
    store_ = *auth::AccessStore::Open(folder_.File("access.db"), clock_);
    access_ =
        std::make_unique<AccessServiceImpl>(AccessServiceImpl::Dependencies{*store_, clock_, {}});
    gatekeeper_ = std::make_unique<auth::Gatekeeper>(
        *store_, &verifier_, auth::Gatekeeper::Options{.certificates = true}, clock_);
    Write("keys.json", auth::Jwks({&rsa_, &ec_}));
    RegisterScheduleService(&schedules_, &router_);
    RegisterBatchService(&batches_, &router_);
    RegisterAuditService(&audit_, &router_);
    RegisterAccessService(access_.get(), &router_);
    EXPECT_TRUE(verifier_.Open().ok());
  }
  ~PermissionMatrix() override {
    if (rest_ != nullptr) rest_->Stop(absl::ZeroDuration());
    if (grpc_ != nullptr) grpc_->Stop(absl::ZeroDuration());
    store_->Close();
  }

  void SetUp() override {}
  // From here on both fronts talk TLS, and look at certificates that are shown.
  void UseTls() {
    WriteServer(authority_.Sign({.common_name = "server"}));
    Write("clients.pem", client_authority_.pem());
    auto files = tls::TlsFiles::Load({.certificate_file = Path("server.pem"),
                                      .key_file = Path("server.key"),
                                      .client_ca_file = Path("clients.pem")},
                                     clock_);
    ASSERT_TRUE(files.ok()) << files.status();
    tls_ = *std::move(files);
  }
  // New connections to both fronts, of somebody with that certificate.
  void Connect(const TestCertificate* own) {
    if (tls_ == nullptr) {
      channel_ = grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials());
      http_ = std::make_unique<HttpPeer>(rest_->port());
      return;
    }
    grpc::SslCredentialsOptions options{.pem_root_certs = authority_.pem()};
    if (own != nullptr) {
      options.pem_cert_chain = own->certificate;
      options.pem_private_key = own->key;
    }
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(grpc_address(), grpc::SslCredentials(options), arguments);
    http_.reset();
    context_ = ClientContext(authority_, own);
    http_ = std::make_unique<HttpPeer>(rest_->port(), context_.get());
    ASSERT_EQ(http_->tls_error(), "");
  }

  // Serves with a door of that authenticator.
  void Serve(auth::Authenticator& authenticator) {
    full_door_ = std::make_unique<FrontDoor>(authenticator, FrontDoor::Options{});
    handler_ = std::make_unique<RestHandler>(router_, *full_door_, clock_, random_, &metrics_);
    handler_->AddRaw("GET", "/metrics", [](RawRequest, RawDone done) { done({}); });
    handler_->AddRaw("GET", "/healthz", [](RawRequest, RawDone done) { done({}); });
    RestServerOptions options;
    options.port = 0;
    options.tls = tls_.get();
    rest_ = std::make_unique<RestServer>(options, *handler_, clock_);
    ASSERT_TRUE(rest_->Start().ok());
    GrpcServerOptions grpc_options{.address = "127.0.0.1:0"};
    grpc_options.tls = tls_.get();
    grpc_ =
        std::make_unique<GrpcServer>(grpc_options, *full_door_, random_, workflow_service_.get(),
                                     campaign_service_.get(), &metrics_, operations_service_.get());
    grpc_->Add(&schedules_, &batches_);
    grpc_->Add(&audit_);
    grpc_->Add(access_.get());
    ASSERT_TRUE(grpc_->Start().ok());
    Connect(nullptr);
  }

  auth::NewKey Key(Role role, const std::string& ns, absl::Time expires = absl::InfiniteFuture()) {
    std::promise<auth::NewKey> made;
    store_->CreateKey({.name = auth::RoleName(role), .role = role, .ns = ns, .expires = expires},
                      [&](absl::StatusOr<auth::NewKey> key) { made.set_value(*std::move(key)); });
    return made.get_future().get();
  }
  void SetUser(const std::string& email, Role role, const std::string& ns) {
    std::promise<void> done;
    store_->SetUser({.email = email, .role = role, .ns = ns},
                    [&](absl::StatusOr<auth::User>) { done.set_value(); });
    done.get_future().get();
  }
  std::string Jwt(json claims, const std::string& secret = kJwtSecret) {
    return Jwt(std::move(claims), auth::TokenKey::Secret(secret));
  }
  std::string Jwt(json claims, const auth::TokenKey& key) {
    json all = {{"iss", "issuer"},
                {"aud", "campaignd"},
                {"sub", "ann"},
                {"namespace", "*"},
                {"exp", absl::ToUnixSeconds(clock_.Now() + absl::Hours(1))}};
    all.update(claims);
    return key.Sign(all);
  }

  // Every kind of credential.
  std::vector<Shown> Credentials() {
    std::vector<Shown> all = {{.name = "none"},
                              {.name = "basic", .header = "Basic YWRtaW46YWRtaW4="}};
    const auto add = [&](const std::string& name, const std::string& token, bool good, Role role,
                         const std::string& ns = "*") {
      all.push_back({name, absl::StrCat("Bearer ", token), good, role, ns});
    };
    const std::string admin = Key(Role::kAdmin, "*").secret;  // the first is an admin's
    add("key admin", admin, true, Role::kAdmin);
    add("key editor", Key(Role::kEditor, "*").secret, true, Role::kEditor);
    add("key viewer", Key(Role::kViewer, "*").secret, true, Role::kViewer);
    add("key admin of a namespace", Key(Role::kAdmin, "default").secret, true, Role::kAdmin,
        "default");
    add("key expired", Key(Role::kAdmin, "*", clock_.Now() - absl::Hours(1)).secret, false,
        Role::kNone);
    const auth::NewKey revoked = Key(Role::kAdmin, "*");
    std::promise<void> gone;
    store_->RevokeKey(revoked.key.id, "test", "",
                      [&](absl::StatusOr<auth::ApiKey>) { gone.set_value(); });
    gone.get_future().get();
    add("key revoked", revoked.secret, false, Role::kNone);
    std::string tampered = admin;
    tampered[20] = tampered[20] == 'A' ? 'B' : 'A';
    add("key tampered", tampered, false, Role::kNone);
    for (const Role role : {Role::kNone, Role::kViewer, Role::kEditor, Role::kAdmin}) {
      add(absl::StrCat("jwt ", auth::RoleName(role)), Jwt({{"roles", auth::RoleName(role)}}), true,
          role);
    }
    add("jwt admin of a namespace", Jwt({{"roles", "admin"}, {"namespace", "default"}}), true,
        Role::kAdmin, "default");
    add("jwt expired",
        Jwt({{"roles", "admin"}, {"exp", absl::ToUnixSeconds(clock_.Now() - absl::Hours(1))}}),
        false, Role::kNone);
    add("jwt wrong audience", Jwt({{"roles", "admin"}, {"aud", "another"}}), false, Role::kNone);
    add("jwt wrong issuer", Jwt({{"roles", "admin"}, {"iss", "another"}}), false, Role::kNone);
    add("jwt wrong key", Jwt({{"roles", "admin"}}, "another secret of at least 32 bytes"), false,
        Role::kNone);
    // Another's claims under a signature of ours.
    const std::vector<std::string> viewer = absl::StrSplit(Jwt({{"roles", "viewer"}}), '.');
    const std::vector<std::string> root = absl::StrSplit(Jwt({{"roles", "admin"}}), '.');
    add("jwt tampered", absl::StrCat(viewer[0], ".", root[1], ".", viewer[2]), false, Role::kNone);
    add("jwt none", absl::StrCat(auth::Base64Url(R"({"alg":"none"})"), ".", root[1], "."), false,
        Role::kNone);
    // The same of an issuer's keys.
    for (const auto& [name, key] : {std::pair("RS256", &rsa_), std::pair("ES256", &ec_)}) {
      const auto signed_with = [&](const std::string& what, json claims, bool good, Role role,
                                   const auth::TokenKey& by) {
        add(absl::StrCat("jwt ", name, " ", what), Jwt(std::move(claims), by), good, role);
      };
      for (const Role role : {Role::kNone, Role::kViewer, Role::kEditor, Role::kAdmin}) {
        signed_with(auth::RoleName(role), {{"roles", auth::RoleName(role)}}, true, role, *key);
      }
      signed_with("expired",
                  {{"roles", "admin"}, {"exp", absl::ToUnixSeconds(clock_.Now() - absl::Hours(1))}},
                  false, Role::kNone, *key);
      signed_with("wrong audience", {{"roles", "admin"}, {"aud", "another"}}, false, Role::kNone,
                  *key);
      const std::vector<std::string> own = absl::StrSplit(Jwt({{"roles", "viewer"}}, *key), '.');
      add(absl::StrCat("jwt ", name, " tampered"), absl::StrCat(own[0], ".", root[1], ".", own[2]),
          false, Role::kNone);
      // Our public key as a secret of HS256.
      add(absl::StrCat("jwt ", name, " confused"),
          Jwt({{"roles", "admin"}}, auth::TokenKey::Secret(key->Pem())), false, Role::kNone);
    }
    add("jwt RS256 of another's key", Jwt({{"roles", "admin"}}, auth::TokenKey::Rsa("rsa-1")),
        false, Role::kNone);
    return all;
  }

  // Client certificates; what is in Authorization counts first.
  std::vector<Shown> Certificates() {
    std::vector<Shown> all = {{.name = "no certificate"}};
    const auto add = [&](const std::string& name, bool good, Role role, const std::string& ns,
                         const std::string& header = "") {
      const auto own = std::make_shared<const TestCertificate>(client_authority_.Sign(
          {.common_name = name, .email = absl::StrCat(name, "@example.com")}));
      all.push_back({absl::StrCat("certificate ", name), header, good, role, ns, own});
    };
    for (const Role role : {Role::kViewer, Role::kEditor, Role::kAdmin}) {
      SetUser(absl::StrCat(auth::RoleName(role), "@example.com"), role, "*");
      add(auth::RoleName(role), true, role, "*");
    }
    SetUser("tenant@example.com", Role::kAdmin, "default");
    add("tenant", true, Role::kAdmin, "default");
    add("stranger", true, Role::kNone, "default");
    add("admin", false, Role::kNone, "*", "Bearer ck_00000000_nothing");
    add("stranger", true, Role::kEditor, "*", absl::StrCat("Bearer ", Jwt({{"roles", "editor"}})));
    return all;
  }

  Outcome OverGrpc(const Router::Method& method, const Shown& shown) {
    grpc::ClientContext context;
    if (!shown.header.empty()) context.AddMetadata("authorization", shown.header);
    const std::string name = absl::StrCat("/", method.descriptor->service()->full_name(), "/",
                                          method.descriptor->name());
    const grpc::Slice empty;
    const grpc::ByteBuffer body(&empty, 1);
    grpc::Status status;
    if (method.unary) {
      grpc::ByteBuffer response;
      status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
          channel_.get(),
          grpc::internal::RpcMethod(name.c_str(), grpc::internal::RpcMethod::NORMAL_RPC), &context,
          body, &response);
    } else {
      std::unique_ptr<grpc::ClientReader<grpc::ByteBuffer>> reader(
          grpc::internal::ClientReaderFactory<grpc::ByteBuffer>::Create<grpc::ByteBuffer>(
              channel_.get(),
              grpc::internal::RpcMethod(name.c_str(), grpc::internal::RpcMethod::SERVER_STREAMING),
              &context, body));
      grpc::ByteBuffer message;
      while (reader->Read(&message)) {
      }
      status = reader->Finish();
    }
    EXPECT_NE(status.error_code(), grpc::StatusCode::UNAVAILABLE)
        << name << " with " << shown.name << ": " << status.error_message();
    last_grpc_ = status;
    last_trailer_ = context.GetServerTrailingMetadata().contains("www-authenticate");
    if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED) return Outcome::kUnauthenticated;
    if (status.error_code() == grpc::StatusCode::PERMISSION_DENIED) return Outcome::kDenied;
    return Outcome::kLetIn;
  }

  Outcome OverRest(const Transcoder::Route& route, const Shown& shown) {
    // Every field of the path is "x".
    std::vector<std::string> segments = absl::StrSplit(route.path.text(), '/');
    for (std::string& segment : segments) {
      const size_t open = segment.find('{');
      const size_t close = segment.find('}');
      if (open != segment.npos) segment.replace(open, close - open + 1, "x");
    }
    const std::string target = absl::StrJoin(segments, "/");
    const std::string headers =
        shown.header.empty() ? "" : absl::StrCat("Authorization: ", shown.header, "\r\n");
    const bool body = route.http_method != "GET" && route.http_method != "DELETE";
    last_http_ = http_->Call(route.http_method, target, body ? "{}" : "", headers);
    if (last_http_.status == 0) {  // closed after a stream
      Connect(shown.certificate.get());
      last_http_ = http_->Call(route.http_method, target, body ? "{}" : "", headers);
    }
    EXPECT_NE(last_http_.status, 0) << target << " with " << shown.name << ": no answer";
    if (route.method->streaming) Connect(shown.certificate.get());
    if (last_http_.status == 401) return Outcome::kUnauthenticated;
    if (last_http_.status == 403) return Outcome::kDenied;
    return Outcome::kLetIn;
  }

  // What differs from the table, and how many calls were made.
  std::vector<std::string> Mismatches(const std::vector<Shown>& credentials, int* calls) {
    std::vector<std::string> wrong;
    const auto check = [&](const char* front, const std::string& name, const Shown& shown,
                           Outcome outcome) {
      ++*calls;
      const Outcome expected = Expected(*auth::FindRule(name), shown);
      if (outcome == expected) return;
      wrong.push_back(absl::StrCat(front, " ", name, " with ", shown.name, ": ", Name(outcome),
                                   ", not ", Name(expected)));
    };
    const Transcoder transcoder(router_);
    for (const Shown& shown : credentials) {
      Connect(shown.certificate.get());
      for (const auto& [name, method] : router_.methods()) {
        check("gRPC", name, shown, OverGrpc(method, shown));
      }
      for (const Transcoder::Route& route : transcoder.routes()) {
        check("REST", std::string(route.method->descriptor->full_name()), shown,
              OverRest(route, shown));
      }
    }
    return wrong;
  }

  const TestAuthority authority_{"Test CA"};
  const TestAuthority client_authority_{"Clients CA"};
  const auth::TokenKey rsa_ = auth::TokenKey::Rsa("rsa-1");
  const auth::TokenKey ec_ = auth::TokenKey::Ec("ec-1");
  std::unique_ptr<tls::TlsFiles> tls_;
  TlsContext context_{nullptr, SSL_CTX_free};
  std::unique_ptr<auth::AccessStore> store_;
  auth::JwtVerifier verifier_{{.rules = {.issuer = "issuer", .audiences = {"campaignd"}},
                               .secret = base::Secret(kJwtSecret),
                               .keys_file = Path("keys.json")},
                              clock_,
                              {}};
  std::unique_ptr<auth::Gatekeeper> gatekeeper_;
  ScheduleServiceImpl schedules_{{client_, clock_}};
  BatchServiceImpl batches_{{client_, random_}};
  AuditServiceImpl audit_{nullptr};
  std::unique_ptr<AccessServiceImpl> access_;
  std::unique_ptr<FrontDoor> full_door_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<HttpPeer> http_;
  grpc::Status last_grpc_;
  bool last_trailer_ = false;
  HttpAnswer last_http_;
};

TEST_F(PermissionMatrix, EveryMethodRoleAndCredentialIsAsTheTableSays) {
  Serve(*gatekeeper_);
  // Nothing of the table is left out.
  for (const auth::Rule& rule : auth::Rules()) {
    const std::string name(rule.name);
    if (name.find(" /") == name.npos) EXPECT_NE(router_.Find(name), nullptr) << name;
  }
  int calls = 0;
  const std::vector<Shown> credentials = Credentials();
  EXPECT_THAT(Mismatches(credentials, &calls), testing::IsEmpty());
  EXPECT_GE(calls, static_cast<int>(2 * router_.methods().size() * credentials.size()));
}

TEST_F(PermissionMatrix, ClientCertificatesAreAsTheTableSays) {
  UseTls();
  Serve(*gatekeeper_);
  int calls = 0;
  const std::vector<Shown> credentials = Certificates();
  EXPECT_THAT(Mismatches(credentials, &calls), testing::IsEmpty());
  EXPECT_GE(calls, static_cast<int>(2 * router_.methods().size() * credentials.size()));
}

// Red: the matrix is worth something only if it sees an open door.
TEST_F(PermissionMatrix, ADoorThatLetsEverybodyInIsSeen) {
  const std::vector<Shown> credentials = Credentials();
  auth::OpenAuthenticator open;
  Serve(open);
  int calls = 0;
  const std::vector<std::string> wrong = Mismatches(credentials, &calls);
  int expected = 0;
  for (const Shown& shown : credentials) {
    for (const auto& [name, method] : router_.methods()) {
      if (Expected(*auth::FindRule(name), shown) != Outcome::kLetIn) ++expected;
    }
  }
  EXPECT_GT(expected, 0);
  EXPECT_GE(static_cast<int>(wrong.size()), 2 * expected);
}

TEST_F(PermissionMatrix, ARefusalSaysWhatIsMissing) {
  Serve(*gatekeeper_);
  const std::string admin = Key(Role::kAdmin, "*").secret;
  const Shown viewer{.name = "viewer",
                     .header = absl::StrCat("Bearer ", Key(Role::kViewer, "*").secret),
                     .good = true,
                     .role = Role::kViewer};
  const Router::Method& terminate =
      *router_.Find("orchestrator.v1.WorkflowService.TerminateWorkflow");
  EXPECT_EQ(OverGrpc(terminate, viewer), Outcome::kDenied);
  EXPECT_EQ(
      last_grpc_.error_message(),
      "orchestrator.v1.WorkflowService.TerminateWorkflow needs the role admin; key:viewer has "
      "the role viewer");
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.ParseFromString(last_grpc_.error_details()));
  ASSERT_GE(details.details_size(), 1);
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "ROLE_TOO_LOW");
  EXPECT_EQ(info.domain(), "campaignd");

  EXPECT_EQ(OverGrpc(terminate, {.name = "none"}), Outcome::kUnauthenticated);
  EXPECT_TRUE(last_trailer_);
  HttpAnswer answer = http_->Call("GET", "/v1/workflows");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.headers["www-authenticate"], "Bearer realm=\"campaignd\"");
  EXPECT_EQ(json::parse(answer.body)["details"][0]["reason"], "CREDENTIAL_MISSING");
  answer = http_->Call("GET", "/v1/workflows", "", "Authorization: Bearer ck_00000000_nothing\r\n");
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(answer.headers["www-authenticate"], testing::HasSubstr("error=\"invalid_token\""));
  EXPECT_EQ(answer.body.find("nothing"), std::string::npos);
}

TEST_F(PermissionMatrix, WhoMayNotCallIsNotRead) {
  Serve(*gatekeeper_);
  ASSERT_FALSE(Key(Role::kAdmin, "*").secret.empty());
  EXPECT_EQ(http_->Call("POST", "/v1/workflows", "{not json").status, 401);
  EXPECT_EQ(http_
                ->Call("POST", "/v1/workflows", "a=b",
                       "Content-Type: application/x-www-form-urlencoded\r\n")
                .status,
            401);
}

TEST_F(PermissionMatrix, RawRoutesHaveTheirRules) {
  Serve(*gatekeeper_);
  const std::string admin = Key(Role::kAdmin, "*").secret;
  EXPECT_EQ(http_->Call("GET", "/healthz").status, 200);
  EXPECT_EQ(http_->Call("GET", "/metrics").status, 401);
  EXPECT_EQ(
      http_->Call("GET", "/metrics", "", absl::StrCat("Authorization: Bearer ", admin, "\r\n"))
          .status,
      200);
}

TEST_F(PermissionMatrix, TheNamespaceIsTheCallersUnlessItMayChoose) {
  Serve(*gatekeeper_);
  const std::string admin =
      absl::StrCat("Authorization: Bearer ", Key(Role::kAdmin, "*").secret, "\r\n");
  const std::string bound =
      absl::StrCat("Authorization: Bearer ", Key(Role::kEditor, "marketing").secret, "\r\n");
  const auto asked = [&](const std::string& headers, const std::string& target = "/v1/workflows") {
    last_http_ = http_->Call("GET", target, "", headers);
    return last_http_.status == 200 ? client_.last("ListWorkflows")
                                    : absl::StrCat(last_http_.status);
  };
  using testing::HasSubstr;
  EXPECT_THAT(asked(admin), HasSubstr("namespace: \"default\""));
  EXPECT_THAT(asked(admin + "X-Namespace: sales\r\n"), HasSubstr("namespace: \"sales\""));
  EXPECT_THAT(asked(admin, "/v1/workflows?namespace=sales"), HasSubstr("namespace: \"sales\""));
  EXPECT_EQ(asked(admin + "X-Namespace: a\r\n", "/v1/workflows?namespace=b"), "400");
  EXPECT_EQ(asked(admin + "X-Namespace: a b\r\n"), "400");
  EXPECT_EQ(asked(admin + "X-Namespace: *\r\n"), "400");
  EXPECT_THAT(asked(bound), HasSubstr("namespace: \"marketing\""));
  EXPECT_THAT(asked(bound + "X-Namespace: marketing\r\n"), HasSubstr("namespace: \"marketing\""));
  EXPECT_EQ(asked(bound + "X-Namespace: sales\r\n"), "403");
  EXPECT_THAT(last_http_.body, HasSubstr("bound to the namespace marketing"));
  EXPECT_EQ(asked(bound, "/v1/workflows?namespace=default"), "403");
  // The workflow that a request starts is in it, too.
  const auto start = [&](const std::string& headers, const std::string& ns) {
    const std::string body = absl::StrCat(
        R"({"start":{"workflow_id":"w","workflow_type":"campaign")", ns, R"(},"signal_name":"s"})");
    return http_->Call("POST", "/v1/workflows/signal-with-start", body, headers).status;
  };
  EXPECT_EQ(start(bound, R"(,"namespace":"sales")"), 403);
  EXPECT_EQ(start(bound, ""), 200);
}

TEST_F(PermissionMatrix, KeysAreMadeUsedAndRevokedOverRest) {
  Serve(*gatekeeper_);
  const std::string admin =
      absl::StrCat("Authorization: Bearer ", Key(Role::kAdmin, "*").secret, "\r\n");
  HttpAnswer answer = http_->Call(
      "POST", "/v1/api-keys", R"({"name":"ci","role":"editor","namespace":"marketing"})", admin);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json made = json::parse(answer.body);
  const std::string key = made["api_key"]["key_id"];
  EXPECT_EQ(made["api_key"]["created_by"], "key:admin");
  const std::string own =
      absl::StrCat("Authorization: Bearer ", made["secret"].get<std::string>(), "\r\n");
  const json caller = json::parse(http_->Call("GET", "/v1/caller", "", own).body);
  EXPECT_EQ(caller["identity"], "key:ci");
  EXPECT_EQ(caller["role"], "editor");
  EXPECT_EQ(caller["namespace"], "marketing");
  EXPECT_EQ(caller["key_id"], key);
  answer = http_->Call("GET", "/v1/api-keys", "", admin);
  EXPECT_EQ(answer.body.find(made["secret"].get<std::string>()), std::string::npos);
  EXPECT_EQ(json::parse(answer.body)["api_keys"].size(), 2);
  EXPECT_EQ(http_->Call("POST", absl::StrCat("/v1/api-keys/", key, "/revoke"), "{}", own).status,
            403);
  EXPECT_EQ(http_->Call("POST", absl::StrCat("/v1/api-keys/", key, "/revoke"), "{}", admin).status,
            200);
  EXPECT_EQ(http_->Call("GET", "/v1/caller", "", own).status, 401);
  answer = http_->Call("POST", "/v1/api-keys",
                       R"({"name":"","role":"root","expires_at":"2001-01-01T00:00:00Z"})", admin);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(json::parse(answer.body)["details"][0]["field_violations"].size(), 3);
}

TEST_F(PermissionMatrix, AnAdminOfANamespaceSeesItsKeysOnly) {
  Serve(*gatekeeper_);
  const std::string root = Key(Role::kAdmin, "*").secret;
  const auth::NewKey sales = Key(Role::kViewer, "sales");
  const std::string admin =
      absl::StrCat("Authorization: Bearer ", Key(Role::kAdmin, "marketing").secret, "\r\n");
  const json keys = json::parse(http_->Call("GET", "/v1/api-keys", "", admin).body)["api_keys"];
  ASSERT_EQ(keys.size(), 1);
  EXPECT_EQ(keys[0]["namespace"], "marketing");
  EXPECT_EQ(http_->Call("POST", absl::StrCat("/v1/api-keys/", sales.key.id, "/revoke"), "{}", admin)
                .status,
            404);
  for (const auto& [ns, status] : {std::pair("sales", 403), std::pair("*", 400)}) {
    const std::string body =
        absl::StrCat(R"({"name":"x","role":"viewer","namespace":")", ns, "\"}");
    EXPECT_EQ(http_->Call("POST", "/v1/api-keys", body, admin).status, status) << ns;
  }
  const HttpAnswer own =
      http_->Call("POST", "/v1/api-keys", R"({"name":"x","role":"viewer"})", admin);
  ASSERT_EQ(own.status, 200) << own.body;
  EXPECT_EQ(json::parse(own.body)["api_key"]["namespace"], "marketing");
}

TEST_F(PermissionMatrix, UsersAreSetListedAndDeletedOverRest) {
  Serve(*gatekeeper_);
  const std::string admin =
      absl::StrCat("Authorization: Bearer ", Key(Role::kAdmin, "*").secret, "\r\n");
  const std::string ann =
      absl::StrCat("Authorization: Bearer ", Jwt({{"email", "ann@example.com"}}), "\r\n");
  EXPECT_EQ(json::parse(http_->Call("GET", "/v1/caller", "", ann).body)["role"], "none");
  EXPECT_EQ(http_->Call("PUT", "/v1/users/Ann%40Example.com", R"({"role":"editor"})", admin).status,
            200);
  EXPECT_EQ(json::parse(http_->Call("GET", "/v1/caller", "", ann).body)["role"], "editor");
  const json users = json::parse(http_->Call("GET", "/v1/users", "", admin).body)["users"];
  ASSERT_EQ(users.size(), 1);
  EXPECT_EQ(users[0]["email"], "ann@example.com");
  EXPECT_EQ(users[0]["updated_by"], "key:admin");
  EXPECT_EQ(http_->Call("DELETE", "/v1/users/ann%40example.com", "", admin).status, 200);
  EXPECT_EQ(http_->Call("DELETE", "/v1/users/ann%40example.com", "", admin).status, 404);
  EXPECT_EQ(json::parse(http_->Call("GET", "/v1/caller", "", ann).body)["role"], "none");
  EXPECT_EQ(http_->Call("PUT", "/v1/users/nobody", R"({"role":"editor"})", admin).status, 400);
}

}  // namespace
}  // namespace gateway
