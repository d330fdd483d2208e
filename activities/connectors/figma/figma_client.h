// Figma: renders of existing nodes, and their bytes. Figma's REST API cannot create designs, so
// everything here only reads and may be repeated.
//
// Thread-safety: loop thread only.
//
// Example:
//   figma::FigmaClient figma(outbound, {.token = token});
//   base::Outcome<std::vector<figma::Render>> renders =
//       co_await figma.RenderNodes("aBc123", {"1:2", "1:3"}, "png", 2.0, context);
//   base::Outcome<figma::Image> image = co_await figma.Download(*(*renders)[0].url, context);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace figma {

inline constexpr size_t kNodesMax = 100;                    // of one RenderNodes
inline constexpr size_t kImageBytesMax = 32 * 1024 * 1024;  // of one Download

// One node's render. Figma's URLs end after 30 days: download at once.
struct Render {
  std::string node_id;
  std::optional<std::string> url;  // nothing: Figma could not render this node
  double scale = 1;                // that it was rendered with
};

struct Image {
  std::string bytes;
  std::string content_type;  // by its bytes: image/png, image/jpeg, image/svg+xml, application/pdf
};

class FigmaClient {
 public:
  struct Options {
    std::string base_url = "https://api.figma.com";
    base::Secret token;  // personal access token, or OAuth token
    bool token_is_oauth = false;
  };
  FigmaClient(outbound::Outbound& outbound, Options options);

  // Renders each node as `format` (png, jpg, svg, pdf) at `scale` (0.01 to 4). Nodes that fail,
  // and renders that are too large as a whole, are tried once more at half the scale. The answer
  // has an entry for each node, in the order given. Failure "InvalidRequest" for bad arguments.
  base::Task<base::Outcome<std::vector<Render>>> RenderNodes(std::string file_key,
                                                             std::vector<std::string> node_ids,
                                                             std::string format, double scale,
                                                             outbound::CallContext context);
  // The bytes behind a render's URL. Failure "NotAnImage" (retryable) for anything that is no
  // picture, "NotFound" when the URL has expired: render again.
  base::Task<base::Outcome<Image>> Download(std::string url, outbound::CallContext context);

 private:
  // One call of GET /v1/images. Every id gets an entry.
  base::Task<base::Outcome<std::vector<Render>>> RenderOnce(std::string file_key,
                                                            std::vector<std::string> node_ids,
                                                            std::string format, double scale,
                                                            outbound::CallContext context);
  void Authorize(outbound::HttpRequest& request) const;

  outbound::Outbound& outbound_;
  const Options options_;
};

}  // namespace figma
