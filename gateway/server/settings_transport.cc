// The keys of the ports: TLS, browsers, limits.
#include "absl/strings/match.h"
#include "gateway/server/settings.h"

namespace server {

namespace {

constexpr absl::Duration kDay = absl::Hours(24);

std::string OriginProblem(absl::string_view origin) {
  if (origin == "*") return "";
  const size_t scheme = origin.find("://");
  const bool known = absl::StartsWith(origin, "https://") || absl::StartsWith(origin, "http://");
  if (!known || origin.size() == scheme + 3 || origin.find('/', scheme + 3) != origin.npos) {
    return "must be an origin such as https://app.example.com, or *";
  }
  return "";
}

}  // namespace

void AddTransport(Schema& schema, ServerSettings& s) {
  schema.Section(
      "server.tls",
      "TLS 1.2 and 1.3 for both ports (docs/operations/tls.md). Files are read again when "
      "they change, and on SIGHUP; what does not fit is not used.");
  schema.Text("server.tls.certificate_file", &s.tls.certificate_file,
              "The server's certificate in PEM form, with intermediate ones behind it; empty: no "
              "TLS.");
  schema.Text("server.tls.key_file", &s.tls.key_file, "Its private key, without a pass phrase.");
  schema.Text(
      "server.tls.client_ca_file", &s.tls.client_ca_file,
      "Authorities that sign certificates of clients; empty: clients are not asked for one.");
  schema.Boolean("server.tls.require_client_certificate", &s.tls.require_client_certificate,
                 "Whether clients without a certificate are turned away; else one is checked when "
                 "it is shown.");
  schema.Duration("server.tls.recheck", &s.tls.recheck, absl::Seconds(1), absl::Hours(24),
                  "How often the files are looked at.");
  schema.Duration("server.tls.hsts_max_age", &s.tls.hsts_max_age, absl::ZeroDuration(), 3650 * kDay,
                  "Strict-Transport-Security: how long browsers remember to use TLS; 0: not sent.");

  schema.Section("server.http", "What browsers and their pages may do.");
  schema.TextList("server.http.cors_origins", &s.http.cors_origins,
                  "Origins whose pages may call the API, such as https://app.example.com; * for "
                  "any. Pages of other origins may change nothing.");
  Key* origins = schema.Find("server.http.cors_origins");
  origins->parse = [parse = std::move(origins->parse)](absl::string_view text) -> std::string {
    const std::string problem = OriginProblem(text);
    return problem.empty() ? parse(text) : problem;
  };
  schema.Size("server.http.gzip_bytes_min", &s.http.gzip_bytes_min, 1, 1 << 30,
              "Smaller answers are not compressed.");

  LimitSettings& l = s.limits;
  schema.Section("server.limits", "Sizes, numbers and times that callers are held to.");
  schema.Size("server.limits.body_bytes_max", &l.body_bytes_max, 1024, 64 << 20,
              "Body of a REST request; a larger one is 413.");
  schema.Size("server.limits.header_bytes_max", &l.header_bytes_max, 1024, 1 << 20,
              "All headers of a request (REST: 431), or the metadata of a gRPC call.");
  schema.Size("server.limits.url_bytes_max", &l.url_bytes_max, 256, 1 << 20,
              "URL of a REST request; a longer one is 414.");
  schema.Integer("server.limits.grpc_message_bytes_max", &l.grpc_message_bytes_max, 1024, 256 << 20,
                 "One gRPC message, either way.");
  schema.Integer("server.limits.connections_max", &l.connections_max, 1, 1000000,
                 "Connections of each port; more are told so (503) or closed.");
  schema.Integer("server.limits.connections_per_address_max", &l.connections_per_address_max, 1,
                 1000000,
                 "The same from one address (IPv6: one /64 network). A proxy in front is one "
                 "address.");
  schema.Integer("server.limits.grpc_calls_per_connection_max", &l.grpc_calls_per_connection_max, 1,
                 1000000, "gRPC calls at once on one connection; more wait at the client.");
  schema.Integer("server.limits.streams_max", &l.streams_max, 1, 1000000,
                 "Event streams open at once (watches, followed histories), of both ports.");
  schema.Integer("server.limits.streams_per_caller_max", &l.streams_per_caller_max, 1, 1000000,
                 "The same of one caller: of its credential, or of its address without one.");
  schema.Duration("server.limits.idle_timeout", &l.idle_timeout, absl::Seconds(1), absl::Hours(1),
                  "How long a REST connection may be idle between two requests.");
  schema.Duration("server.limits.header_timeout", &l.header_timeout, absl::Milliseconds(100),
                  absl::Minutes(10),
                  "The longest time for a whole header, and for the TLS and HTTP/2 handshakes.");
  schema.Duration("server.limits.body_timeout", &l.body_timeout, absl::Milliseconds(100),
                  absl::Hours(1),
                  "The time for a body, besides that of its bytes at the least "
                  "speed.");
  schema.Duration("server.limits.write_timeout", &l.write_timeout, absl::Milliseconds(100),
                  absl::Hours(1), "The same for the caller to read an answer.");
  schema.Integer("server.limits.bytes_per_second_min", &l.bytes_per_second_min, 1, 1 << 30,
                 "The least speed of bodies and answers; slower callers are cut off.");
  schema.Duration(
      "server.limits.request_timeout", &l.request_timeout, absl::ZeroDuration(), absl::Hours(1),
      "A call that has no answer by then gets DEADLINE_EXCEEDED (504); callers may ask "
      "for less (X-Request-Timeout, grpc-timeout); 0: no limit. Waits (engine.wait_max) "
      "should be shorter.");
}

}  // namespace server
