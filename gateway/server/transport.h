// Settings as the options of the two servers. Pure functions; thread-safe.
#pragma once

#include "gateway/grpc/server.h"
#include "gateway/grpc/stream_slots.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/rest/server.h"
#include "gateway/server/settings.h"
#include "gateway/tls/tls_files.h"
#include "orchestrator/base/metrics.h"

namespace server {

tls::TlsOptions TlsOptionsOf(const TlsSettings& settings);
gateway::StreamSlots::Options StreamOptionsOf(const LimitSettings& settings);
// `tls` null: without TLS. Both outlive the servers.
gateway::RestServerOptions RestOptionsOf(const ServerSettings& settings, tls::TlsFiles* tls,
                                         base::Metrics* metrics);
gateway::GrpcServerOptions GrpcOptionsOf(const ServerSettings& settings, tls::TlsFiles* tls);

}  // namespace server
