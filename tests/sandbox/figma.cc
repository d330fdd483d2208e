// Figma's REST API (read, render, comment) and the host that its image addresses point to. Any
// file key exists, except those with "missing" in them; such node ids render to null.

#include <algorithm>

#include "tests/sandbox/image.h"
#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

struct Frame {
  const char *id, *name;
  int width, height;
};

constexpr Frame kFrames[] = {
    {"1:2", "Email Banner", 600, 200}, {"1:3", "Social Image", 1200, 630},
    {"1:4", "Blog Header", 1200, 400}, {"1:5", "Square Post", 1080, 1080},
    {"1:6", "Story", 1080, 1920},      {"1:7", "Logo", 256, 256},
};

Response Fail(int status, const std::string& message) {
  return JsonResponse(status, {{"status", status}, {"err", message}});
}

Frame FrameOf(const std::string& id) {
  for (const Frame& frame : kFrames) {
    if (id == frame.id) return frame;
  }
  return {"", "", 800, 400};
}

Json NodeJson(const std::string& id) {
  const Frame frame = FrameOf(id);
  const Colour colour = ColourOf(id);
  return {{"id", id},
          {"name", *frame.name != 0 ? std::string(frame.name) : "Frame " + id},
          {"type", "COMPONENT"},
          {"children", Json::array()},
          {"absoluteBoundingBox",
           {{"x", 0}, {"y", 0}, {"width", frame.width}, {"height", frame.height}}},
          {"fills", Json::array({Json{{"type", "SOLID"},
                                      {"color",
                                       {{"r", colour.red / 255.0},
                                        {"g", colour.green / 255.0},
                                        {"b", colour.blue / 255.0},
                                        {"a", 1.0}}}}})}};
}

bool IsMissing(const std::string& text) { return Contains(Lower(text), "missing"); }

class Figma : public Vendor {
 public:
  explicit Figma(Store& store) : Vendor("figma", "/figma", store) {
    Add("GET", "/v1/me", "me.get", &Figma::Me);
    Add("GET", "/v1/files/{key}", "files.get", &Figma::GetFile);
    Add("GET", "/v1/files/{key}/meta", "files.meta", &Figma::GetMeta);
    Add("GET", "/v1/files/{key}/nodes", "files.nodes", &Figma::GetNodes);
    Add("GET", "/v1/files/{key}/images", "files.imageFills", &Figma::GetFills);
    Add("GET", "/v1/files/{key}/components", "files.components", &Figma::GetComponents);
    Add("GET", "/v1/images/{key}", "images.get", &Figma::GetImages);
    Add("GET", "/v1/files/{key}/comments", "comments.list", &Figma::ListComments);
    Add("POST", "/v1/files/{key}/comments", "comments.create", &Figma::CreateComment);
    Add("DELETE", "/v1/files/{key}/comments/{id}", "comments.delete", &Figma::DeleteComment);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    return Fail(fault.status.value_or(500), "Internal server error");
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    return Fail(fault.status.value_or(429), "Rate limit exceeded")
        .With("Retry-After", std::to_string(fault.retry_after_s.value_or(1)))
        .With("X-Figma-Plan-Tier", "pro")
        .With("X-Figma-Rate-Limit-Type", "high");
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    std::string token(call.request.Header("x-figma-token"));
    if (token.empty()) token = call.request.AuthToken("Bearer");
    if (IsBadToken(token)) return Fail(403, token.empty() ? "Forbidden" : "Invalid token");
    return std::nullopt;
  }

  Response NoSuchCall(const Call&) override { return Fail(404, "Not found"); }
  Response BadBody(const Call&, const std::string&) override { return Fail(400, "Invalid JSON"); }

 private:
  // The comma-separated ids of the query; Figma writes "1:2" in addresses also as "1-2".
  static std::vector<std::string> IdsOf(const Call& call) {
    std::vector<std::string> out;
    for (std::string id : Split(call.request.QueryParam("ids"), ',')) {
      if (!IsMissing(id)) std::replace(id.begin(), id.end(), '-', ':');
      if (!id.empty()) out.push_back(std::move(id));
    }
    return out;
  }

