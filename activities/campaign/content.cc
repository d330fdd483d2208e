// content_creation_activity (requirement O4): the brand's voice from memory, one answer of the
// language model, the drafts back into memory. The answer is recorded as soon as it is there, so
// that a later attempt does not pay for it again.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/names.h"
#include "activities/campaign/prompt.h"

namespace campaign {
namespace {

constexpr size_t kBrandVoiceCharactersMax = 8000;

memory::Item DraftOf(const v1::ContentInput& input, const v1::ContentPiece& piece) {
  return {.name_space = std::string(memory::kDrafts),
          .key = DraftKey(input.workflow_id(), piece.content_id()),
          .kind = std::string(memory::kDraftKind),
          .content = piece.text()};
}

openai::Spending SpendingOf(const v1::ContentOutput& output) {
  return {.prompt_tokens = output.prompt_tokens(),
          .completion_tokens = output.completion_tokens(),
          .cost_usd = output.cost_usd()};
}

void SetSpending(const openai::Spending& spending, v1::ContentOutput* output) {
  output->set_prompt_tokens(spending.prompt_tokens);
  output->set_completion_tokens(spending.completion_tokens);
  output->set_tokens_used(spending.prompt_tokens + spending.completion_tokens);
  output->set_cost_usd(spending.cost_usd);
}

}  // namespace

// The voice asked for, else the one of the campaign's tone; "" when memory has none.
Result<std::string> ActivitySet::BrandVoice(v1::CampaignSpec spec,
                                            outbound::CallContext call) const {
  const std::string tone = spec.tone().empty() ? "default" : spec.tone();
  const std::string key =
      spec.brand_voice_id().empty() ? absl::StrCat("voice-", tone) : spec.brand_voice_id();
  base::Outcome<std::optional<memory::Item>> voice =
      co_await connectors_.memory.Get(std::string(memory::kBrand), key, call);
  if (!voice.ok()) co_return voice.failure();
  if (!voice->has_value()) co_return std::string();
  co_return CleanText((*voice)->content, kBrandVoiceCharactersMax);
}

// One answer of the model. What it cost is recorded also when the answer cannot be used, so that no
// attempt forgets what the ones before it spent.
Result<v1::ContentOutput> ActivitySet::Write(sdk::ActivityContext& ctx, v1::ContentInput input,
                                             outbound::CallContext call) const {
  base::Outcome<std::string> voice = co_await BrandVoice(input.campaign(), call);
  if (!voice.ok()) co_return voice.failure();
  openai::WriteJob job;
  job.request.messages = {{"system", prompts_.System(input.campaign(), *voice)},
                          {"user", prompts_.User(input.campaign(), input.findings())}};
  job.request.schema_name = kContentSchemaName;
  job.request.required_keys = RequiredKeys();
  job.request.tokens_max = settings_.content.output_tokens_max;
  job.request.temperature = settings_.content.temperature;
  job.budget_usd = input.campaign().budget_usd();
  v1::ContentOutput output = ctx.last_heartbeat<v1::ContentOutput>().value_or(v1::ContentOutput());
  openai::Spending spending = SpendingOf(output);
  base::Outcome<openai::Answer> answer =
      co_await connectors_.writer.Write(std::move(job), &spending, call);
  base::Outcome<std::vector<v1::ContentPiece>> pieces =
      answer.ok() ? ParseContent(answer->content_json) : answer.failure();
  SetSpending(spending, &output);
  if (!pieces.ok()) {
    const base::Done recorded = co_await ctx.RecordHeartbeat(output);
    if (!recorded.ok()) co_return recorded.failure();
    co_return pieces.failure();
  }
  output.mutable_pieces()->Assign(pieces->begin(), pieces->end());
  output.set_model_used(answer->model);
  output.set_from_cache(answer->from_cache);
  output.mutable_models_tried()->Assign(answer->models_tried.begin(), answer->models_tried.end());
  output.set_prompt_version(prompts_.version());
  output.set_brand_voice(*voice);
  for (const v1::ContentPiece& piece : *pieces) {
    output.add_draft_keys(DraftKey(input.workflow_id(), piece.content_id()));
  }
  co_return output;
}

Result<v1::ContentOutput> ActivitySet::CreateContent(sdk::ActivityContext& ctx,
                                                     v1::ContentInput input) const {
  const outbound::CallContext call = CallFor(ctx);
  std::optional<v1::ContentOutput> content = ctx.last_heartbeat<v1::ContentOutput>();
  if (!content.has_value() || content->pieces().empty()) {
    base::Outcome<v1::ContentOutput> written = co_await Write(ctx, input, call);
    // No draft is stored before the answer is recorded.
    if (!written.ok()) co_return written.failure();
    content = *std::move(written);
    const base::Done recorded = co_await ctx.RecordHeartbeat(*content);
    if (!recorded.ok()) co_return recorded.failure();
  }
  for (const v1::ContentPiece& piece : content->pieces()) {
    const base::Done stored = co_await connectors_.memory.Put(DraftOf(input, piece), call);
    if (!stored.ok()) co_return MayHaveHappened(stored.failure());
  }
  co_return *content;
}

}  // namespace campaign
