#include "gateway/openapi/document.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/auth/permissions.h"
#include "gateway/auth/roles.h"
#include "gateway/openapi/comments.h"
#include "gateway/openapi/errors.h"
#include "gateway/openapi/limits.h"
#include "gateway/openapi/schema.h"
#include "google/api/annotations.pb.h"
#include "orchestrator/base/check.h"

namespace openapi {

namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constexpr char kJson[] = "application/json";
constexpr char kHistory[] = "GetWorkflowHistory";  // gateway/rest/history_stream.h

struct Pattern {
  std::string method;
  std::string path;
};

Pattern PatternOf(const google::api::HttpRule& rule) {
  switch (rule.pattern_case()) {
    case google::api::HttpRule::kGet:
      return {"get", rule.get()};
    case google::api::HttpRule::kPut:
      return {"put", rule.put()};
    case google::api::HttpRule::kPost:
      return {"post", rule.post()};
    case google::api::HttpRule::kDelete:
      return {"delete", rule.delete_()};
    case google::api::HttpRule::kPatch:
      return {"patch", rule.patch()};
    default:
      CHECK(false) << "a method without a path";
  }
}

// "/v1/workflows/{workflow_id}/saga/{step}" -> workflow_id, step.
std::vector<std::string> FieldsOf(const std::string& path) {
  std::vector<std::string> fields;
  for (absl::string_view part : absl::StrSplit(path, '/')) {
    if (absl::StartsWith(part, "{")) fields.emplace_back(part.substr(1, part.size() - 2));
  }
  return fields;
}

Json ComponentRef(const char* kind, const std::string& name) {
  return {{"$ref", absl::StrCat("#/components/", kind, "/", name)}};
}

// The value that an example gives a parameter; null when there is none.
Json ExampleValue(const Json* example, const char* where, const std::string& name) {
  if (example == nullptr || !example->contains(where)) return nullptr;
  const Json& values = (*example)[where];
  return values.contains(name) ? values[name] : Json();
}

// What the example has under `part` ("body", "response"), into a media type's object.
void AddExample(const Json* example, const char* part, Json* content) {
  if (example == nullptr || !example->contains(part)) return;
  (*content)["examples"]["example"] = {{"summary", (*example)["summary"]},
                                       {"value", (*example)[part]}};
}

bool HeedsIfMatch(const MethodDescriptor* method, const std::string& http_method) {
  return http_method != "get" && method->input_type()->FindFieldByName("etag") != nullptr;
}

class Writer {
 public:
  Writer(const std::vector<Example>& examples, Json base)
      : examples_(examples), document_(std::move(base)) {}

  void AddService(const ServiceDescriptor* service) {
    document_["tags"].push_back({{"name", service->name()}, {"description", CommentOf(service)}});
    for (int i = 0; i < service->method_count(); ++i) AddMethod(service->method(i));
  }

  // Of the pages and webhooks, which are in the base.
  void AddPageExamples() {
    for (auto& [path, operations] : document_["paths"].items()) {
      for (auto& [method, operation] : operations.items()) {
        const Json* example = FindExample(operation["operationId"].get<std::string>());
        if (example == nullptr) continue;
        for (auto& [type, content] : operation["responses"]["200"]["content"].items()) {
          AddExample(example, "response", &content);
        }
        if (!operation.contains("requestBody")) continue;
        for (auto& [type, content] : operation["requestBody"]["content"].items()) {
          AddExample(example, "body", &content);
        }
      }
    }
  }

  Json Take() {
    Json schemas = schemas_.Take();
    for (auto& [name, schema] : schemas.items()) {
      CHECK(!document_["components"]["schemas"].contains(name)) << name;
      document_["components"]["schemas"][name] = std::move(schema);
    }
    return std::move(document_);
  }

 private:
  void AddMethod(const MethodDescriptor* method) {
    const auto& rule = method->options().GetExtension(google::api::http);
    const Pattern pattern = PatternOf(rule);
    const Json* example = FindExample(method->name());
    schemas_.MarkRequest(method->input_type());
    schemas_.MarkResponse(method->output_type());

    Json operation = {{"operationId", method->name()}, {"tags", {method->service()->name()}}};
    AddTexts(method, &operation);
    const bool has_body = rule.body() == "*";
    Json parameters = PathParameters(method, pattern.path, example);
    if (has_body) {
      AddBody(method, pattern.path, example, &operation);
    } else {
      AddQuery(method, pattern.path, example, &parameters);
    }
    AddHeaders(method, pattern.method, &parameters);
    if (!parameters.empty()) operation["parameters"] = std::move(parameters);
    operation["responses"] = Responses(method, pattern, example);
    document_["paths"][pattern.path][pattern.method] = std::move(operation);
  }