  static Json FileJson(const Call& call) {
    const std::string key = call.Param("key");
    return {{"name", "Campaign Components"},
            {"lastModified", "2026-11-01T09:00:00Z"},
            {"version", std::to_string(HashOf(key) >> 24)},
            {"thumbnailUrl", call.request.Origin() + "/figma-render/" + key + "/1:2.png"},
            {"editorType", "figma"},
            {"role", "editor"},
            {"schemaVersion", 0}};
  }

  static Json ComponentsJson() {
    Json out = Json::object();
    for (const Frame& frame : kFrames) {
      out[frame.id] = {{"key", Sha1Hex(frame.id)}, {"name", frame.name}, {"description", ""}};
    }
    return out;
  }

  Response Me(Call&) {
    return JsonResponse(200,
                        {{"id", "1000"}, {"handle", "campaign-bot"}, {"email", "bot@example.com"}});
  }

  Response GetFile(Call& call) {
    if (IsMissing(call.Param("key"))) return Fail(404, "Not found");
    Json frames = Json::array();
    for (const Frame& frame : kFrames) frames.push_back(NodeJson(frame.id));
    Json file = FileJson(call);
    file["document"] = {
        {"id", "0:0"},
        {"name", "Document"},
        {"type", "DOCUMENT"},
        {"children",
         Json::array({Json{
             {"id", "0:1"}, {"name", "Components"}, {"type", "CANVAS"}, {"children", frames}}})}};
    file["components"] = ComponentsJson();
    file["componentSets"] = Json::object();
    file["styles"] = Json::object();
    return JsonResponse(200, file);
  }

  Response GetMeta(Call& call) {
    if (IsMissing(call.Param("key"))) return Fail(404, "Not found");
    return JsonResponse(200, {{"file", FileJson(call)}});
  }

  Response GetNodes(Call& call) {
    if (IsMissing(call.Param("key"))) return Fail(404, "Not found");
    const std::vector<std::string> ids = IdsOf(call);
    if (ids.empty()) return Fail(400, "Must specify ids as a query parameter");
    Json nodes = Json::object();
    for (const std::string& id : ids) {
      nodes[id] = IsMissing(id) ? Json()
                                : Json{{"document", NodeJson(id)},
                                       {"components", Json::object()},
                                       {"styles", Json::object()},
                                       {"schemaVersion", 0}};
    }
    Json file = FileJson(call);
    file["nodes"] = nodes;
    return JsonResponse(200, file);
  }

  Response GetFills(Call& call) {
    if (IsMissing(call.Param("key"))) {
      return JsonResponse(404, {{"error", true}, {"status", 404}, {"message", "Not found"}});
    }
    return JsonResponse(
        200, {{"error", false}, {"status", 200}, {"meta", {{"images", Json::object()}}}});
  }

  Response GetComponents(Call& call) {
    if (IsMissing(call.Param("key"))) return Fail(404, "Not found");
    Json list = Json::array();
    for (const Frame& frame : kFrames) {
      list.push_back({{"key", Sha1Hex(frame.id)},
                      {"file_key", call.Param("key")},
                      {"node_id", frame.id},
                      {"name", frame.name},
                      {"description", ""}});
    }
    return JsonResponse(200, {{"error", false}, {"status", 200}, {"meta", {{"components", list}}}});
  }

  Response GetImages(Call& call) {
    const std::string key = call.Param("key");
    if (IsMissing(key)) return Fail(404, "Not found");
    const std::vector<std::string> ids = IdsOf(call);
    if (ids.empty()) return Fail(400, "Must specify ids as a query parameter");
    std::string format = call.request.QueryParam("format");
    if (format.empty()) format = "png";
    if (format != "png" && format != "jpg" && format != "svg" && format != "pdf") {
      return Fail(400, "format must be one of jpg, png, svg, pdf");
    }
    const std::string scale = call.request.QueryParam("scale");
    char* end = nullptr;
    const double factor = scale.empty() ? 1 : std::strtod(scale.c_str(), &end);
    if ((end != nullptr && *end != 0) || !(factor >= 0.01) || !(factor <= 4)) {
      return Fail(400, "scale must be between 0.01 and 4");
    }
    Json images = Json::object();
    for (const std::string& id : ids) {
      if (IsMissing(id)) {
        images[id] = nullptr;
      } else {
        images[id] = call.request.Origin() + "/figma-render/" + PercentEncode(key) + "/" +
                     PercentEncode(id) + "." + format + (scale.empty() ? "" : "?scale=" + scale);
      }
    }
    return JsonResponse(200, {{"err", nullptr}, {"images", images}});
  }

