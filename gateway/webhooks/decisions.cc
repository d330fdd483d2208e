#include "gateway/webhooks/decisions.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/campaign_state.h"
#include "activities/campaign/campaign_workflow.h"
#include "activities/campaign/names.h"
#include "gateway/grpc/gather.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace webhooks {
namespace {

namespace v1 = ::orchestrator::v1;
namespace cv1 = ::campaign::v1;
using Done = absl::AnyInvocable<void(DecisionAnswer)>;

constexpr int kLookedAtOnce = 50;

// What tells a repeated update from another: the engine answers it as the first time.
std::string UpdateId(const std::string& via, const std::string& key) {
  return key.empty() ? "" : absl::StrCat("webhook-", via, "-", key);
}

bool MayPass(absl::StatusCode code) {
  return code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kResourceExhausted ||
         code == absl::StatusCode::kDeadlineExceeded || code == absl::StatusCode::kAborted ||
         code == absl::StatusCode::kInternal || code == absl::StatusCode::kCancelled ||
         code == absl::StatusCode::kUnknown;
}

// By the names of gRPC's codes, as calls are recorded.
const char* OutcomeName(DecisionAnswer::Outcome outcome) {
  switch (outcome) {
    case DecisionAnswer::Outcome::kDecided:
      return "OK";
    case DecisionAnswer::Outcome::kTooLate:
      return "ALREADY_EXISTS";
    case DecisionAnswer::Outcome::kRefused:
      return "FAILED_PRECONDITION";
    case DecisionAnswer::Outcome::kTryAgain:
      break;
  }
  return "UNAVAILABLE";
}

DecisionAnswer Refused(std::string text) {
  return {.outcome = DecisionAnswer::Outcome::kRefused, .text = std::move(text)};
}

DecisionAnswer TooLate(cv1::ApprovalDecision decision) {
  DecisionAnswer answer{.outcome = DecisionAnswer::Outcome::kTooLate};
  answer.text = absl::StrCat("the campaign was already ", DecisionText(decision));
  answer.decision = std::move(decision);
  return answer;
}

DecisionAnswer Unknown(const std::string& workflow_id) {
  return Refused(absl::StrCat("there is no campaign ", workflow_id));
}

// The decision that a refusal carries.
std::optional<cv1::ApprovalDecision> DecisionOf(const v1::Failure& refusal) {
  cv1::ApprovalDecision decision;
  if (refusal.type() != "AlreadyDecided") return std::nullopt;
  const auto read = google::protobuf::util::JsonStringToMessage(refusal.detail_json(), &decision);
  if (!read.ok()) return std::nullopt;
  return decision;
}

DecisionAnswer AnswerOf(const v1::UpdateWorkflowResponse& response) {
  if (response.has_result()) {
    auto decision = history::FromPayload<cv1::ApprovalDecision>(response.result());
    if (!decision.ok()) return Refused(std::string(decision.status().message()));
    DecisionAnswer answer{.outcome = DecisionAnswer::Outcome::kDecided,
                          .decision = *std::move(decision)};
    answer.text = DecisionText(answer.decision);
    return answer;
  }
  const v1::Failure& refusal = response.has_rejected() ? response.rejected() : response.failure();
  std::optional<cv1::ApprovalDecision> decision = DecisionOf(refusal);
  if (decision.has_value()) return TooLate(*std::move(decision));
  return Refused(refusal.message());
}

// What there is to say about a campaign whose run is closed.
DecisionAnswer AnswerClosed(const absl::StatusOr<cv1::CampaignProgress>& progress) {
  if (!progress.ok()) {
    if (MayPass(progress.status().code()))
      return {.text = std::string(progress.status().message())};
    return Refused(std::string(progress.status().message()));
  }
  if (progress->has_decision()) return TooLate(progress->decision());
  return Refused(absl::StrCat("the campaign has ended: ", progress->message()));
}

// Looks at what runs, page after page, until enough is found that waits.
struct WaitingSearch : std::enable_shared_from_this<WaitingSearch> {
  WaitingSearch(client::WorkflowClient& client_in, Decisions& decisions_in, std::string ns_in,
                int count_max_in, client::Callback<WaitingCampaigns> done_in)
      : client(client_in),
        decisions(decisions_in),
        ns(std::move(ns_in)),
        count_max(static_cast<size_t>(std::max(count_max_in, 1))),
        done(std::move(done_in)) {}
  void Page() {
    v1::ListWorkflowsRequest list;
    list.set_namespace_(ns);
    list.set_workflow_type(campaign::kWorkflowType);
    list.set_status(v1::RunStatus::RUNNING);
    list.set_page_size(kLookedAtOnce);
    list.set_page_token(page_token);
    client.ListWorkflows(
        std::move(list),
        [self = shared_from_this()](absl::StatusOr<v1::ListWorkflowsResponse> page) mutable {
          if (!page.ok()) return self->done(page.status());
          self->Look(*std::move(page));
        });
  }
  void Look(v1::ListWorkflowsResponse page) {
    page_token = page.next_page_token();
    const auto& runs = page.workflows();
    looked_at += runs.size();
    gateway::Gather<cv1::CampaignProgress>(
        static_cast<size_t>(runs.size()),
        [&](size_t i, client::Callback<cv1::CampaignProgress> each) {
          decisions.GetProgress(ns, runs[static_cast<int>(i)].workflow_id(), std::move(each));
        },
        [self = shared_from_this()](std::vector<absl::StatusOr<cv1::CampaignProgress>> all) {
          self->Keep(std::move(all));
        });
  }
  void Keep(std::vector<absl::StatusOr<cv1::CampaignProgress>> all) {
    for (absl::StatusOr<cv1::CampaignProgress>& each : all) {
      if (!each.ok() || !each->waiting_for_approval()) continue;
      if (found.campaigns.size() == count_max) {
        found.cut = true;
        break;
      }
      found.campaigns.push_back(*std::move(each));
    }
    if (page_token.empty()) return done(std::move(found));
    if (found.campaigns.size() < count_max && looked_at < kRunningLookedAtMax) return Page();
    found.cut = true;
    done(std::move(found));
  }

