#include "gateway/rest/transcoder.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/json/json_reader.h"
#include "gateway/json/text_values.h"
#include "gateway/rest/header_fields.h"
#include "gateway/rest/url.h"
#include "google/api/annotations.pb.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/status_macros.h"

namespace gateway {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::pair<std::string, std::string> Pattern(const google::api::HttpRule& rule) {
  switch (rule.pattern_case()) {
    case google::api::HttpRule::kGet:
      return {"GET", rule.get()};
    case google::api::HttpRule::kPut:
      return {"PUT", rule.put()};
    case google::api::HttpRule::kPost:
      return {"POST", rule.post()};
    case google::api::HttpRule::kDelete:
      return {"DELETE", rule.delete_()};
    case google::api::HttpRule::kPatch:
      return {"PATCH", rule.patch()};
    default:
      return {"", ""};
  }
}

// The field at `path` ("campaign.tone"), with `message` moved to the message that holds it.
const FieldDescriptor* ResolveField(absl::string_view path, Message** message) {
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  for (size_t i = 0; i < names.size(); ++i) {
    const FieldDescriptor* field = (*message)->GetDescriptor()->FindFieldByName(names[i]);
    if (field == nullptr) {
      field = (*message)->GetDescriptor()->FindFieldByCamelcaseName(names[i]);
    }
    if (field == nullptr || i + 1 == names.size()) return field;
    if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return nullptr;
    }
    *message = (*message)->GetReflection()->MutableMessage(*message, field);
  }
  return nullptr;
}

void ReadQuery(const std::string& query, bool allowed, Message* request,
               FieldViolations* violations) {
  const auto pairs = ParseQuery(query);
  if (!pairs.has_value()) return violations->Add("(query)", "has a broken percent escape");
  std::set<std::string> seen;
  for (const auto& [name, value] : *pairs) {
    Message* holder = request;
    const FieldDescriptor* field = allowed ? ResolveField(name, &holder) : nullptr;
    if (field == nullptr) {
      violations->Add(name, "is not a known query parameter");
      continue;
    }
    if (!field->is_repeated() && !seen.insert(name).second) {
      violations->Add(name, "is given more than once");
      continue;
    }
    if (value.empty()) continue;  // "?status=" asks for nothing in particular
    const std::string expected = SetFromText(value, field, holder);
    if (!expected.empty()) violations->Add(name, expected);
  }
}

}  // namespace

Transcoder::Transcoder(const Router& router) {
  for (const auto& [name, method] : router.methods()) {
    CHECK(method.descriptor->options().HasExtension(google::api::http)) << name;
    const auto& rule = method.descriptor->options().GetExtension(google::api::http);
    auto [http_method, pattern] = Pattern(rule);
    auto path = PathTemplate::Parse(pattern);
    CHECK(path.ok()) << name << ": " << path.status().ToString();
    CHECK(rule.body().empty() || rule.body() == "*") << name << ": body " << rule.body();
    CHECK(rule.additional_bindings().empty()) << name;
    routes_.push_back({http_method, *std::move(path), rule.body() == "*", &method});
  }
  std::stable_sort(routes_.begin(), routes_.end(), [](const Route& a, const Route& b) {
    return a.path.literals() > b.path.literals();
  });
}

Transcoder::Match Transcoder::Find(const std::string& http_method, const std::string& path) const {
  Match match;
  for (const Route& route : routes_) {
    std::map<std::string, std::string> fields;
    if (!route.path.Match(path, &fields)) continue;
    match.allowed.push_back(route.http_method);
    if (match.route == nullptr && route.http_method == http_method) {
      match.route = &route;
      match.fields = std::move(fields);
    }
  }
  return match;
}

absl::StatusOr<MessagePtr> Transcoder::Read(const Match& match, const HttpRequest& http) const {
  const Route& route = *match.route;
  MessagePtr request(route.method->request_prototype->New());
  FieldViolations violations;
  if (route.has_body && !absl::StripAsciiWhitespace(http.body).empty()) {
    RETURN_IF_ERROR(ReadJson(http.body, request.get(), &violations));
  }
  ReadQuery(http.query, !route.has_body, request.get(), &violations);
  for (const auto& [name, value] : match.fields) {
    Message* holder = request.get();
    const FieldDescriptor* field = ResolveField(name, &holder);
    CHECK(field != nullptr && !field->is_repeated()) << route.path.text();
    const auto* reflection = holder->GetReflection();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
        reflection->HasField(*holder, field) && reflection->GetString(*holder, field) != value) {
      violations.Add(name, absl::StrCat("is not the one in the path, ", value));
    }
    const std::string expected = SetFromText(value, field, holder);
    if (!expected.empty()) violations.Add(name, expected);
  }
  ReadHeaderFields(http, request.get(), &violations);
  if (violations.empty()) return request;
  // It is refused. What could be read of it is checked all the same: its faults are told at once.
  if (route.method->check) {
    FieldViolations checked;
    route.method->check(*request, &checked);
    violations.MergeChecked(checked);
  }
  return violations.ToStatus();
}

}  // namespace gateway