  Response ListComments(Call& call) {
    Json list = Json::array();
    for (const Resource* comment : store_.Lookup("figma", "comment", call.Param("key"))) {
      if (comment->state == "posted") list.push_back(comment->doc);
    }
    return JsonResponse(200, {{"comments", list}});
  }

  Response CreateComment(Call& call) {
    const std::string key = call.Param("key");
    if (IsMissing(key)) return Fail(404, "Not found");
    const std::string message = StringOr(call.body, "message");
    if (message.empty()) return Fail(400, "Invalid parameter: message");
    const std::string id = std::to_string(store_.NextNumber("figma/comment") + 1'000'000);
    Resource comment = call.Make("figma", "comment", id);
    comment.state = "posted";
    comment.alive = true;
    comment.lookup = key;
    comment.natural_key = key + ":" + message;
    comment.doc = {{"id", id},
                   {"file_key", key},
                   {"parent_id", StringOr(call.body, "comment_id")},
                   {"user", {{"id", "1000"}, {"handle", "campaign-bot"}, {"img_url", ""}}},
                   {"created_at", IsoMillis(call.now_ms)},
                   {"resolved_at", nullptr},
                   {"message", message},
                   {"client_meta", Member(call.body, "client_meta")},
                   {"order_id", id},
                   {"reactions", Json::array()}};
    return JsonResponse(200, store_.Insert(std::move(comment)).doc);
  }

  Response DeleteComment(Call& call) {
    Resource* comment = store_.Find("figma", "comment", call.Param("id"));
    if (comment == nullptr || comment->state != "posted" || comment->lookup != call.Param("key")) {
      return Fail(404, "Comment not found");
    }
    comment->state = "deleted";
    comment->alive = false;
    store_.Save(*comment);
    return JsonResponse(200, {{"status", 200}, {"error", false}});
  }
};

// The image host: no token, as the real one.
class FigmaRender : public Vendor {
 public:
  explicit FigmaRender(Store& store) : Vendor("figma-render", "/figma-render", store) {
    Add("GET", "/{key}/{file}", "render", &FigmaRender::Render);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    return TextResponse(fault.status.value_or(500), "application/xml",
                        "<Error><Code>InternalError</Code></Error>");
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    return TextResponse(fault.status.value_or(503), "application/xml",
                        "<Error><Code>SlowDown</Code></Error>")
        .With("Retry-After", std::to_string(fault.retry_after_s.value_or(1)));
  }

 protected:
  std::optional<Response> Refuse(const Call&) override { return std::nullopt; }
  Response NoSuchCall(const Call&) override { return Denied(); }
  Response BadBody(const Call&, const std::string&) override { return Denied(); }

 private:
  static Response Denied() {
    return TextResponse(403, "application/xml", "<Error><Code>AccessDenied</Code></Error>");
  }

  Response Render(Call& call) {
    const std::string file = call.Param("file");
    const size_t dot = file.rfind('.');
    if (dot == std::string::npos || IsMissing(file)) return Denied();
    const std::string id = file.substr(0, dot);
    const std::string format = file.substr(dot + 1);
    const std::string scale = call.request.QueryParam("scale");
    const double factor =
        scale.empty() ? 1 : std::clamp(std::strtod(scale.c_str(), nullptr), 0.01, 4.0);
    const Frame frame = FrameOf(id);
    const int width = std::max(1, static_cast<int>(frame.width * factor));
    const int height = std::max(1, static_cast<int>(frame.height * factor));
    const Colour colour = ColourOf(call.Param("key") + "/" + id);
    if (format == "png") return TextResponse(200, "image/png", MakePng(width, height, colour));
    if (format == "jpg") return TextResponse(200, "image/jpeg", MakeJpeg(width, height, colour));
    if (format == "svg") {
      return TextResponse(200, "image/svg+xml", MakeSvg(width, height, colour, frame.name));
    }
    if (format == "pdf")
      return TextResponse(200, "application/pdf", MakePdf(width, height, colour));
    return Denied();
  }
};

}  // namespace

std::unique_ptr<Vendor> MakeFigma(Store& store) { return std::make_unique<Figma>(store); }
std::unique_ptr<Vendor> MakeFigmaRender(Store& store) {
  return std::make_unique<FigmaRender>(store);
}

}  // namespace sandbox