  const Json* FindExample(const std::string& operation) const {
    for (const Example& example : examples_) {
      if (example.operation == operation) return &example.json;
    }
    return nullptr;
  }

  void AddTexts(const MethodDescriptor* method, Json* operation) const {
    const std::string comment = CommentOf(method);
    (*operation)["summary"] = FirstSentence(comment);
    const auth::Rule* rule = auth::FindRule(method->full_name());
    if (rule == nullptr) return;  // nobody may call it; tests/e2e/openapi_lint_test.py complains
    const char* role = rule->role == auth::Role::kNone ? "any" : auth::RoleName(rule->role);
    (*operation)["description"] =
        absl::StrCat(comment, "\n\n**Role**: ", role, ", in ",
                     rule->scope == auth::Scope::kServer ? "all namespaces" : "the namespace",
                     ". **Rate limit group**: ", std::string(rule->group), ".");
    (*operation)["x-required-role"] = role;
    (*operation)["x-rate-limit-group"] = std::string(rule->group);
  }

  Json PathParameters(const MethodDescriptor* method, const std::string& path,
                      const Json* example) {
    Json parameters = Json::array();
    for (const std::string& name : FieldsOf(path)) {
      const FieldDescriptor* field = method->input_type()->FindFieldByName(name);
      CHECK(field != nullptr) << path;
      Json parameter = Parameter(field, name, "path");
      parameter["required"] = true;
      if (Json value = ExampleValue(example, "path", name); !value.is_null()) {
        parameter["example"] = std::move(value);
      }
      parameters.push_back(std::move(parameter));
    }
    return parameters;
  }

  Json Parameter(const FieldDescriptor* field, const std::string& name, const char* where) {
    Json schema = schemas_.OfField(field);
    const std::string description = schema["description"];
    schema.erase("description");
    return {
        {"name", name}, {"in", where}, {"description", description}, {"schema", std::move(schema)}};
  }

  void AddQuery(const MethodDescriptor* method, const std::string& path, const Json* example,
                Json* parameters) {
    const std::vector<std::string> in_path = FieldsOf(path);
    const auto* input = method->input_type();
    for (int i = 0; i < input->field_count(); ++i) {
      const FieldDescriptor* field = input->field(i);
      if (std::find(in_path.begin(), in_path.end(), field->name()) != in_path.end()) continue;
      CHECK(schemas_.IsScalar(field)) << field->full_name() << " has no form in a query";
      Json parameter = Parameter(field, field->name(), "query");
      const Limit* limit = FindLimit(input->name(), field->name());
      if (limit != nullptr && limit->required) parameter["required"] = true;
      if (Json value = ExampleValue(example, "query", field->name()); !value.is_null()) {
        parameter["example"] = std::move(value);
      }
      parameters->push_back(std::move(parameter));
    }
  }

  void AddBody(const MethodDescriptor* method, const std::string& path, const Json* example,
               Json* operation) {
    const std::vector<std::string> in_path = FieldsOf(path);
    const std::set<std::string> without(in_path.begin(), in_path.end());
    Json content = {{"schema", schemas_.BodyRef(method->input_type(), without)}};
    AddExample(example, "body", &content);
    (*operation)["requestBody"] = {{"required", NeedsBody(method->input_type(), without)},
                                   {"content", {{kJson, std::move(content)}}}};
  }

  static bool NeedsBody(const Descriptor* input, const std::set<std::string>& without) {
    for (int i = 0; i < input->field_count(); ++i) {
      const Limit* limit = FindLimit(input->name(), input->field(i)->name());
      if (limit != nullptr && limit->required && !without.contains(input->field(i)->name())) {
        return true;
      }
    }
    return false;
  }

  // Headers that say what a field of the request says too.
  void AddHeaders(const MethodDescriptor* method, const std::string& http_method,
                  Json* parameters) const {
    const auto* input = method->input_type();
    const auto has = [input](const char* field) {
      return input->FindFieldByName(field) != nullptr;
    };
    std::vector<std::string> headers = {"CorrelationId"};
    if (has("namespace") || has("start")) headers.push_back("Namespace");
    if (has("request_id")) headers.push_back("IdempotencyKey");
    if (HeedsIfMatch(method, http_method)) headers.push_back("IfMatch");
    const bool streams = method->server_streaming() || method->name() == kHistory;
    if (has("resume_token") || method->name() == kHistory) headers.push_back("LastEventId");
    if (!streams) headers.push_back("RequestTimeout");
    for (const std::string& name : headers) {
      if (document_["components"]["parameters"].contains(name)) {
        parameters->push_back(ComponentRef("parameters", name));
      }
    }
  }

