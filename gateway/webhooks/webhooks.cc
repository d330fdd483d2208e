#include "gateway/webhooks/webhooks.h"

#include <utility>

#include "gateway/webhooks/answers.h"
#include "orchestrator/base/status_macros.h"

namespace webhooks {

absl::StatusOr<std::unique_ptr<Webhooks>> Webhooks::Make(WebhooksOptions options,
                                                         const std::string& path, Parts parts,
                                                         Decisions::Recorder recorder) {
  ASSIGN_OR_RETURN(std::unique_ptr<Inbox> inbox,
                   Inbox::Open(path, parts.loop, parts.clock, parts.metrics, options.inbox));
  return std::unique_ptr<Webhooks>(
      new Webhooks(std::move(options), std::move(inbox), parts, std::move(recorder)));
}

Webhooks::Webhooks(WebhooksOptions options, std::unique_ptr<Inbox> inbox, Parts p,
                   Decisions::Recorder recorder)
    : decisions_(p.client, std::move(recorder),
                 [this](const std::string& ns, const std::string& workflow_id,
                        const campaign::v1::ApprovalDecision& decision) {
                   notices_.Announce(ns, workflow_id, decision);
                 }),
      inbox_(std::move(inbox)),
      notices_({*inbox_, decisions_, p.slack, p.loop, p.clock}),
      slack_(std::move(options.slack), {*inbox_, decisions_, p.slack, p.loop, p.clock, p.metrics}),
      github_(std::move(options.github),
              {*inbox_, decisions_, p.github, p.loop, p.clock, p.metrics}) {
  for (const char* source : {kSlackSource, kGithubSource}) {
    CountFromZero(p.metrics, source, {"signature_missing", "signature_stale", "signature_wrong"});
  }
  inbox_->Handle(kDecisionSource, [this](Delivery delivery, base::CancelToken cancel) {
    return notices_.Work(std::move(delivery), std::move(cancel));
  });
  inbox_->Handle(kSlackSource, [this](Delivery delivery, base::CancelToken cancel) {
    return slack_.Work(std::move(delivery), std::move(cancel));
  });
  inbox_->Handle(kGithubSource, [this](Delivery delivery, base::CancelToken cancel) {
    return github_.Work(std::move(delivery), std::move(cancel));
  });
}

void Webhooks::AddTo(gateway::RestHandler& handler) {
  handler.AddRaw("POST", "/webhooks/slack/interactions",
                 [this](gateway::RawRequest request, gateway::RawDone done) {
                   slack_.Interaction(std::move(request), std::move(done));
                 });
  handler.AddRaw("POST", "/webhooks/slack/commands",
                 [this](gateway::RawRequest request, gateway::RawDone done) {
                   slack_.Command(std::move(request), std::move(done));
                 });
  handler.AddRaw("POST", "/webhooks/github",
                 [this](gateway::RawRequest request, gateway::RawDone done) {
                   github_.Receive(std::move(request), std::move(done));
                 });
}

}  // namespace webhooks
