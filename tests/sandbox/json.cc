#include "tests/sandbox/json.h"

#include "tests/sandbox/text.h"

namespace sandbox {

const Json& Member(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string StringOr(const Json& object, std::string_view key, std::string_view fallback) {
  const Json& value = Member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string(fallback);
}

int64_t IntOr(const Json& object, std::string_view key, int64_t fallback) {
  const Json& value = Member(object, key);
  return value.is_number() ? value.get<int64_t>() : fallback;
}

bool BoolOr(const Json& object, std::string_view key, bool fallback) {
  const Json& value = Member(object, key);
  return value.is_boolean() ? value.get<bool>() : fallback;
}

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Response JsonResponse(int status, const Json& body) {
  Response response;
  response.status = status;
  response.body = Dump(body);
  return response;
}

}  // namespace sandbox