  Json Responses(const MethodDescriptor* method, const Pattern& pattern, const Json* example) {
    Json responses = Json::object();
    responses["200"] = Success(method, example);
    responses["400"] = ComponentRef("responses", "InvalidArgument");
    responses["401"] = ComponentRef("responses", "Unauthenticated");
    responses["403"] = ComponentRef("responses", "PermissionDenied");
    for (const OperationError& error : OperationErrors()) {
      if (error.operation != method->name()) continue;
      responses[absl::StrCat(error.http_status)] = {
          {"description", std::string(error.text)},
          {"headers", {{"X-Correlation-ID", ComponentRef("headers", "CorrelationId")}}},
          {"content", {{kJson, {{"schema", ComponentRef("schemas", "Status")}}}}}};
    }
    if (HeedsIfMatch(method, pattern.method)) {
      responses["412"] = ComponentRef("responses", "PreconditionFailed");
    }
    responses["429"] = ComponentRef("responses", "ResourceExhausted");
    responses["500"] = ComponentRef("responses", "Internal");
    responses["503"] = ComponentRef("responses", "Unavailable");
    responses["default"] = ComponentRef("responses", "Other");
    return responses;
  }

  Json Success(const MethodDescriptor* method, const Json* example) {
    Json response = {{"description", ""},
                     {"headers", {{"X-Correlation-ID", ComponentRef("headers", "CorrelationId")}}}};
    for (const char* name : {"Limit", "Remaining", "Reset"}) {
      response["headers"][absl::StrCat("RateLimit-", name)] =
          ComponentRef("headers", absl::StrCat("RateLimit", name));
    }
    Json ref = schemas_.Ref(method->output_type());
    if (method->server_streaming()) return Stream(method, std::move(response), std::move(ref));
    response["description"] = CommentOf(method->output_type());
    if (method->output_type()->FindFieldByName("etag") != nullptr &&
        document_["components"]["headers"].contains("ETag")) {
      response["headers"]["ETag"] = ComponentRef("headers", "ETag");
    }
    Json content = {{"schema", std::move(ref)}};
    AddExample(example, "response", &content);
    response["content"] = {{kJson, std::move(content)}};
    if (method->name() == kHistory) {
      response["content"]["text/event-stream"] = {
          {"schema",
           {{"type", "string"},
            {"description",
             "With `Accept: text/event-stream`: `event: history` has one HistoryEvent as its "
             "`data` and RUN_ID/EVENT_ID as its `id`; new ones come as they are written. The last "
             "one is `event: end` with the run's status."}}}};
    }
    return response;
  }

  // "WatchProgress" -> "progress": the name of its events (gateway/rest/rest_handler.cc).
  Json Stream(const MethodDescriptor* method, Json response, Json ref) const {
    absl::string_view name = method->name();
    const std::string message = method->output_type()->name();
    if (!absl::ConsumePrefix(&name, "Watch")) {
      response["description"] = absl::StrCat("JSON lines: one `", message, "` a line.");
      response["content"] = {
          {"application/x-ndjson",
           {{"schema",
             {{"type", "string"},
              {"description", absl::StrCat("A line holds one `", message, "`.")}}}}}};
      response["x-line-schema"] = std::move(ref);
      return response;
    }
    const std::string event = absl::AsciiStrToLower(name);
    response["description"] = absl::StrCat(
        "Server-sent events. `event: ", event, "` has one `", message,
        "` as its `data` and, where the method can resume, an `id` to send back as Last-Event-ID. "
        "Comments keep the connection alive. The last one is `event: end`, or `event: error` with "
        "a `Status` as its data.");
    response["content"] = {
        {"text/event-stream",
         {{"schema",
           {{"type", "string"}, {"description", "Events as of the HTML Standard, section 9.2."}}},
          {"example",
           absl::StrCat("event: ", event, "\ndata: {...}\n\nevent: end\ndata: {}\n\n")}}}};
    response["x-event-schema"] = std::move(ref);
    return response;
  }

  const std::vector<Example>& examples_;
  Json document_;
  Schemas schemas_;
};

}  // namespace

Json MakeDocument(const std::vector<const ServiceDescriptor*>& services,
                  const std::vector<Example>& examples, Json base) {
  Writer writer(examples, std::move(base));
  writer.AddPageExamples();  // while there is nothing else
  for (const ServiceDescriptor* service : services) writer.AddService(service);
  return writer.Take();
}

}  // namespace openapi
