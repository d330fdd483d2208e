#include "gateway/grpc/start_quota.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/v1/campaign.pb.h"
#include "gateway/grpc/start_outcome.h"
#include "orchestrator/history/payload.h"

namespace gateway {

namespace {

namespace v1 = ::orchestrator::v1;

constexpr char kCampaign[] = "campaign";
constexpr char kSocial[] = "social";

int PlannedPosts(const v1::StartWorkflowRequest& start, const auth::UserQuotas::Options& options) {
  const auto spec = history::FromPayload<campaign::v1::CampaignSpec>(start.input());
  if (!spec.ok() || spec->dry_run()) return 0;
  const auto& channels = spec->channels();
  return std::find(channels.begin(), channels.end(), kSocial) == channels.end()
             ? 0
             : options.posts_per_campaign;
}

}  // namespace

void StartReservation::Ended(const absl::Status& status, bool started) const {
  if (quotas_ == nullptr) return;
  const bool not_begun = status.ok() ? !started : StartHadNoEffect(status);
  if (not_begun) quotas_->Release(user_, campaign_);
}

void WithinQuota(auth::UserQuotas* quotas, const CallInfo& call,
                 const v1::StartWorkflowRequest& start,
                 absl::AnyInvocable<void(absl::StatusOr<StartReservation>)> go) {
  if (quotas == nullptr || !call.caller.proven() || start.workflow_type() != kCampaign) {
    return go(StartReservation());
  }
  const std::string user = call.caller.identity;
  const std::string campaign = absl::StrCat(start.namespace_(), "/", start.workflow_id());
  quotas->Reserve(
      user, campaign, PlannedPosts(start, quotas->options()),
      [quotas, user, campaign, go = std::move(go)](absl::StatusOr<bool> counted) mutable {
        if (!counted.ok()) return go(counted.status());
        // What was counted before is not this start's to give back.
        go(*counted ? StartReservation(quotas, user, campaign) : StartReservation());
      });
}

}  // namespace gateway
