// A language model behind an OpenAI-compatible chat completions API (OpenAI, vLLM, Ollama,
// llama.cpp): asks for one JSON object of texts and checks that it is one.
//
// Thread-safety: loop thread only. A call has no effect but its cost, so it may be repeated.
//
// Example:
//   openai::ChatClient chat(outbound, {.api_key = key, .model = "gpt-4o-mini"});
//   base::Outcome<openai::Completion> made = co_await chat.CompleteJson(
//       {.messages = {{"system", "You write copy."}, {"user", brief}},
//        .schema_name = "campaign", .required_keys = {"headline", "tagline"}}, context);
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace openai {

struct ChatMessage {
  std::string role;  // system, user, assistant
  std::string content;
};

struct ChatRequest {
  std::vector<ChatMessage> messages;
  std::string schema_name = "answer";      // letters, digits, "_" and "-", at most 64
  std::vector<std::string> required_keys;  // each a text that is not empty in the answer
  int tokens_max = 4'000;
  std::optional<double> temperature;  // some models take none
  std::optional<int64_t> seed;
  std::string model;  // empty: the client's
  // Asked before each call with the bytes of its messages; a failure is returned in place of the
  // call. May be null.
  std::function<base::Done(size_t prompt_bytes)> admit;
  // Told what each answer used, also one that cannot be used. May be null.
  std::function<void(const struct Completion&)> on_usage;
};

struct Completion {
  std::string content_json;  // an object with a text under each required key
  std::string model;         // that answered
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
  int64_t total_tokens = 0;  // of all tries, those that gave unusable text included
};

// How the model is told to answer in JSON.
enum class ResponseFormat {
  kJsonSchema,  // response_format json_schema, strict
  kJsonObject,  // response_format json_object, for servers that know no schemas
};

class ChatClient {
 public:
  struct Options {
    std::string base_url = "https://api.openai.com/v1";
    base::Secret api_key;  // none is sent when empty
    std::string model;
    ResponseFormat format = ResponseFormat::kJsonSchema;
    // max_tokens, which local servers know, in place of max_completion_tokens.
    bool legacy_max_tokens = false;
    // More calls when the text is not the JSON that was asked for.
    int repairs_max = 1;
  };
  ChatClient(outbound::Outbound& outbound, Options options);

  // Failures: "InvalidModelOutput", "OutputTruncated" (retryable: a model may do better next
  // time); "ContentFiltered", "ModelRefused", "QuotaExhausted", "Unauthorized", "InvalidRequest"
  // (permanent); the pipeline's.
  base::Task<base::Outcome<Completion>> CompleteJson(ChatRequest request,
                                                     outbound::CallContext context);

 private:
  base::Task<base::Outcome<Completion>> CompleteOnce(ChatRequest request,
                                                     outbound::CallContext context);
  std::string Body(const ChatRequest& request) const;

  outbound::Outbound& outbound_;
  const Options options_;
};

}  // namespace openai
