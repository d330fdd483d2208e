#include "tests/sandbox/http.h"

#include <strings.h>

#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (SameName(key, name)) return value;
  }
  return {};
}

std::string Request::QueryParam(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return "";
}

bool Request::HasQuery(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return true;
  }
  return false;
}

std::string Request::Origin() const {
  const std::string_view host = Header("host");
  return "http://" + (host.empty() ? std::string("127.0.0.1") : std::string(host));
}

std::string Request::AuthToken(std::string_view scheme) const {
  const std::string_view value = Header("authorization");
  if (value.size() <= scheme.size() || !SameName(value.substr(0, scheme.size()), scheme) ||
      value[scheme.size()] != ' ') {
    return "";
  }
  return Trim(value.substr(scheme.size() + 1));
}

Request MakeRequest(std::string method, std::string target) {
  Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  const size_t mark = request.target.find('?');
  request.path = request.target.substr(0, mark);
  if (mark != std::string::npos) {
    request.query = ParseForm(std::string_view(request.target).substr(mark + 1));
  }
  for (const std::string& part : Split(request.path, '/')) {
    if (!part.empty()) request.segments.push_back(PercentDecode(part, false));
  }
  return request;
}

NameValues ParseForm(std::string_view text) {
  NameValues out;
  if (text.empty()) return out;
  for (const std::string& pair : Split(text, '&')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    out.emplace_back(
        PercentDecode(pair.substr(0, equals), true),
        equals == std::string::npos ? "" : PercentDecode(pair.substr(equals + 1), true));
  }
  return out;
}

Response EmptyResponse(int status) {
  Response response;
  response.status = status;
  response.content_type.clear();
  return response;
}

Response TextResponse(int status, std::string content_type, std::string body) {
  Response response;
  response.status = status;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  return response;
}

}  // namespace sandbox
