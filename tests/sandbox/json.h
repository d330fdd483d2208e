// Lenient reading of JSON that strangers sent, and answers made of JSON.
// Thread-safety: pure functions.
//
// Example:
//   Json body = Json::parse(R"({"title":"x","draft":true})");
//   StringOr(body, "title", "");   // "x"
//   IntOr(body, "title", 7);       // 7: wrong type counts as absent
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/sandbox/http.h"

namespace sandbox {

using Json = nlohmann::json;

// The member, or a null value when `object` is no object or has no such member.
const Json& Member(const Json& object, std::string_view key);
std::string StringOr(const Json& object, std::string_view key, std::string_view fallback = "");
int64_t IntOr(const Json& object, std::string_view key, int64_t fallback);
bool BoolOr(const Json& object, std::string_view key, bool fallback);
// Compact text; bytes that are no UTF-8 are replaced.
std::string Dump(const Json& value);
Response JsonResponse(int status, const Json& body);

}  // namespace sandbox
