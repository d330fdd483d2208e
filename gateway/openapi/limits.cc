#include "gateway/openapi/limits.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/grpc/validate.h"

namespace openapi {

namespace {

constexpr absl::string_view kId = "^[A-Za-z0-9._:-]+$";
constexpr absl::string_view kOptionalId = "^[A-Za-z0-9._:-]*$";
constexpr absl::string_view kName = "^[A-Za-z0-9._:#/-]+$";
constexpr absl::string_view kRunId = "^[A-Za-z0-9-]*$";
constexpr absl::string_view kPrintable = "^[\\x20-\\x7e]*$";
constexpr absl::string_view kTenant = "^[A-Za-z0-9._-]*$";
constexpr absl::string_view kTenantOrAll = "^(\\*|[A-Za-z0-9._-]*)$";
constexpr int64_t kNameLengthMax = 200;
constexpr int64_t kRequestIdLengthMax = static_cast<int64_t>(gateway::kRequestIdLengthMax);
constexpr int64_t kReasonLengthMax = static_cast<int64_t>(gateway::kReasonLengthMax);
constexpr int64_t kWorkflowIdLengthMax = static_cast<int64_t>(gateway::kWorkflowIdLengthMax);
constexpr double kInt32Max = std::numeric_limits<int32_t>::max();
constexpr absl::string_view kTenYears = "0s to ten years.";
constexpr absl::string_view kOneLine = "One line.";

Limit Text(absl::string_view field, int64_t length_max, absl::string_view text = "") {
  return {.field = field, .length_max = length_max, .text = text};
}
Limit NeededText(absl::string_view field, int64_t length_max, absl::string_view text = "") {
  return {
      .field = field, .required = true, .length_min = 1, .length_max = length_max, .text = text};
}
Limit Id(absl::string_view field, int64_t length_max) {
  return {
      .field = field, .required = true, .length_min = 1, .length_max = length_max, .pattern = kId};
}
Limit Name(absl::string_view field) {
  return {.field = field,
          .required = true,
          .length_min = 1,
          .length_max = kNameLengthMax,
          .pattern = kName};
}
Limit Token(absl::string_view field, int64_t length_max = kRequestIdLengthMax) {
  return {.field = field, .length_max = length_max, .pattern = kPrintable};
}
Limit Range(absl::string_view field, double least, double most) {
  return {.field = field, .least = least, .most = most};
}
Limit Needed(absl::string_view field) { return {.field = field, .required = true}; }
Limit Said(absl::string_view field, absl::string_view text) {
  return {.field = field, .text = text};
}
Limit Words(absl::string_view field, std::vector<absl::string_view> words, bool required = false) {
  return {.field = field, .required = required, .words = std::move(words)};
}
Limit Set(absl::string_view field, std::vector<absl::string_view> words) {
  const auto most = static_cast<int64_t>(words.size());
  return {.field = field, .words = std::move(words), .items_max = most, .unique = true};
}

std::vector<Limit> MakeLimits() {
  const std::vector<absl::string_view> content_ids = {"headline",   "tagline",     "email_subject",
                                                      "email_body", "social_post", "blog_outline"};
  return {
      // ---- What many requests have.
      Id("workflow_id", kWorkflowIdLengthMax),
      {.field = "run_id", .length_max = 64, .pattern = kRunId},
      {.field = "namespace", .length_max = 64, .pattern = kTenant},
      Token("request_id"),
      Token("update_id"),
      Token("signal_request_id"),
      Text("identity", kNameLengthMax, kOneLine),
      Text("reason", kReasonLengthMax),
      Name("signal_name"),
      Name("query_name"),
      Name("update_name"),
      Name("step"),
      Said("wait", "0s to 60s."),
      Range("page_size", 0, 1000),
      Text("filter", 8192),
      Text("order_by", 100, kOneLine),

      // ---- orchestrator.v1.WorkflowService
      Name("StartWorkflowRequest.workflow_type"),
      Token("StartWorkflowRequest.correlation_id"),
      Token("StartWorkflowRequest.traceparent"),
      Said("StartWorkflowRequest.execution_timeout", kTenYears),
      Said("StartWorkflowRequest.run_timeout", kTenYears),
      Said("StartWorkflowRequest.start_delay", kTenYears),
      Said("StartWorkflowRequest.compensation_reserve", kTenYears),
      {.field = "StartWorkflowRequest.task_queue",
       .length_max = kNameLengthMax,
       .pattern = "^[A-Za-z0-9._:#/-]*$"},
      Text("StartWorkflowRequest.cron_schedule", kNameLengthMax, kOneLine),
      {.field = "ListWorkflowsRequest.workflow_type",
       .length_max = kNameLengthMax,
       .pattern = "^[A-Za-z0-9._:#/-]*$"},
      {.field = "ListVersionsRequest.workflow_type",
       .length_max = kNameLengthMax,
       .pattern = "^[A-Za-z0-9._:#/-]*$"},
      Text("ListWorkflowsRequest.page_token", 1024),
      Range("GetWorkflowHistoryRequest.page_size", 0, 10000),
      Range("GetWorkflowHistoryRequest.after_event_id", 0, kNoLimit),
      {.field = "ResetWorkflowRequest.event_id", .required = true, .least = 1, .most = kInt32Max},
      {.field = "RetryWorkflowNowRequest.activity_ids",
       .length_min = 1,
       .length_max = kNameLengthMax,
       .pattern = kName},
      Needed("SignalWithStartWorkflowRequest.start"),
      Needed("UpdateWithStartWorkflowRequest.start"),

      // ---- orchestrator.v1.ScheduleService
      Id("schedule_id", 200),
      Text("note", 1000),
      Needed("CreateScheduleRequest.schedule"),
      Range("ListSchedulesRequest.page_size", 0, 100),
      Range("GetScheduleRequest.next_times", 0, 100),
      {.field = "ScheduleSpec.crons", .items_max = 100},
      {.field = "ScheduleSpec.intervals", .items_max = 100},
      {.field = "ScheduleSpec.exclusions", .items_max = 100},
      {.field = "ScheduleAction.workflow_type",
       .length_max = kNameLengthMax,
       .text = "Needed; none of the system's own (\"system.\")."},
      {.field = "ScheduleAction.workflow_id_prefix", .length_max = 200, .pattern = kOptionalId},
      Said("ScheduleAction.execution_timeout", kTenYears),
      Said("ScheduleAction.run_timeout", kTenYears),

      // ---- orchestrator.v1.BatchService
      Id("GetBatchRequest.batch_id", 200),
      Id("StopBatchRequest.batch_id", 200),
      {.field = "StartBatchRequest.batch_id", .length_max = 200, .pattern = kOptionalId},
      Needed("StartBatchRequest.batch"),
      Range("ListBatchesRequest.page_size", 0, 100),
      Text("Batch.filter", 8000, "Needed."),
      Text("Batch.reason", kReasonLengthMax),
      {.field = "Batch.signal_name",
       .length_max = kNameLengthMax,
       .pattern = "^[A-Za-z0-9._:#/-]*$"},
      Range("Batch.runs_per_second", 0, 1000),

      // ---- campaign.v1.CampaignService
      Needed("CreateCampaignRequest.campaign"),
      {.field = "wizard_id",
       .required = true,
       .length_min = 1,
       .length_max = 64,
       .pattern = "^[A-Za-z0-9-]+$"},
      {.field = "CloneWizardRequest.source_workflow_id",
       .length_max = kWorkflowIdLengthMax,
       .pattern = kOptionalId},
      {.field = "CloneWizardRequest.source_wizard_id",
       .length_max = 64,
       .pattern = "^[A-Za-z0-9-]*$"},
      Text("ListWizardsRequest.page_token", 2048),
      Text("ListWizardsRequest.order_by", -1),
      Text("decided_by", 200, kOneLine),
      Text("comment", 2000),
      Words("via", {"", "api", "cli", "web"}),
      Words("content_id", content_ids, true),
      NeededText("new_content", 20000,
                 "Each piece has a limit of its own: docs/campaign-guide.md."),
      Text("updated_by", 200, kOneLine),
      Text("CampaignSpec.campaign_name", 200, "Needed to start. One line."),
      {.field = "CampaignSpec.campaign_goals",
       .length_min = 1,
       .length_max = 500,
       .items_max = 20,
       .text = "Needed to start."},
      Set("CampaignSpec.channels", {"email", "social", "blog", "cms"}),
      Set("CampaignSpec.research_sources", {"notion", "web", "memory"}),
      {.field = "CampaignSpec.competitor_urls",
       .length_max = 2048,
       .format = "uri",
       .items_max = 20,
       .unique = true,
       .text = "http or https, without a user name."},
      Text("CampaignSpec.target_audience", 200, "Needed to start."),
      {.field = "CampaignSpec.tone",
       .words = {"", "professional", "casual", "technical"},
       .text = "Needed to start."},
      {.field = "CampaignSpec.brand_voice_id", .length_max = 100, .pattern = "^[A-Za-z0-9._-]*$"},
      {.field = "CampaignSpec.templates",
       .length_max = 50,
       .pattern = "^[0-9]+:[0-9]+$",
       .items_max = 4},
      {.field = "CampaignSpec.reviewers",
       .length_min = 3,
       .length_max = 21,
       .pattern = "^[UW][A-Z0-9]+$",
       .items_max = 20,
       .unique = true},
      Set("CampaignSpec.metrics", {"views", "clicks", "conversions"}),
      Said("CampaignSpec.schedule_time", "Not past, one year ahead at most."),
      {.field = "CampaignSpec.languages",
       .length_min = 2,
       .length_max = 35,
       .pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
       .items_max = 10,
       .unique = true},
      Range("CampaignSpec.budget_usd", 0, 10e6),
      {.field = "CampaignSpec.email_recipients",
       .length_min = 3,
       .length_max = 254,
       .format = "email",
       .items_max = 1000,
       .unique = true},

      // ---- campaign.v1.AuditService
      Range("ExportAuditEventsRequest.after_sequence", 0, kNoLimit),
      Words("ListAuditEventsRequest.order_by", {"", "sequence", "sequence asc", "sequence desc"}),
      {.field = "VerifyAuditRequest.expected_head", .pattern = "^([0-9]{1,18}:[0-9a-fA-F]{64})?$"},

      // ---- campaign.v1.AccessService
      {.field = "CreateApiKeyRequest.name",
       .required = true,
       .length_min = 1,
       .length_max = 100,
       .pattern = "^[A-Za-z0-9 ._@/-]+$"},
      Words("CreateApiKeyRequest.role", {"viewer", "editor", "admin"}, true),
      {.field = "CreateApiKeyRequest.namespace", .length_max = 64, .pattern = kTenantOrAll},
      {.field = "RevokeApiKeyRequest.key_id", .required = true},
      {.field = "SetUserRequest.email",
       .required = true,
       .length_min = 3,
       .length_max = 254,
       .format = "email"},
      Words("SetUserRequest.role", {"none", "viewer", "editor", "admin"}, true),
      {.field = "SetUserRequest.namespace", .length_max = 64, .pattern = kTenantOrAll},

      // ---- campaign.v1.OperationsService
      NeededText("SetKillSwitchRequest.reason", kReasonLengthMax),
      NeededText("ForceBreakerRequest.service", 300, kOneLine),
      NeededText("ForceBreakerRequest.reason", kReasonLengthMax),
  };
}

}  // namespace

const std::vector<Limit>& Limits() {
  static const auto* const limits = new std::vector<Limit>(MakeLimits());
  return *limits;
}

const Limit* FindLimit(absl::string_view message, absl::string_view field) {
  static const auto* const by_name = [] {
    auto* map = new absl::flat_hash_map<std::string, const Limit*>;
    for (const Limit& limit : Limits()) map->emplace(std::string(limit.field), &limit);
    return map;
  }();
  auto found = by_name->find(absl::StrCat(std::string(message), ".", std::string(field)));
  if (found == by_name->end() && absl::EndsWith(message, "Request")) {
    found = by_name->find(std::string(field));
  }
  return found == by_name->end() ? nullptr : found->second;
}

}  // namespace openapi
