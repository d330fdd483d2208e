// An OpenAI-compatible moderation model: which texts it flags, and for what.
//
// Thread-safety: loop thread only. A call has no effect, so it may be repeated.
//
// Example:
//   openai::Moderator moderator(outbound, {.api_key = key, .model = "omni-moderation-latest"});
//   auto flags = co_await moderator.Check({"Buy our shoes."}, context);
#pragma once

#include <string>
#include <vector>

#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace openai {

struct ModerationFlag {
  size_t text = 0;       // index of the text
  std::string category;  // the model's word: "hate", "violence/graphic"
  double score = 0;      // 0..1, when the model gives one
};

class Moderator {
 public:
  struct Options {
    std::string base_url = "https://api.openai.com/v1";
    base::Secret api_key;  // none is sent when empty
    std::string model;     // empty: there is no moderation model
  };
  Moderator(outbound::Outbound& outbound, Options options);

  bool enabled() const { return !options_.model.empty(); }
  // The flags of all texts, in their order. Failures: the pipeline's and the classification's.
  base::Task<base::Outcome<std::vector<ModerationFlag>>> Check(std::vector<std::string> texts,
                                                               outbound::CallContext context);

 private:
  outbound::Outbound& outbound_;
  const Options options_;
};

}  // namespace openai
