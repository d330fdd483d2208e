// remind_review_activity: nobody has decided for a while. Says so in the thread of the Slack
// message and in the pull request, once each, however often it runs.
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/review_text.h"
#include "orchestrator/history/time.h"

namespace campaign {

Result<v1::RemindReviewOutput> ActivitySet::RemindReview(sdk::ActivityContext& ctx,
                                                         v1::RemindReviewInput input) const {
  const outbound::CallContext call = CallFor(ctx);
  // The same on every attempt, so that all of them say the same.
  const absl::Time now = ctx.info().scheduled_time;
  const std::string marker =
      input.reminder() == 0 ? std::string("expired") : absl::StrCat("reminder-", input.reminder());
  v1::RemindReviewOutput output;
  slack::Message message;
  message.channel = input.review().slack_channel();
  message.thread_ts = input.review().slack_message_ts();
  message.text = SlackReminder(input, now);
  message.marker = absl::StrCat(input.workflow_id(), "/", marker);
  message.since = history::FromProto(input.asked_at());
  // An earlier attempt may have posted it: it is looked for first.
  base::Outcome<slack::Posted> posted =
      co_await connectors_.slack.EnsureMessage(std::move(message), /*first_try=*/false, call);
  base::Outcome<base::Unit> said = co_await connectors_.github.EnsureComment(
      input.review().github_pr_number(), ReminderComment(input, now), marker, call);
  if (!posted.ok()) co_return posted.failure();
  if (!said.ok()) co_return said.failure();
  output.set_slack_message_ts(posted->ts);
  output.set_commented(true);
  co_return output;
}

}  // namespace campaign
