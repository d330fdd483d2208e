// An OpenAI-compatible model: chat completions (also streamed) and the list of models. The same
// request always gets the same text. Models with "missing" in their name do not exist.

#include <algorithm>

#include "tests/sandbox/copywriter.h"
#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

constexpr int64_t kChoicesMax = 128;
constexpr const char* kModels[] = {"gpt-4o-mini", "gpt-4o", "gpt-4.1-mini", "sandbox-writer"};

Response Fail(int status, const std::string& type, const std::string& message,
              const Json& code = nullptr, const Json& param = nullptr) {
  return JsonResponse(
      status,
      {{"error", {{"message", message}, {"type", type}, {"param", param}, {"code", code}}}});
}

// About four characters are a token.
int64_t TokensIn(const std::string& text) { return static_cast<int64_t>(text.size() + 3) / 4; }

// All that was said, content parts joined.
std::string ConversationOf(const Json& messages) {
  std::string out;
  for (const Json& message : messages) {
    const Json& content = Member(message, "content");
    if (content.is_string()) out += content.get_ref<const std::string&>() + "\n";
    if (!content.is_array()) continue;
    for (const Json& part : content) out += StringOr(part, "text") + "\n";
  }
  return out;
}

class OpenAi : public Vendor {
 public:
  explicit OpenAi(Store& store) : Vendor("openai", "/openai/v1", store) {
    Add("POST", "/chat/completions", "chat.completions", &OpenAi::Complete);
    Add("POST", "/moderations", "moderations.create", &OpenAi::Moderate);
    Add("GET", "/models", "models.list", &OpenAi::ListModels);
    Add("GET", "/models/{model}", "models.get", &OpenAi::GetModel);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    const int status = fault.status.value_or(503);
    if (!fault.code.empty()) {
      return Fail(status, fault.code, "You exceeded your current quota.", fault.code);
    }
    if (status == 503) {
      return Fail(503, "server_error", "The engine is currently overloaded, please try again later",
                  "server_is_overloaded");
    }
    return Fail(status, status >= 500 ? "server_error" : "invalid_request_error",
                "The server had an error while processing your request.");
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    const std::string wait = std::to_string(fault.retry_after_s.value_or(1));
    return Fail(fault.status.value_or(429), "requests",
                "Rate limit reached for requests. Please try again later.", "rate_limit_exceeded")
        .With("Retry-After", wait)
        .With("x-ratelimit-limit-requests", "500")
        .With("x-ratelimit-remaining-requests", "0")
        .With("x-ratelimit-reset-requests", wait + "s");
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    const std::string token = call.request.AuthToken("Bearer");
    if (token.empty()) {
      return Fail(401, "invalid_request_error",
                  "You didn't provide an API key. You need to provide your API key in an "
                  "Authorization header using Bearer auth.");
    }
    if (!IsBadToken(token)) return std::nullopt;
    return Fail(401, "invalid_request_error", "Incorrect API key provided.", "invalid_api_key");
  }

  Response NoSuchCall(const Call& call) override {
    return Fail(404, "invalid_request_error",
                "Invalid URL (" + call.request.method + " " + call.request.path + ")");
  }

  Response BadBody(const Call&, const std::string&) override {
    return Fail(400, "invalid_request_error", "We could not parse the JSON body of your request.");
  }

  void Finish(const Call& call, Response* response) override {
    response->With("x-request-id", "req_" + Hex(HashOf(std::to_string(++calls_)), 16))
        .With("x-ratelimit-limit-requests", "500")
        .With("x-ratelimit-remaining-requests", std::to_string(499 - calls_ % 500))
        .With("x-ratelimit-reset-requests", "120ms")
        .With("x-ratelimit-limit-tokens", "200000")
        .With("x-ratelimit-remaining-tokens", "199000")
        .With("x-ratelimit-reset-tokens", "300ms");
  }

