#include "activities/connectors/memory/memory_gateway.h"

#include <algorithm>
#include <utility>

#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace memory {
namespace {

using wire::Json;

outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response) {
  // A deletion may be answered 204 without a body, or with any body.
  if (request.method != "GET" && request.operation != "search") {
    return outbound::ClassifyByStatus(request, response);
  }
  return wire::ClassifyJson(request, response);
}

const outbound::Vendor& Gateway() {
  static const outbound::Vendor* const kVendor =
      new outbound::Vendor{.name = "memory", .timeout = absl::Seconds(10), .classify = Classify};
  return *kVendor;
}

Item ItemOf(const Json& json, std::string name_space) {
  const Json& metadata = wire::At(json, "metadata");
  return {.name_space = std::move(name_space),
          .key = wire::StringAt(json, "key"),
          .kind = wire::StringAt(json, "kind"),
          .content = wire::StringAt(json, "content"),
          .metadata_json = metadata.is_object() ? wire::DumpJson(metadata) : "{}"};
}

}  // namespace

MemoryGateway::MemoryGateway(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)) {}

void MemoryGateway::Authorize(outbound::HttpRequest& request) const {
  if (options_.token.empty()) return;
  request.headers.emplace_back("Authorization", wire::Cat("Bearer ", options_.token.value()));
}

std::string MemoryGateway::ItemUrl(const std::string& name_space, const std::string& key) const {
  return wire::JoinUrl(
      options_.base_url,
      wire::Cat("/v1/memories/", wire::PercentEncode(name_space), "/", wire::PercentEncode(key)));
}

base::Task<base::Outcome<std::vector<Recalled>>> MemoryGateway::Recall(
    std::string query, std::string name_space, std::string kind, int limit,
    outbound::CallContext context) {
  Json body = {{"namespace", name_space},
               {"query", query},
               {"limit", std::clamp(limit, 1, kRecallLimitMax)}};
  if (!kind.empty()) body["kind"] = kind;
  outbound::HttpRequest request =
      wire::JsonRequest("POST", wire::JoinUrl(options_.base_url, "/v1/search"), body, "search");
  Authorize(request);
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Gateway(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  base::Outcome<Json> answer = wire::BodyOf("memory", request, *response);
  if (!answer.ok()) co_return answer.failure();
  const Json& results = wire::At(*answer, "results");
  if (!results.is_array()) co_return wire::Malformed("memory", "search", false);
  std::vector<Recalled> found;
  for (const Json& result : results) {
    if (found.size() >= kRecallLimitMax) break;
    const Json& score = wire::At(result, "score");
    found.push_back({.item = ItemOf(result, name_space),
                     .score = score.is_number() ? score.get<double>() : 0.0});
  }
  co_return found;
}

base::Task<base::Done> MemoryGateway::Put(Item item, outbound::CallContext context) {
  if (std::string problem = ItemProblem(item); !problem.empty()) {
    co_return base::Failure::Permanent("InvalidMemoryItem", std::move(problem));
  }
  const Json body = {{"namespace", item.name_space},
                     {"key", item.key},
                     {"kind", item.kind},
                     {"content", item.content},
                     {"metadata", *wire::ParseJson(item.metadata_json)}};
  // The service replaces by namespace and key: a repeat lands on the same item.
  outbound::HttpRequest request = wire::JsonRequest(
      "POST", wire::JoinUrl(options_.base_url, "/v1/memories"), body, "memories.put");
  Authorize(request);
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Gateway(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  co_return wire::Expect2xx("memory", request, *response);
}

base::Task<base::Outcome<std::optional<Item>>> MemoryGateway::Get(std::string name_space,
                                                                  std::string key,
                                                                  outbound::CallContext context) {
  outbound::HttpRequest request;
  request.url = ItemUrl(name_space, key);
  request.operation = "memories.get";
  Authorize(request);
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Gateway(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  if (response->status == 404 || response->status == 410) co_return std::optional<Item>();
  base::Outcome<Json> answer = wire::BodyOf("memory", request, *response);
  if (!answer.ok()) co_return answer.failure();
  Item item = ItemOf(*answer, std::move(name_space));
  if (item.key.empty()) item.key = std::move(key);
  co_return std::optional<Item>(std::move(item));
}

base::Task<base::Outcome<bool>> MemoryGateway::Delete(std::string name_space, std::string key,
                                                      outbound::CallContext context) {
  outbound::HttpRequest request;
  request.method = "DELETE";
  request.url = ItemUrl(name_space, key);
  request.operation = "memories.delete";
  Authorize(request);
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Gateway(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  if (response->status == 404 || response->status == 410) co_return false;
  const base::Done done = wire::Expect2xx("memory", request, *response);
  if (!done.ok()) co_return done.failure();
  co_return true;
}

}  // namespace memory