  client::WorkflowClient& client;
  Decisions& decisions;
  const std::string ns;
  const size_t count_max;
  client::Callback<WaitingCampaigns> done;
  std::string page_token;
  int looked_at = 0;
  WaitingCampaigns found;
};

}  // namespace

Decisions::Decisions(client::WorkflowClient& client, Recorder recorder, Decided decided)
    : client_(client), recorder_(std::move(recorder)), decided_(std::move(decided)) {}

void Decisions::Record(Attempt attempt, absl::AnyInvocable<void(absl::StatusOr<Ended>)> go) {
  if (!recorder_) return go(Ended());
  recorder_(std::move(attempt), std::move(go));
}

void Decisions::Decide(DecisionRequest request, Done done) {
  Attempt attempt{
      .ns = request.ns,
      .workflow_id = request.workflow_id,
      .action = request.verdict == Verdict::kApprove ? "ApproveCampaign" : "RejectCampaign",
      .who = request.who,
      .via = request.via,
      .detail = request.comment,
      .key = request.key};
  Record(std::move(attempt), [this, request = std::move(request),
                              done = std::move(done)](absl::StatusOr<Ended> ended) mutable {
    if (!ended.ok()) return done({.text = std::string(ended.status().message())});
    const std::string ns = request.ns;
    const std::string workflow_id = request.workflow_id;
    Send(std::move(request), [this, ns, workflow_id, ended = *std::move(ended),
                              done = std::move(done)](DecisionAnswer answer) mutable {
      if (decided_ && answer.decided()) decided_(ns, workflow_id, answer.decision);
      if (ended && answer.outcome != DecisionAnswer::Outcome::kTryAgain) {
        ended(OutcomeName(answer.outcome), answer.text);
      }
      done(std::move(answer));
    });
  });
}

void Decisions::Send(DecisionRequest request, Done done) {
  cv1::DecisionInput input;
  input.set_decided_by(campaign::CleanLine(request.who, campaign::kDecidedByCharactersMax));
  input.set_via(request.via);
  input.set_comment(campaign::CleanText(request.comment, campaign::kCommentCharactersMax));

  v1::UpdateWorkflowRequest update;
  update.set_namespace_(request.ns);
  update.set_workflow_id(request.workflow_id);
  update.set_update_name(request.verdict == Verdict::kApprove ? campaign::kApproveUpdate
                                                              : campaign::kRejectUpdate);
  update.set_update_id(UpdateId(request.via, request.key));
  *update.mutable_input() = history::ToPayload(input);
  update.set_identity(input.decided_by());

  client_.Update(
      std::move(update),
      [this, ns = request.ns, workflow_id = request.workflow_id,
       finish = std::move(done)](absl::StatusOr<v1::UpdateWorkflowResponse> response) mutable {
        if (response.ok()) return finish(AnswerOf(*response));
        const absl::Status& status = response.status();
        if (absl::IsNotFound(status)) return finish(Unknown(workflow_id));
        if (absl::IsFailedPrecondition(status)) {
          return GetProgress(
              ns, workflow_id,
              [finish = std::move(finish)](absl::StatusOr<cv1::CampaignProgress> progress) mutable {
                finish(AnswerClosed(progress));
              });
        }
        if (MayPass(status.code())) return finish({.text = std::string(status.message())});
        finish(Refused(std::string(status.message())));
      });
}