 private:
  static std::optional<Response> Check(const Json& body) {
    const auto bad = [](const std::string& message, const char* param, const char* code) {
      return Fail(400, "invalid_request_error", message, code, param);
    };
    const std::string model = StringOr(body, "model");
    if (model.empty()) {
      return Fail(400, "invalid_request_error", "you must provide a model parameter");
    }
    if (Contains(model, "missing")) {
      return Fail(404, "invalid_request_error",
                  "The model `" + model + "` does not exist or you do not have access to it.",
                  "model_not_found");
    }
    const Json& messages = Member(body, "messages");
    if (!messages.is_array()) {
      return bad("Missing required parameter: 'messages'.", "messages",
                 "missing_required_parameter");
    }
    if (messages.empty()) {
      return bad("Invalid 'messages': empty array. Expected an array with minimum length 1.",
                 "messages", "empty_array");
    }
    static const std::vector<std::string> kRoles = {"system",    "developer", "user",
                                                    "assistant", "tool",      "function"};
    for (size_t i = 0; i < messages.size(); ++i) {
      const std::string role = StringOr(messages[i], "role");
      if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
        const std::string param = "messages[" + std::to_string(i) + "].role";
        return bad("Invalid value: '" + role + "' for '" + param + "'.", "messages",
                   "invalid_value");
      }
    }
    const Json& temperature = Member(body, "temperature");
    if (!temperature.is_null() && (!temperature.is_number() || temperature.get<double>() < 0 ||
                                   temperature.get<double>() > 2)) {
      return bad("Invalid 'temperature': expected a number from 0 to 2.", "temperature",
                 "decimal_out_of_range");
    }
    const int64_t n = IntOr(body, "n", 1);
    if (n < 1 || n > kChoicesMax) {
      return bad("Invalid 'n': integer out of range.", "n", "integer_out_of_range");
    }
    const Json& format = Member(body, "response_format");
    const std::string type = StringOr(format, "type");
    if (format.is_object() && type != "text" && type != "json_object" && type != "json_schema") {
      return bad("Invalid value for 'response_format.type'.", "response_format", "invalid_value");
    }
    if (type == "json_schema" && (StringOr(Member(format, "json_schema"), "name").empty() ||
                                  !Member(Member(format, "json_schema"), "schema").is_object())) {
      return bad("Missing required parameter: 'response_format.json_schema'.", "response_format",
                 "missing_required_parameter");
    }
    return std::nullopt;
  }

  static std::string Write(const Json& body, const std::string& conversation, int64_t choice) {
    const Copywriter writer(conversation, IntOr(body, "seed", 0) * 1000 + choice);
    const Json& format = Member(body, "response_format");
    const std::string type = StringOr(format, "type");
    if (type == "json_object") return Dump(writer.ForJsonObject());
    if (type != "json_schema") return writer.Answer();
    return Dump(writer.ForSchema(Member(Member(format, "json_schema"), "schema")));
  }

  // Flags a text by plain words, so that a test can say what is flagged.
  Response Moderate(Call& call) {
    const Json& input = Member(call.body, "input");
    std::vector<std::string> texts;
    if (input.is_string()) texts.push_back(input.get<std::string>());
    if (input.is_array()) {
      for (const Json& text : input) {
        if (text.is_string()) texts.push_back(text.get<std::string>());
      }
    }
    if (texts.empty()) {
      return Fail(400, "invalid_request_error", "'input' is a required property", nullptr, "input");
    }
    Json results = Json::array();
    for (const std::string& text : texts) {
      const std::pair<const char*, bool> found[] = {
          {"harassment", Contains(text, "stupid")},
          {"hate", Contains(text, "hateful")},
          {"violence", Contains(text, "violent")},
      };
      Json result = {{"flagged", false}};
      for (const auto& [category, flagged] : found) {
        if (flagged) result["flagged"] = true;
        result["categories"][category] = flagged;
        result["category_scores"][category] = flagged ? 0.93 : 0.0004;
      }
      results.push_back(result);
    }
    return JsonResponse(200, {{"id", "modr-" + Hex(HashOf(texts[0]), 8)},
                              {"model", StringOr(call.body, "model")},
                              {"results", results}});
  }

  Response Complete(Call& call) {
    std::optional<Response> refusal = Check(call.body);
    if (refusal) return std::move(*refusal);
    const std::string conversation = ConversationOf(call.body["messages"]);
    const int64_t limit =
        IntOr(call.body, "max_completion_tokens", IntOr(call.body, "max_tokens", INT32_MAX));
    int64_t completion_tokens = 0;
    Json choices = Json::array();
    for (int64_t i = 0; i < IntOr(call.body, "n", 1); ++i) {
      std::string text = Write(call.body, conversation, i);
      const bool too_long = TokensIn(text) > limit;
      if (too_long) text = Clip(text, static_cast<size_t>(std::max<int64_t>(limit, 0)) * 4);
      completion_tokens += TokensIn(text);
      choices.push_back(
          {{"index", i},
           {"message", {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}}},
           {"logprobs", nullptr},
           {"finish_reason", too_long ? "length" : "stop"}});
    }
    const int64_t prompt_tokens = TokensIn(conversation);
    const Json usage = {{"prompt_tokens", prompt_tokens},
                        {"completion_tokens", completion_tokens},
                        {"total_tokens", prompt_tokens + completion_tokens},
                        {"prompt_tokens_details", {{"cached_tokens", 0}}},
                        {"completion_tokens_details", {{"reasoning_tokens", 0}}}};
    Json completion = {
        {"id", "chatcmpl-" + Hex(HashOf(std::to_string(store_.NextNumber("openai"))), 16)},
        {"object", "chat.completion"},
        {"created", call.now_ms / 1000},
        {"model", StringOr(call.body, "model")},
        {"system_fingerprint", "fp_sandbox"}};
    if (BoolOr(call.body, "stream", false)) return Stream(call, completion, choices, usage);
    completion["choices"] = choices;
    completion["usage"] = usage;
    return JsonResponse(200, completion);
  }

  // The same completion as server-sent events, a few words each.
  static Response Stream(const Call& call, Json chunk, const Json& choices, const Json& usage) {
    chunk["object"] = "chat.completion.chunk";
    std::string events;
    const auto emit = [&](const Json& choice) {
      chunk["choices"] = choice.is_null() ? Json::array() : Json::array({choice});
      events += "data: " + Dump(chunk) + "\n\n";
    };
    for (const Json& choice : choices) {
      const std::string text = choice["message"]["content"];
      for (size_t at = 0; at < text.size();) {
        const std::string part = Clip(std::string_view(text).substr(at), 24);
        at += part.size();
        emit({{"index", choice["index"]},
              {"delta", {{"content", part}}},
              {"finish_reason", nullptr}});
      }
      emit({{"index", choice["index"]},
            {"delta", Json::object()},
            {"finish_reason", choice["finish_reason"]}});
    }
    if (BoolOr(Member(call.body, "stream_options"), "include_usage", false)) {
      chunk["usage"] = usage;
      emit(nullptr);
    }
    return TextResponse(200, "text/event-stream; charset=utf-8", events + "data: [DONE]\n\n");
  }

  static Json ModelJson(const std::string& name) {
    return {{"id", name}, {"object", "model"}, {"created", 1767225600}, {"owned_by", "sandbox"}};
  }

  Response ListModels(Call&) {
    Json data = Json::array();
    for (const char* model : kModels) data.push_back(ModelJson(model));
    return JsonResponse(200, {{"object", "list"}, {"data", data}});
  }

  Response GetModel(Call& call) {
    const std::string model = call.Param("model");
    if (Contains(model, "missing")) {
      return Fail(404, "invalid_request_error", "The model '" + model + "' does not exist",
                  "model_not_found", "model");
    }
    return JsonResponse(200, ModelJson(model));
  }

  int64_t calls_ = 0;
};

}  // namespace

std::unique_ptr<Vendor> MakeOpenAi(Store& store) { return std::make_unique<OpenAi>(store); }

}  // namespace sandbox
