#include "gateway/server/transport.h"

#include "gateway/server/address.h"

namespace server {

tls::TlsOptions TlsOptionsOf(const TlsSettings& settings) {
  return {.certificate_file = settings.certificate_file,
          .key_file = settings.key_file,
          .client_ca_file = settings.client_ca_file,
          .require_client_certificate = settings.require_client_certificate};
}

gateway::StreamSlots::Options StreamOptionsOf(const LimitSettings& settings) {
  return {.max = settings.streams_max, .per_caller_max = settings.streams_per_caller_max};
}

gateway::RestServerOptions RestOptionsOf(const ServerSettings& settings, tls::TlsFiles* tls,
                                         base::Metrics* metrics) {
  const Address address = ParseAddress(settings.http_listen).value_or(Address{});
  const LimitSettings& limits = settings.limits;
  gateway::RestServerOptions options;
  options.address = address.host;
  options.port = address.port;
  options.body_bytes_max = limits.body_bytes_max;
  options.header_bytes_max = limits.header_bytes_max;
  options.target_bytes_max = limits.url_bytes_max;
  options.connections_max = limits.connections_max;
  options.connections_per_address_max = limits.connections_per_address_max;
  options.idle_timeout = limits.idle_timeout;
  options.header_timeout = limits.header_timeout;
  options.read_timeout = limits.body_timeout;
  options.write_timeout = limits.write_timeout;
  options.bytes_per_second_min = limits.bytes_per_second_min;
  options.policy.origins = settings.http.cors_origins;
  options.policy.gzip_bytes_min = settings.http.gzip_bytes_min;
  options.policy.hsts_max_age = settings.tls.hsts_max_age;
  options.tls = tls;
  options.metrics = metrics;
  return options;
}

gateway::GrpcServerOptions GrpcOptionsOf(const ServerSettings& settings, tls::TlsFiles* tls) {
  const LimitSettings& limits = settings.limits;
  gateway::GrpcServerOptions options;
  options.address = settings.grpc_listen;
  options.message_bytes_max = limits.grpc_message_bytes_max;
  options.metadata_bytes_max = static_cast<int>(limits.header_bytes_max);
  options.connections_max = limits.connections_max;
  options.connections_per_address_max = limits.connections_per_address_max;
  options.streams_per_connection_max = limits.grpc_calls_per_connection_max;
  options.handshake_timeout = limits.header_timeout;
  options.request_timeout = limits.request_timeout;
  options.tls = tls;
  return options;
}

}  // namespace server
