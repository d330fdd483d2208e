#include "activities/connectors/figma/figma_client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "activities/connectors/assets/content_type.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace figma {
namespace {

using wire::Json;

constexpr double kScaleMin = 0.01;
constexpr double kScaleMax = 4;
constexpr char kRenderOperation[] = "images.render";
constexpr char kRenderFailed[] = "RenderFailed";

// 400: a bad argument or node; 404: no such file. Figma says 500 when a render is too large: that
// is not mended by the same request, so it is given up after a few tries and shrunk.
outbound::Classification ClassifyApi(const outbound::HttpRequest& request,
                                     const outbound::HttpResponse& response) {
  outbound::Classification result = wire::ClassifyJson(request, response);
  if (response.status == 500) {
    result.failure_type = kRenderFailed;
    result.about_request = true;
  }
  return result;
}

// The image hosts are plain object stores: 403 and 404 for a URL that has expired.
outbound::Classification ClassifyDownload(const outbound::HttpRequest& request,
                                          const outbound::HttpResponse& response) {
  if (response.status == 403 || response.status == 404 || response.status == 410) {
    return outbound::Permanent(
        "NotFound", wire::Cat("answered ", response.status, ": the image's URL has expired"));
  }
  return outbound::ClassifyByStatus(request, response);
}

const outbound::Vendor& Figma() {
  static const outbound::Vendor* const kVendor = new outbound::Vendor{
      .name = "figma", .timeout = absl::Seconds(60), .tries_max = 4, .classify = ClassifyApi};
  return *kVendor;
}

const outbound::Vendor& FigmaImages() {
  static const outbound::Vendor* const kVendor =
      new outbound::Vendor{.name = "figma_images",
                           .timeout = absl::Seconds(60),
                           .response_bytes_max = kImageBytesMax,
                           .per_host = true,
                           .classify = ClassifyDownload};
  return *kVendor;
}

std::string ArgumentProblem(const std::string& file_key, const std::vector<std::string>& nodes,
                            const std::string& format, double scale) {
  if (file_key.empty()) return "figma: no file key";
  if (nodes.empty()) return "figma: no nodes to render";
  if (nodes.size() > kNodesMax) return wire::Cat("figma: more than ", kNodesMax, " nodes");
  for (const std::string& node : nodes) {
    if (node.empty() || node.find(',') != std::string::npos) {
      return wire::Cat("figma: \"", node, "\" is no node id");
    }
  }
  if (format != "png" && format != "jpg" && format != "svg" && format != "pdf") {
    return wire::Cat("figma: no format \"", format, "\" (png, jpg, svg, pdf)");
  }
  if (!(scale >= kScaleMin && scale <= kScaleMax)) return "figma: the scale is 0.01 to 4";
  return "";
}

// Content types that an object store gives when it was not told better.
bool SaysNothing(std::string_view content_type) {
  return content_type.empty() || content_type == "application/octet-stream" ||
         content_type == "binary/octet-stream";
}

}  // namespace

FigmaClient::FigmaClient(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)) {}

void FigmaClient::Authorize(outbound::HttpRequest& request) const {
  if (options_.token_is_oauth) {
    request.headers.emplace_back("Authorization", wire::Cat("Bearer ", options_.token.value()));
  } else {
    request.headers.emplace_back("X-Figma-Token", options_.token.value());
  }
}

base::Task<base::Outcome<std::vector<Render>>> FigmaClient::RenderNodes(
    std::string file_key, std::vector<std::string> node_ids, std::string format, double scale,
    outbound::CallContext context) {
  if (std::string problem = ArgumentProblem(file_key, node_ids, format, scale); !problem.empty()) {
    co_return base::Failure::Permanent("InvalidRequest", std::move(problem));
  }
  const double smaller = std::max(kScaleMin, scale / 2);
  base::Outcome<std::vector<Render>> first =
      co_await RenderOnce(file_key, node_ids, format, scale, context);
  if (!first.ok()) {
    if (first.failure().type != kRenderFailed) co_return first.failure();
    base::Outcome<std::vector<Render>> shrunk =
        co_await RenderOnce(file_key, node_ids, format, smaller, context);
    if (shrunk.ok()) co_return std::move(*shrunk);
    co_return first.failure();
  }
  std::vector<std::string> failed;
  for (const Render& render : *first) {
    if (!render.url.has_value()) failed.push_back(render.node_id);
  }
  if (failed.empty()) co_return std::move(*first);
  base::Outcome<std::vector<Render>> second =
      co_await RenderOnce(file_key, failed, format, smaller, context);
  // What the first call gave is good, whatever became of the second.
  if (!second.ok()) co_return std::move(*first);
  for (Render& render : *first) {
    if (render.url.has_value()) continue;
    const auto better = std::find_if(second->begin(), second->end(),
                                     [&](const Render& r) { return r.node_id == render.node_id; });
    if (better != second->end()) render = *better;
  }
  co_return std::move(*first);
}

base::Task<base::Outcome<std::vector<Render>>> FigmaClient::RenderOnce(
    std::string file_key, std::vector<std::string> node_ids, std::string format, double scale,
    outbound::CallContext context) {
  std::string ids;
  for (const std::string& node : node_ids) {
    ids += wire::Cat(ids.empty() ? "" : ",", wire::PercentEncode(node));
  }
  outbound::HttpRequest request;
  request.url = wire::JoinUrl(
      options_.base_url, wire::Cat("/v1/images/", wire::PercentEncode(file_key), "?ids=", ids,
                                   "&format=", format, "&scale=", absl::StrFormat("%g", scale)));
  request.operation = kRenderOperation;
  Authorize(request);
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Figma(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  base::Outcome<Json> answer = wire::BodyOf("figma", request, *response);
  if (!answer.ok()) co_return answer.failure();
  const std::string error = wire::StringAt(*answer, "err");
  if (!error.empty()) {
    co_return base::Failure::Retryable(kRenderFailed, wire::Cat("figma: ", error));
  }
  const Json& images = wire::At(*answer, "images");
  if (!images.is_object()) co_return wire::Malformed("figma", request.operation, false);
  std::vector<Render> renders;
  for (std::string& node : node_ids) {
    Render render{.node_id = std::move(node), .scale = scale};
    const std::string url = wire::StringAt(images, render.node_id);
    if (!url.empty()) render.url = url;
    renders.push_back(std::move(render));
  }
  co_return renders;
}

base::Task<base::Outcome<Image>> FigmaClient::Download(std::string url,
                                                       outbound::CallContext context) {
  // No Authorization: the image hosts are not Figma's API, and the URL itself is the right.
  outbound::HttpRequest request;
  request.url = std::move(url);
  request.operation = "images.download";
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(FigmaImages(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  const base::Done done = wire::Expect2xx("figma", request, *response);
  if (!done.ok()) co_return done.failure();
  std::string_view said = response->Header("content-type");
  said = said.substr(0, said.find_first_of("; "));
  Image image{.bytes = std::move(response->body)};
  image.content_type = assets::DetectContentType(image.bytes);
  if (image.content_type.empty() || (!SaysNothing(said) && said != image.content_type)) {
    co_return base::Failure::Retryable(
        "NotAnImage", wire::Cat("figma: the download says it is \"", said, "\" and its bytes are ",
                                image.content_type.empty() ? "no image" : image.content_type));
  }
  co_return image;
}

}  // namespace figma
