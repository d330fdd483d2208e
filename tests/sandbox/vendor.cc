#include "tests/sandbox/vendor.h"

#include <algorithm>

#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

std::vector<std::string> Parts(std::string_view path) {
  std::vector<std::string> out;
  for (std::string& part : Split(path, '/')) {
    if (!part.empty()) out.push_back(std::move(part));
  }
  return out;
}

bool MatchPattern(const std::vector<std::string>& pattern, const std::vector<std::string>& path,
                  size_t skip, NameValues* params) {
  params->clear();
  size_t at = skip;
  for (const std::string& part : pattern) {
    const bool is_name = part.front() == '{';
    if (is_name && part.ends_with("...}")) {
      std::string rest;
      for (; at < path.size(); ++at) rest += (rest.empty() ? "" : "/") + path[at];
      params->emplace_back(part.substr(1, part.size() - 5), rest);
      return !rest.empty();
    }
    if (at >= path.size()) return false;
    if (is_name) {
      params->emplace_back(part.substr(1, part.size() - 2), path[at]);
    } else if (part != path[at]) {
      return false;
    }
    ++at;
  }
  return at == path.size();
}

}  // namespace

std::string Call::Param(std::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return "";
}

Resource Call::Make(std::string_view vendor, std::string_view kind, std::string id) const {
  Resource resource;
  resource.vendor = vendor;
  resource.kind = kind;
  resource.id = std::move(id);
  resource.workflow_id = workflow_id;
  resource.idempotency_key = idempotency_key;
  resource.created_ms = now_ms;
  return resource;
}

Vendor::Vendor(std::string name, std::string prefix, Store& store)
    : store_(store), name_(std::move(name)), prefix_(std::move(prefix)) {
  prefix_parts_ = Parts(prefix_).size();
}

void Vendor::AddRoute(std::string method, std::string_view pattern, std::string operation,
                      std::function<Response(Call&)> handle) {
  AddOperation(operation);
  routes_.push_back({std::move(method), Parts(pattern), std::move(operation), std::move(handle)});
}

void Vendor::AddOperation(const std::string& operation) {
  if (std::find(operations_.begin(), operations_.end(), operation) == operations_.end()) {
    operations_.push_back(operation);
  }
}

const Route* Vendor::Match(const Request& request, NameValues* params) const {
  const std::string_view method =
      request.method == "HEAD" ? std::string_view("GET") : std::string_view(request.method);
  for (const Route& route : routes_) {
    if (route.method == method &&
        MatchPattern(route.pattern, request.segments, prefix_parts_, params)) {
      return &route;
    }
  }
  params->clear();
  return nullptr;
}

std::string Vendor::OperationOf(const Call& call, const Route* route) const {
  return route == nullptr ? "unknown" : route->operation;
}

Response Vendor::Serve(Call& call, const Route* route) {
  Advance();
  Response response;
  try {
    std::optional<Response> refusal = Refuse(call);
    if (refusal) {
      response = std::move(*refusal);
    } else if (route == nullptr) {
      response = NoSuchCall(call);
    } else if (!ReadBody(call)) {
      response = BadBody(call, "the body is not valid JSON");
    } else {
      response = route->handle(call);
    }
  } catch (const Json::exception& error) {
    response = BadBody(call, error.what());
  }
  Finish(call, &response);
  return response;
}

bool Vendor::ReadBody(Call& call) {
  if (call.request.method == "GET" || call.request.body.empty()) return true;
  call.body = Json::parse(call.request.body, nullptr, false);
  return !call.body.is_discarded();
}

bool Vendor::IsBadToken(std::string_view token) {
  return token.empty() || Contains(token, "invalid");
}

}  // namespace sandbox
