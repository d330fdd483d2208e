#include "activities/connectors/wire/json.h"

#include <utility>

#include "activities/connectors/wire/text.h"

namespace wire {
namespace {

// Whether brackets nest deeper than kJsonDepthMax; those in strings do not count.
bool IsTooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kJsonDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

bool IsSuccess(int status) { return status >= 200 && status < 300; }

}  // namespace

std::optional<Json> ParseJson(std::string_view text) {
  if (IsTooDeep(text)) return std::nullopt;
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

std::string DumpJson(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json& At(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto it = object.find(std::string(key));
  return it == object.end() ? kNull : *it;
}

std::string StringAt(const Json& object, std::string_view key) {
  const Json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

int64_t IntAt(const Json& object, std::string_view key) {
  const Json& value = At(object, key);
  return value.is_number_integer() ? value.get<int64_t>() : 0;
}

bool BoolAt(const Json& object, std::string_view key) {
  const Json& value = At(object, key);
  return value.is_boolean() && value.get<bool>();
}

outbound::HttpRequest JsonRequest(std::string method, std::string url, const Json& body,
                                  std::string operation) {
  outbound::HttpRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  request.body = DumpJson(body);
  request.operation = std::move(operation);
  return request;
}

base::Failure Malformed(std::string_view vendor, std::string_view operation, bool effect_unknown) {
  base::Failure failure = base::Failure::Retryable(
      "MalformedResponse", Cat(vendor, " ", operation, ": the answer cannot be read"));
  failure.effect_unknown = effect_unknown;
  return failure;
}

base::Outcome<Json> BodyOf(std::string_view vendor, const outbound::HttpRequest& request,
                           const outbound::HttpResponse& response) {
  const base::Done done = Expect2xx(vendor, request, response);
  if (!done.ok()) return done.failure();
  std::optional<Json> body = ParseJson(response.body);
  if (!body.has_value() || !body->is_object()) {
    return Malformed(vendor, request.operation, request.repeat == outbound::Repeat::kUnsafe);
  }
  return std::move(*body);
}

base::Done Expect2xx(std::string_view vendor, const outbound::HttpRequest& request,
                     const outbound::HttpResponse& response) {
  if (IsSuccess(response.status)) return base::Unit{};
  const bool missing = response.status == 404 || response.status == 410;
  const std::string said = outbound::VendorMessage(response.body);
  return base::Failure::Permanent(missing ? "NotFound" : "InvalidRequest",
                                  Cat(vendor, " ", request.operation, ": answered ",
                                      response.status, said.empty() ? "" : ": ", said));
}

outbound::Classification ClassifyJson(const outbound::HttpRequest& request,
                                      const outbound::HttpResponse& response) {
  if (IsSuccess(response.status) && (IsTooDeep(response.body) || !Json::accept(response.body))) {
    return {.verdict = outbound::Verdict::kRetryUnknown,
            .failure_type = "MalformedResponse",
            .failure_message = "the answer is not JSON"};
  }
  return outbound::ClassifyByStatus(request, response);
}

}  // namespace wire
