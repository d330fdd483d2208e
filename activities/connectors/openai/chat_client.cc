#include "activities/connectors/openai/chat_client.h"

#include <utility>

#include "activities/connectors/openai/classify.h"
#include "activities/connectors/openai/model_output.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace openai {
namespace {

using wire::Json;

constexpr char kOperation[] = "chat.completions";

// Why the model stopped, when that makes its text useless.
std::optional<base::Failure> StopFailure(const Json& choice) {
  const std::string reason = wire::StringAt(choice, "finish_reason");
  if (reason == "length") {
    return base::Failure::Retryable(
        "OutputTruncated", "openai: the model's text was cut at the token limit; raise tokens_max");
  }
  if (reason == "content_filter") {
    return base::Failure::Permanent("ContentFiltered",
                                    "openai: the model's content filter stopped the text");
  }
  const std::string refusal = wire::StringAt(wire::At(choice, "message"), "refusal");
  if (!refusal.empty()) {
    return base::Failure::Permanent("ModelRefused",
                                    wire::Cat("openai: ", wire::Truncate(refusal, 300)));
  }
  return std::nullopt;
}

}  // namespace

ChatClient::ChatClient(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)) {}

base::Task<base::Outcome<Completion>> ChatClient::CompleteJson(ChatRequest request,
                                                               outbound::CallContext context) {
  int64_t tokens_spent = 0;
  for (int repairs = 0;; ++repairs) {
    base::Outcome<Completion> made = co_await CompleteOnce(request, context);
    if (!made.ok()) co_return made.failure();
    tokens_spent += made->total_tokens;
    base::Outcome<std::string> checked = CheckOutput(made->content_json, request.required_keys);
    if (checked.ok()) {
      made->content_json = std::move(*checked);
      made->total_tokens = tokens_spent;
      co_return made;
    }
    if (repairs >= options_.repairs_max) co_return checked.failure();
    request.messages.push_back(
        {"user", wire::Cat("Your last answer cannot be used: ", checked.failure().message,
                           ". Answer with the JSON object only.")});
    if (request.seed.has_value()) ++*request.seed;  // the same seed would give the same text
  }
}

base::Task<base::Outcome<Completion>> ChatClient::CompleteOnce(ChatRequest request,
                                                               outbound::CallContext context) {
  if (request.admit != nullptr) {
    size_t prompt_bytes = 0;
    for (const ChatMessage& message : request.messages) prompt_bytes += message.content.size();
    const base::Done admitted = request.admit(prompt_bytes);
    if (!admitted.ok()) co_return admitted.failure();
  }
  outbound::HttpRequest http;
  http.method = "POST";
  http.url = wire::JoinUrl(options_.base_url, "/chat/completions");
  http.headers.emplace_back("Content-Type", "application/json");
  if (!options_.api_key.empty()) {
    http.headers.emplace_back("Authorization", wire::Cat("Bearer ", options_.api_key.value()));
  }
  http.body = Body(request);
  http.operation = kOperation;
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(OpenAiVendor(), http, std::move(context));
  if (!response.ok()) co_return response.failure();
  base::Outcome<Json> answer = wire::BodyOf("openai", http, *response);
  if (!answer.ok()) co_return answer.failure();
  const Json& choices = wire::At(*answer, "choices");
  if (!choices.is_array() || choices.empty()) {
    co_return wire::Malformed("openai", kOperation, false);
  }
  const Json& usage = wire::At(*answer, "usage");
  Completion made{.content_json = wire::StringAt(wire::At(choices[0], "message"), "content"),
                  .model = wire::StringAt(*answer, "model"),
                  .prompt_tokens = wire::IntAt(usage, "prompt_tokens"),
                  .completion_tokens = wire::IntAt(usage, "completion_tokens"),
                  .total_tokens = wire::IntAt(usage, "total_tokens")};
  if (made.model.empty()) made.model = request.model.empty() ? options_.model : request.model;
  if (made.total_tokens == 0) made.total_tokens = made.prompt_tokens + made.completion_tokens;
  if (request.on_usage != nullptr) request.on_usage(made);
  if (std::optional<base::Failure> failure = StopFailure(choices[0])) co_return *failure;
  co_return made;
}

std::string ChatClient::Body(const ChatRequest& request) const {
  Json messages = Json::array();
  for (const ChatMessage& message : request.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  Json body = {{"model", request.model.empty() ? options_.model : request.model},
               {"messages", std::move(messages)}};
  body[options_.legacy_max_tokens ? "max_tokens" : "max_completion_tokens"] = request.tokens_max;
  if (request.temperature.has_value()) body["temperature"] = *request.temperature;
  if (request.seed.has_value()) body["seed"] = *request.seed;
  if (options_.format == ResponseFormat::kJsonObject) {
    body["response_format"] = {{"type", "json_object"}};
  } else {
    body["response_format"] = {
        {"type", "json_schema"},
        {"json_schema",
         {{"name", request.schema_name},
          {"strict", true},
          {"schema", wire::ParseJson(SchemaOf(request.required_keys)).value_or(Json())}}}};
  }
  return wire::DumpJson(body);
}

}  // namespace openai
