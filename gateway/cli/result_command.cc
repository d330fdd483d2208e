// result: what a run returned, or how it failed.
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/v1/campaign.pb.h"
#include "gateway/cli/command.h"
#include "gateway/cli/reconnect.h"
#include "gateway/cli/saga_text.h"
#include "gateway/cli/table.h"
#include "gateway/json/json_writer.h"
#include "orchestrator/history/payload.h"

namespace cli {

namespace {

namespace v1 = orchestrator::v1;

constexpr int kServerWaitSeconds = 50;  // of the 60 s that the server allows

// What a dry run did not send.
std::string PlanText(const campaign::v1::CampaignResult& result) {
  Table table({"PHASE", "VENDOR", "WHAT", "TO"});
  for (const auto& call : result.would_send()) {
    table.Add({call.phase(), call.vendor(), call.action(), call.target()});
  }
  return absl::StrCat(Pairs({{"campaign", result.campaign_name()},
                             {"outcome", "dry run: nothing was sent; these calls would be made"}}),
                      table.Text());
}

std::string CampaignText(const campaign::v1::CampaignResult& result) {
  if (result.outcome() == "dry_run") return PlanText(result);
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"campaign", result.campaign_name()},
      {"outcome", result.outcome()},
      {"channels", absl::StrJoin(result.published_channels(), ", ")}};
  for (const auto& channel : result.published_channels()) {
    const auto url = result.channel_urls().find(channel);
    if (url != result.channel_urls().end()) pairs.emplace_back("  " + channel, url->second);
  }
  pairs.emplace_back("pull request", result.github_pr_url());
  pairs.emplace_back("dashboard", result.dashboard_url());
  pairs.emplace_back("metrics", absl::StrJoin(result.metrics_tracked(), ", "));
  for (const auto& url : result.asset_urls()) pairs.emplace_back("asset", url);
  if (result.has_decision()) {
    pairs.emplace_back("decision", absl::StrCat(result.decision().decision(), " by ",
                                                result.decision().decided_by()));
  }
  pairs.emplace_back("sources",
                     absl::StrCat(result.successful_sources(), " of ", result.total_sources()));
  pairs.emplace_back("model",
                     absl::StrCat(result.model_used(), ", ", result.tokens_used(), " tokens"));
  for (const auto& warning : result.warnings()) pairs.emplace_back("warning", warning);
  return Pairs(pairs);
}

std::string FailureText(const v1::Failure& failure) {
  std::string text;
  const v1::Failure* each = &failure;
  for (int depth = 0; depth < 10; ++depth) {
    absl::StrAppend(&text, depth == 0 ? "failure   " : "caused by ", each->type(), ": ",
                    each->message(), "\n");
    if (!each->has_cause()) break;
    each = &each->cause();
  }
  return text;
}

bool Closed(v1::RunStatus::Value status) { return status >= v1::RunStatus::COMPLETED; }

// Asks again until the run is closed, over restarts of the server, which waits with us.
absl::StatusOr<v1::GetWorkflowResultResponse> WaitForResult(Session& session,
                                                            v1::GetWorkflowResultRequest request) {
  const absl::Time deadline =
      session.timeout_given() ? absl::Now() + session.timeout() : absl::InfiniteFuture();
  Reconnect reconnect(session.connection(), deadline, &Reconnect::ToStderr);
  int64_t wait = 0;  // at first, and after a restart: is there such a run, and a server?
  while (true) {
    request.mutable_wait()->set_seconds(wait);
    auto result = session.connection().Call(&v1::WorkflowService::Stub::GetWorkflowResult, request,
                                            absl::Seconds(wait));
    wait = 0;
    if (!result.ok() && reconnect.Again(result.status())) continue;
    if (!result.ok()) return result;
    reconnect.Reached();
    if (Closed(result->status())) return result;
    const int64_t left = absl::ToInt64Seconds(deadline - absl::Now());
    wait = std::max<int64_t>(0, std::min<int64_t>(left, kServerWaitSeconds));
    if (absl::Now() >= deadline - absl::Seconds(1)) {
      return absl::DeadlineExceededError(absl::StrCat(
          "workflow ", request.workflow_id(), " is still ",
          v1::RunStatus::Value_Name(result->status()), " after ", session.timeout_text));
    }
  }
}

void ShowResult(Session& session, const std::string& id, bool wait) {
  v1::GetWorkflowResultRequest request;
  request.set_workflow_id(id);
  auto result =
      wait ? WaitForResult(session, request)
           : session.connection().Call(&v1::WorkflowService::Stub::GetWorkflowResult, request);
  if (!result.ok()) return session.Fail(result.status());
  if (!Closed(result->status())) {
    return session.Fail(absl::FailedPreconditionError(
        absl::StrCat("workflow ", id, " is ", v1::RunStatus::Value_Name(result->status()),
                     " and has no result yet; --wait waits for it")));
  }
  PrintResult(session, *result);
}

}  // namespace

void PrintResult(Session& session, const v1::GetWorkflowResultResponse& result) {
  std::string text = Pairs({{"status", v1::RunStatus::Value_Name(result.status())}});
  auto campaign = history::FromPayload<campaign::v1::CampaignResult>(result.result());
  if (result.has_failure()) {
    absl::StrAppend(&text, FailureText(result.failure()), UndoText(result.failure().detail_json()));
  } else if (campaign.ok() && result.has_result()) {
    absl::StrAppend(&text, CampaignText(*campaign));
  } else if (result.has_result()) {
    absl::StrAppend(&text, gateway::ToJson(result.result(), {.pretty = true}), "\n");
  }
  session.Print(result, text);
  session.exit_code = result.status() == v1::RunStatus::COMPLETED ? kOk : kEndedBadly;
}

void AddResultCommand(CLI::App& app, Session& session) {
  struct Arguments {
    std::string id;
    bool wait = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* result = AddCommand(app, "result", "Shows what a run returned, or how it failed",
                                "campaignctl result campaign-2c26b46b68ffc68f --wait",
                                [&session, a] { ShowResult(session, a->id, a->wait); });
  result->add_option("WORKFLOW_ID", a->id, "The run's workflow id")->required();
  result->add_flag("--wait", a->wait, "Wait until the run is closed");
}

}  // namespace cli
