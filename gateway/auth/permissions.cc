#include "gateway/auth/permissions.h"

#include "absl/container/flat_hash_map.h"

namespace auth {

namespace {

#define WORKFLOW(Name) "orchestrator.v1.WorkflowService." #Name
#define SCHEDULE(Name) "orchestrator.v1.ScheduleService." #Name
#define BATCH(Name) "orchestrator.v1.BatchService." #Name
#define CAMPAIGN(Name) "campaign.v1.CampaignService." #Name
#define OPERATIONS(Name) "campaign.v1.OperationsService." #Name
#define AUDIT(Name) "campaign.v1.AuditService." #Name
#define ACCESS(Name) "campaign.v1.AccessService." #Name

constexpr Role kAnybody = Role::kNone;  // any caller who is known
constexpr Role kViewer = Role::kViewer;
constexpr Role kEditor = Role::kEditor;
constexpr Role kAdmin = Role::kAdmin;
constexpr Access kCredential = Access::kCredential;
constexpr Scope kServer = Scope::kServer;

// Reading is for viewers. Starting, steering and deciding about runs is for editors. What loses
// work, works on many runs, overrides a saga or concerns the whole server is for admins.
const Rule kRules[] = {
    {CAMPAIGN(CreateCampaign), "start", kEditor},
    {CAMPAIGN(CreateWizard), "write", kEditor},
    {CAMPAIGN(CloneWizard), "write", kEditor},
    {CAMPAIGN(ListWizards), "read", kViewer},
    {CAMPAIGN(GetWizard), "read", kViewer},
    {CAMPAIGN(UpdateWizard), "write", kEditor},
    {CAMPAIGN(DeleteWizard), "write", kEditor},
    {CAMPAIGN(ValidateWizard), "read", kViewer},
    {CAMPAIGN(PreviewWizard), "read", kViewer},
    {CAMPAIGN(ApproveWizard), "start", kEditor},
    {CAMPAIGN(GetProgress), "read", kViewer},
    {CAMPAIGN(WatchProgress), "watch", kViewer},
    {CAMPAIGN(ApproveCampaign), "decide", kEditor},
    {CAMPAIGN(RejectCampaign), "decide", kEditor},
    {CAMPAIGN(UpdateContent), "decide", kEditor},

    {WORKFLOW(StartWorkflow), "start", kEditor},
    {WORKFLOW(ListWorkflows), "read", kViewer},
    {WORKFLOW(GetWorkflow), "read", kViewer},
    {WORKFLOW(GetWorkflowHistory), "watch", kViewer},
    {WORKFLOW(GetWorkflowResult), "watch", kViewer},
    {WORKFLOW(GetSaga), "read", kViewer},
    {WORKFLOW(SignalWorkflow), "write", kEditor},
    {WORKFLOW(QueryWorkflow), "read", kViewer},
    {WORKFLOW(UpdateWorkflow), "decide", kEditor},
    {WORKFLOW(CancelWorkflow), "write", kEditor},
    {WORKFLOW(TerminateWorkflow), "operate", kAdmin},
    {WORKFLOW(SignalWithStartWorkflow), "start", kEditor},
    {WORKFLOW(UpdateWithStartWorkflow), "start", kEditor},
    {WORKFLOW(PauseWorkflow), "write", kEditor},
    {WORKFLOW(ResumeWorkflow), "write", kEditor},
    {WORKFLOW(RetryWorkflowNow), "write", kEditor},
    {WORKFLOW(ResetWorkflow), "operate", kAdmin},
    {WORKFLOW(DeleteWorkflow), "operate", kAdmin},
    {WORKFLOW(CountWorkflows), "read", kViewer},
    {WORKFLOW(ListVersions), "read", kViewer},
    {WORKFLOW(RetryCompensation), "operate", kAdmin},
    {WORKFLOW(SkipCompensation), "operate", kAdmin},
    {WORKFLOW(ResolveCompensation), "operate", kAdmin},

    {SCHEDULE(CreateSchedule), "write", kEditor},
    {SCHEDULE(ListSchedules), "read", kViewer},
    {SCHEDULE(GetSchedule), "read", kViewer},
    {SCHEDULE(UpdateSchedule), "write", kEditor},
    {SCHEDULE(PauseSchedule), "write", kEditor},
    {SCHEDULE(ResumeSchedule), "write", kEditor},
    {SCHEDULE(TriggerSchedule), "start", kEditor},
    {SCHEDULE(BackfillSchedule), "start", kEditor},
    {SCHEDULE(DeleteSchedule), "write", kEditor},

    {BATCH(StartBatch), "operate", kAdmin},
    {BATCH(ListBatches), "read", kViewer},
    {BATCH(GetBatch), "read", kViewer},
    {BATCH(StopBatch), "operate", kAdmin},

    {OPERATIONS(GetKillSwitch), "read", kViewer},
    {OPERATIONS(SetKillSwitch), "operate", kAdmin, kCredential, kServer},
    {OPERATIONS(ListOperatorChanges), "read", kViewer},
    {OPERATIONS(ListBreakers), "read", kViewer},
    {OPERATIONS(ForceBreakerOpen), "operate", kAdmin, kCredential, kServer},
    {OPERATIONS(ForceBreakerClosed), "operate", kAdmin, kCredential, kServer},
    {OPERATIONS(ResetBreaker), "operate", kAdmin, kCredential, kServer},

    {AUDIT(ListAuditEvents), "read", kAdmin, kCredential, kServer},
    {AUDIT(ExportAuditEvents), "watch", kAdmin, kCredential, kServer},
    {AUDIT(VerifyAudit), "operate", kAdmin, kCredential, kServer},

    // An admin of one namespace sees and changes the keys and users of that namespace only; the
    // service looks to that.
    {ACCESS(GetCaller), "read", kAnybody},
    {ACCESS(CreateApiKey), "access", kAdmin},
    {ACCESS(ListApiKeys), "access", kAdmin},
    {ACCESS(RevokeApiKey), "access", kAdmin},
    {ACCESS(SetUser), "access", kAdmin, kCredential, kServer},
    {ACCESS(ListUsers), "access", kAdmin, kCredential, kServer},
    {ACCESS(DeleteUser), "access", kAdmin, kCredential, kServer},

    {"GET /healthz", "read", kAnybody, Access::kOpen},
    // Their senders are proven by signatures (gateway/webhooks).
    {"POST /webhooks/slack/interactions", "webhook", kAnybody, Access::kOpen},
    {"POST /webhooks/slack/commands", "webhook", kAnybody, Access::kOpen},
    {"POST /webhooks/github", "webhook", kAnybody, Access::kOpen},
    {"POST /webhooks/google-chat", "webhook", kAnybody, Access::kOpen},
    {"GET /readyz", "read", kAnybody, Access::kOpen},
    // What the API looks like is no secret.
    {"GET /openapi.json", "read", kAnybody, Access::kOpen},
    {"GET /docs", "read", kAnybody, Access::kOpen},
    {"GET /docs/{file}", "read", kAnybody, Access::kOpen},
    // auth.public_metrics and auth.public_assets open these two.
    {"GET /metrics", "read", kViewer},
    {"GET /assets/{key...}", "read", kViewer},
};

#undef WORKFLOW
#undef SCHEDULE
#undef BATCH
#undef CAMPAIGN
#undef OPERATIONS
#undef AUDIT
#undef ACCESS

}  // namespace

const std::vector<Rule>& Rules() {
  static const auto* const rules = new std::vector<Rule>(std::begin(kRules), std::end(kRules));
  return *rules;
}

const Rule* FindRule(absl::string_view name) {
  static const auto* const by_name = [] {
    auto* map = new absl::flat_hash_map<absl::string_view, const Rule*>();
    for (const Rule& rule : Rules()) map->emplace(rule.name, &rule);
    return map;
  }();
  const auto found = by_name->find(name);
  return found == by_name->end() ? nullptr : found->second;
}

}  // namespace auth
