// TLS and mutual TLS of the REST port, over real sockets, with certificates made on the spot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/tls/tls_files.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"
#include "tests/integration/gateway/test_certificates.h"
#include "tests/support/await.h"

namespace gateway {
namespace {

using ::testing::HasSubstr;

class RestTls : public GatewayTest, protected CertificateFiles {
 protected:
  RestTls() : authority_("Test CA"), client_authority_("Clients CA") {
    WriteServer(authority_.Sign({.common_name = "first"}));
    Write("clients.pem", client_authority_.pem());
    // Who calls, as the front door will see it.
    handler_->AddRaw("GET", "/healthz", [](RawRequest request, RawDone done) {
      const auto& certificate = request.call.certificate;
      done({.body = certificate == nullptr ? "nobody" : certificate->Identity()});
    });
  }
  virtual tls::TlsOptions Files() {
    return {.certificate_file = Path("server.pem"), .key_file = Path("server.key")};
  }
  void Configure(RestServerOptions* options) override {
    auto files = tls::TlsFiles::Load(Files(), clock_);
    ASSERT_TRUE(files.ok()) << files.status();
    files_ = *std::move(files);
    options->tls = files_.get();
    options->policy.hsts_max_age = absl::Hours(1);
  }
  // A good client is served: whoever was turned away before met a server that works.
  void ExpectServed(const TestCertificate* own = nullptr) {
    const TlsContext context = ClientContext(authority_, own);
    EXPECT_EQ(HttpPeer(rest_->port(), context.get()).Call("GET", "/healthz").status, 200);
  }

