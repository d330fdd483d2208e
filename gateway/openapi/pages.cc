#include "gateway/openapi/pages.h"

#include <zlib.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/json/rpc_status.h"
#include "gateway/openapi/embedded.h"
#include "gateway/rest/http_policy.h"
#include "orchestrator/base/check.h"

namespace openapi {

namespace {

// Scripts, styles, images and calls from here only, nothing within the page. Swagger UI has its
// icons as data.
constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

std::string Inflate(absl::string_view gzip) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(gzip.size());
  std::string out;
  char buffer[1 << 16];
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof(buffer);
    code = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer, sizeof(buffer) - stream.avail_out);
  }
  inflateEnd(&stream);
  CHECK(code == Z_STREAM_END) << "an embedded file is damaged";
  return out;
}

// Changes with the file: 32 bits of the CRC that gzip has in its end, and its length there.
std::string EtagOf(absl::string_view gzip) {
  CHECK(gzip.size() > 8);
  std::string tag = "\"";
  for (char c : gzip.substr(gzip.size() - 8)) {
    absl::StrAppend(&tag, absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
  }
  return tag + "\"";
}

void Serve(absl::string_view name, const gateway::RawRequest& request, gateway::RawDone done) {
  const EmbeddedFile* file = FindEmbedded(name);
  gateway::HttpResponse response;
  if (file == nullptr) {
    const absl::Status status = absl::NotFoundError("the API's pages have no such file");
    response.status = gateway::HttpStatusOf(status.code());
    response.body = gateway::StatusJson(status);
    return done(std::move(response));
  }
  const std::string etag = EtagOf(file->gzip);
  response.content_type = std::string(file->content_type);
  response.headers = {{"ETag", etag},
                      {"Cache-Control", "no-cache"},
                      {"Vary", "Accept-Encoding"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Content-Security-Policy", kPolicy}};
  if (request.http.Header("if-none-match") == etag) {
    response.status = 304;
    return done(std::move(response));
  }
  if (gateway::AcceptsGzip(request.http.Header("accept-encoding"))) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = std::string(file->gzip);
  } else {
    response.body = Inflate(file->gzip);
  }
  done(std::move(response));
}

}  // namespace

void AddPages(gateway::RestHandler* handler) {
  handler->AddRaw("GET", "/openapi.json", [](gateway::RawRequest request, gateway::RawDone done) {
    Serve("openapi.json", request, std::move(done));
  });
  handler->AddRaw("GET", "/docs", [](gateway::RawRequest request, gateway::RawDone done) {
    Serve("index.html", request, std::move(done));
  });
  handler->AddRaw("GET", "/docs/{file}", [](gateway::RawRequest request, gateway::RawDone done) {
    Serve(request.fields["file"], request, std::move(done));
  });
}

}  // namespace openapi