void Decisions::UpdateContent(ContentChange change,
                              client::Callback<cv1::UpdateContentOutput> done) {
  Attempt attempt{.ns = change.ns,
                  .workflow_id = change.workflow_id,
                  .action = "UpdateContent",
                  .who = change.who,
                  .via = change.via,
                  .detail = absl::StrCat("content_id=", change.content_id),
                  .key = change.key};
  Record(std::move(attempt), [this, change = std::move(change),
                              done = std::move(done)](absl::StatusOr<Ended> ended) mutable {
    if (!ended.ok()) return done(ended.status());
    Send(std::move(change), [ended = *std::move(ended), done = std::move(done)](
                                absl::StatusOr<cv1::UpdateContentOutput> output) mutable {
      if (ended && (output.ok() || !MayPass(output.status().code()))) {
        ended(absl::StatusCodeToString(output.status().code()),
              std::string(output.status().message()));
      }
      done(std::move(output));
    });
  });
}

void Decisions::Send(ContentChange change, client::Callback<cv1::UpdateContentOutput> done) {
  cv1::UpdateContentInput input;
  input.set_content_id(change.content_id);
  input.set_new_content(change.text);
  input.set_updated_by(campaign::CleanLine(change.who, campaign::kDecidedByCharactersMax));
  v1::UpdateWorkflowRequest update;
  update.set_namespace_(change.ns);
  update.set_workflow_id(change.workflow_id);
  update.set_update_name(campaign::kUpdateContentUpdate);
  update.set_update_id(UpdateId("content", change.key));
  *update.mutable_input() = history::ToPayload(input);
  update.set_identity(input.updated_by());
  client_.Update(
      std::move(update),
      [done = std::move(done)](absl::StatusOr<v1::UpdateWorkflowResponse> response) mutable {
        if (!response.ok()) return done(response.status());
        if (response->has_result()) {
          return done(history::FromPayload<cv1::UpdateContentOutput>(response->result()));
        }
        const v1::Failure& refusal =
            response->has_rejected() ? response->rejected() : response->failure();
        const bool wrong = refusal.type() == "InvalidContent" || refusal.type() == "UnknownContent";
        done(wrong ? absl::InvalidArgumentError(refusal.message())
                   : absl::FailedPreconditionError(refusal.message()));
      });
}

void Decisions::GetProgress(std::string ns, std::string workflow_id,
                            client::Callback<cv1::CampaignProgress> done) {
  v1::QueryWorkflowRequest query;
  query.set_namespace_(ns);
  query.set_workflow_id(workflow_id);
  query.set_query_name(campaign::kProgressQuery);
  client_.Query(std::move(query), [workflow_id = std::move(workflow_id), done = std::move(done)](
                                      absl::StatusOr<v1::QueryWorkflowResponse> answer) mutable {
    if (absl::IsNotFound(answer.status())) {
      return done(absl::NotFoundError(absl::StrCat("there is no campaign ", workflow_id)));
    }
    if (!answer.ok()) return done(answer.status());
    auto progress = history::FromPayload<cv1::CampaignProgress>(answer->result());
    if (!progress.ok()) return done(progress.status());
    progress->set_workflow_id(workflow_id);
    progress->set_status(v1::RunStatus::Value_Name(answer->status()));
    done(std::move(progress));
  });
}

void Decisions::ListWaiting(std::string ns, int count_max,
                            client::Callback<WaitingCampaigns> done) {
  std::make_shared<WaitingSearch>(client_, *this, std::move(ns), count_max, std::move(done))
      ->Page();
}

std::string DecisionText(const cv1::ApprovalDecision& decision) {
  return campaign::DescribeDecision(decision);
}

std::string ProgressText(const cv1::CampaignProgress& progress) {
  std::string text = absl::StrCat(progress.campaign_name(), " (", progress.workflow_id(), ")\n",
                                  progress.status(), ", ", progress.progress_percentage(), "%, ",
                                  progress.current_phase(), ": ", progress.message());
  if (progress.has_decision()) {
    absl::StrAppend(&text, "\nDecision: ", DecisionText(progress.decision()));
  } else if (progress.waiting_for_approval()) {
    absl::StrAppend(&text, "\nWaits for a decision");
    if (progress.reviewers_size() > 0) {
      absl::StrAppend(&text, " by ", absl::StrJoin(progress.reviewers(), ", "));
    }
    if (progress.review().has_expires_at()) {
      absl::StrAppend(
          &text, " until ",
          absl::FormatTime("%Y-%m-%d %H:%M UTC", history::FromProto(progress.review().expires_at()),
                           absl::UTCTimeZone()));
    }
  }
  if (!progress.github_pr_url().empty()) {
    absl::StrAppend(&text, "\nReview: ", progress.github_pr_url());
  }
  if (!progress.dashboard_url().empty()) {
    absl::StrAppend(&text, "\nDashboard: ", progress.dashboard_url());
  }
  return text;
}

}  // namespace webhooks