  const TestAuthority authority_;
  const TestAuthority client_authority_;
  std::unique_ptr<tls::TlsFiles> files_;
};

TEST_F(RestTls, AnswersManyRequestsOnOneConnection) {
  const TlsContext context = ClientContext(authority_);
  HttpPeer peer(rest_->port(), context.get());
  ASSERT_EQ(peer.tls_error(), "");
  for (int i = 0; i < 3; ++i) {
    const HttpAnswer answer = peer.Call("GET", "/healthz");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "nobody\n");
    EXPECT_EQ(answer.headers.at("strict-transport-security"), "max-age=3600");
  }
  EXPECT_EQ(peer.Call("GET", "/v1/workflows", "", "Connection: close\r\n").status, 200);
  EXPECT_EQ(peer.Read().status, 0);
}

TEST_F(RestTls, StreamsEvents) {
  client_.AddCampaign("c1");
  const TlsContext context = ClientContext(authority_);
  HttpPeer peer(rest_->port(), context.get());
  peer.Send("GET /v1/workflows/c1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(peer.ReadUntil("event: progress"), "");
  client_.Change("c1", [](auto& run) { run.progress.set_progress_percentage(77); });
  EXPECT_NE(peer.ReadUntil("\"progress_percentage\":77"), "");
  client_.Change("c1", [](auto& run) { run.info.set_status(v1::RunStatus::COMPLETED); });
  EXPECT_NE(peer.ReadUntil("event: end"), "");
}

TEST_F(RestTls, AWatcherThatLeavesIsNoticed) {
  client_.AddCampaign("c1");
  const TlsContext context = ClientContext(authority_);
  {
    HttpPeer peer(rest_->port(), context.get());
    peer.Send("GET /v1/workflows/c1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(peer.ReadUntil("event: progress"), "");
    EXPECT_EQ(campaign_service_->watches(), 1);
  }
  test::Await([&] { return campaign_service_->watches() == 0; }, "the watch to end");
}

TEST_F(RestTls, ANewCertificateIsUsedWithoutARestart) {
  const TlsContext context = ClientContext(authority_);
  HttpPeer before(rest_->port(), context.get());
  EXPECT_THAT(before.server_subject(), HasSubstr("first"));
  WriteServer(authority_.Sign({.common_name = "second"}));
  const absl::StatusOr<bool> reloaded = files_->Reload();
  ASSERT_TRUE(reloaded.ok()) << reloaded.status();
  EXPECT_TRUE(*reloaded);
  HttpPeer after(rest_->port(), context.get());
  EXPECT_THAT(after.server_subject(), HasSubstr("second"));
  EXPECT_EQ(before.Call("GET", "/healthz").status, 200);  // open connections go on
  EXPECT_FALSE(*files_->Reload());
}

TEST_F(RestTls, ACertificateThatDoesNotFitIsNotUsed) {
  Write("server.key", authority_.Sign({.common_name = "other"}).key);
  EXPECT_THAT(std::string(files_->Reload().status().message()),
              HasSubstr("the key is not that of the certificate"));
  const TlsContext context = ClientContext(authority_);
  HttpPeer peer(rest_->port(), context.get());
  EXPECT_EQ(peer.tls_error(), "");
  EXPECT_THAT(peer.server_subject(), HasSubstr("first"));
}

TEST_F(RestTls, OldProtocolsAreRefused) {
  const TlsContext context = ClientContext(authority_);
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  HttpPeer peer(rest_->port(), context.get());
  EXPECT_NE(peer.tls_error(), "");
  ExpectServed();
}

TEST_F(RestTls, PlainHttpIsToldSo) {
  HttpPeer peer(rest_->port());
  const HttpAnswer answer = peer.Call("GET", "/healthz");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("this port speaks HTTPS"));
}

class RestTlsShortHandshake : public RestTls {
 protected:
  void Configure(RestServerOptions* options) override {
    RestTls::Configure(options);
    options->header_timeout = absl::Milliseconds(300);
  }
};

TEST_F(RestTlsShortHandshake, AHandshakeThatDoesNotComeIsNotWaitedFor) {
  HttpPeer peer(rest_->port());
  EXPECT_EQ(peer.Read().status, 0);  // closed
  HttpPeer half(rest_->port());
  half.Send("\x16\x03\x01\x02");
  EXPECT_EQ(half.Read().status, 0);
}

class RestMutualTls : public RestTls {
 protected:
  tls::TlsOptions Files() override {
    tls::TlsOptions options = RestTls::Files();
    options.client_ca_file = Path("clients.pem");
    options.require_client_certificate = require_;
    return options;
  }
  bool require_ = true;
};

TEST_F(RestMutualTls, ClientsAreKnownByTheirCertificates) {
  const TestCertificate ann =
      client_authority_.Sign({.common_name = "Ann", .email = "ann@example.com"});
  const TlsContext context = ClientContext(authority_, &ann);
  HttpPeer peer(rest_->port(), context.get());
  EXPECT_EQ(peer.Call("GET", "/healthz").body, "ann@example.com\n");
  const TestCertificate ci = client_authority_.Sign({.common_name = "ci"});
  const TlsContext second = ClientContext(authority_, &ci);
  HttpPeer by_name(rest_->port(), second.get());
  EXPECT_EQ(by_name.Call("GET", "/healthz").body, "ci\n");
}

TEST_F(RestMutualTls, OthersAreTurnedAway) {
  const TlsContext none = ClientContext(authority_);
  HttpPeer nobody(rest_->port(), none.get());
  EXPECT_EQ(nobody.Call("GET", "/healthz").status, 0);
  // Signed by somebody else, even under the same name.
  const TestAuthority impostor("Clients CA");
  const TestCertificate mallory = impostor.Sign({.common_name = "Ann", .email = "ann@example.com"});
  const TlsContext other = ClientContext(authority_, &mallory);
  HttpPeer stranger(rest_->port(), other.get());
  EXPECT_EQ(stranger.Call("GET", "/healthz").status, 0);
  const TestCertificate expired =
      client_authority_.Sign({.common_name = "Ann", .not_after = absl::Now() - absl::Minutes(1)});
  const TlsContext old = ClientContext(authority_, &expired);
  HttpPeer late(rest_->port(), old.get());
  EXPECT_EQ(late.Call("GET", "/healthz").status, 0);
  const TestCertificate ann = client_authority_.Sign({.common_name = "Ann"});
  ExpectServed(&ann);
}

class RestOptionalTls : public RestMutualTls {
 protected:
  RestOptionalTls() { require_ = false; }
};

TEST_F(RestOptionalTls, ACertificateIsWelcomeAndCheckedButNotNeeded) {
  const TlsContext none = ClientContext(authority_);
  HttpPeer nobody(rest_->port(), none.get());
  EXPECT_EQ(nobody.Call("GET", "/healthz").body, "nobody\n");
  const TestCertificate ci = client_authority_.Sign({.common_name = "ci"});
  const TlsContext context = ClientContext(authority_, &ci);
  HttpPeer known(rest_->port(), context.get());
  EXPECT_EQ(known.Call("GET", "/healthz").body, "ci\n");
  const TestAuthority impostor("Clients CA");
  const TestCertificate mallory = impostor.Sign({.common_name = "ci"});
  const TlsContext other = ClientContext(authority_, &mallory);
  HttpPeer stranger(rest_->port(), other.get());
  EXPECT_EQ(stranger.Call("GET", "/healthz").status, 0);
}

// What stops a server from starting, each with a message that says what to do.
class TlsFilesTest : public RestTls {
 protected:
  std::string Problem(const tls::TlsOptions& options) {
    return std::string(tls::TlsFiles::Load(options, clock_).status().message());
  }
};

TEST_F(TlsFilesTest, WrongFilesAreNamedWithWhatIsWrong) {
  const auto with = [&](auto change) {
    tls::TlsOptions options = Files();
    change(options);
    return Problem(options);
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_THAT(with([](auto& o) { o.certificate_file = "/nowhere.pem"; }),
              HasSubstr("server.tls.certificate_file: cannot read /nowhere.pem"));
  EXPECT_THAT(with([](auto& o) { o.key_file = ""; }), HasSubstr("server.tls.key_file is not"));
  EXPECT_THAT(with([&](auto& o) { o.certificate_file = o.key_file; }),
              HasSubstr("holds no certificate"));
  EXPECT_THAT(with([&](auto& o) { o.key_file = o.certificate_file; }),
              HasSubstr("holds no private key"));
  EXPECT_THAT(with([](auto& o) { o.require_client_certificate = true; }),
              HasSubstr("needs server.tls.client_ca_file"));
  Write("empty.pem", "");
  EXPECT_THAT(with([&](auto& o) { o.client_ca_file = Path("empty.pem"); }), HasSubstr("is empty"));
  WriteServer(authority_.Sign({.common_name = "old", .not_after = absl::Now() - absl::Minutes(1)}));
  EXPECT_THAT(with([](auto&) {}), HasSubstr("expired at"));
  WriteServer(
      authority_.Sign({.common_name = "new", .not_before = absl::Now() + absl::Minutes(9)}));
  EXPECT_THAT(with([](auto&) {}), HasSubstr("not valid before"));
  const TestCertificate good = authority_.Sign({.common_name = "good"});
  WriteServer(good);
  Write("server.pem", absl::StrCat(good.certificate, good.certificate.substr(0, 200)));
  EXPECT_THAT(with([](auto&) {}), HasSubstr("cannot be read after the first one"));
}

}  // namespace
}  // namespace gateway
