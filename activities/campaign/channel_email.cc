// The channel "email": one mail by SendGrid to all recipients, scheduled behind the undo window and
// known by its batch ids, which are recorded before they are used.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/channel.h"
#include "activities/campaign/distribute_journal.h"
#include "activities/campaign/email_text.h"
#include "activities/campaign/names.h"
#include "activities/campaign/pieces.h"
#include "activities/campaign/schedule.h"
#include "activities/campaign/undo_report.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

using base::Outcome;
using base::Task;

constexpr size_t kRecipientsShown = 20;

v1::ChannelResult Scheduled(std::string id, absl::Time send_at) {
  v1::ChannelResult result;
  result.set_state("scheduled");
  result.set_id(std::move(id));
  *result.mutable_send_at() = history::ToProto(send_at);
  return result;
}

// The journal outlives the send: both belong to the attempt.
Task<base::Done> SaveBatches(DistributeJournal* journal, std::vector<std::string> ids) {
  base::Done saved = co_await journal->Save([ids](v1::DistributeCheckpoint& checkpoint) {
    checkpoint.mutable_email_batch_ids()->Assign(ids.begin(), ids.end());
  });
  co_return saved;
}

class EmailChannel : public Channel {
 public:
  EmailChannel(const Settings& settings, const Connectors* connectors)
      : settings_(settings), connectors_(connectors) {}

  absl::string_view name() const override { return kEmail; }

  base::Done Check(const v1::CampaignSpec& spec) const override {
    const size_t recipients = Recipients(spec).size();
    if (settings_.email.from_address.empty()) {
      return base::Failure::Permanent("EmailNotConfigured",
                                      "no sender is set (settings: campaign.email.from_address)");
    }
    if (recipients == 0 || recipients > sendgrid::kRecipientsMax) {
      return base::Failure::Permanent(
          "InvalidRecipients",
          absl::StrCat("a mail goes to 1 to ", sendgrid::kRecipientsMax, " recipients, not ",
                       recipients, " (email_recipients, or settings: campaign.email.recipients)"));
    }
    return base::Unit{};
  }

  std::vector<ChannelCall> Plan(const ChannelPlan& plan) const override {
    std::vector<std::string> recipients = Recipients(plan.spec);
    const size_t all = recipients.size();
    recipients.resize(std::min(all, kRecipientsShown));
    return {{"sendgrid", absl::StrCat("send a mail ", plan.when),
             absl::StrCat(all, " recipients: ", absl::StrJoin(recipients, ", "),
                          all > recipients.size() ? ", ..." : ""),
             absl::StrCat("from ", settings_.email.from_address, ", link ",
                          TrackedLink(settings_.link_base_url, plan.campaign_key, kEmail))}};
  }

  Task<Outcome<v1::ChannelResult>> Publish(v1::DistributeInput input, DistributeJournal* journal,
                                           outbound::CallContext call) const override;
  Task<void> Undo(ChannelUndo undo, UndoReport* report, outbound::CallContext call) const override;
  Task<void> UndoLate(ChannelUndo, UndoReport*, outbound::CallContext) const override {
    co_return;  // a canceled batch stays canceled, also for a mail that comes late
  }

 private:
  std::vector<std::string> Recipients(const v1::CampaignSpec& spec) const {
    if (spec.email_recipients().empty()) return settings_.email.recipients;
    return {spec.email_recipients().begin(), spec.email_recipients().end()};
  }

  const Settings& settings_;
  const Connectors* const connectors_;
};

Task<Outcome<v1::ChannelResult>> EmailChannel::Publish(v1::DistributeInput input,
                                                       DistributeJournal* journal,
                                                       outbound::CallContext call) const {
  const v1::DistributeCheckpoint& checkpoint = journal->checkpoint();
  const absl::Time send_at = history::FromProto(checkpoint.email_send_at());
  const std::vector<std::string> used(checkpoint.email_batch_ids().begin(),
                                      checkpoint.email_batch_ids().end());
  if (checkpoint.email_accepted()) co_return Scheduled(used.empty() ? "" : used.back(), send_at);

  const Email email = MakeEmail(input.campaign(), input.pieces(),
                                TrackedLink(settings_.link_base_url, input.workflow_id(), kEmail),
                                AssetUrl(input.assets(), kEmail));
  sendgrid::Message message;
  message.from = {settings_.email.from_address, settings_.email.from_name};
  for (const std::string& to : Recipients(input.campaign())) message.to.push_back({.email = to});
  message.subject = email.subject;
  message.text = email.text;
  message.html = email.html;
  message.categories = {"campaign"};
  message.custom_args = {{"workflow_id", input.workflow_id()}};
  Outcome<sendgrid::Scheduled> sent = co_await connectors_->sendgrid.SendOnce(
      std::move(message), send_at, used,
      [journal](std::vector<std::string> ids) { return SaveBatches(journal, std::move(ids)); },
      call);
  if (!sent.ok()) co_return sent.failure();
  const base::Done saved = co_await journal->Save(
      [](v1::DistributeCheckpoint& saving) { saving.set_email_accepted(true); });
  if (!saved.ok()) co_return saved.failure();
  co_return Scheduled(sent->batch_id, sent->send_at);
}

Task<void> EmailChannel::Undo(ChannelUndo undo, UndoReport* report,
                              outbound::CallContext call) const {
  const v1::DistributeCheckpoint& checkpoint = undo.happened;
  const absl::Time now = undo.now;
  if (checkpoint.email_batch_ids().empty()) {
    report->AddGone("email: nothing was handed over");
    co_return;
  }
  const absl::Time send_at = history::FromProto(checkpoint.email_send_at());
  for (const std::string& id : checkpoint.email_batch_ids()) {
    const Outcome<bool> canceled = co_await connectors_->sendgrid.CancelBatch(id, call);
    std::string what = absl::StrCat("email: batch ", id);
    if (checkpoint.email_accepted() && canceled.ok() && *canceled && now >= send_at) {
      report->AddFailure(
          base::Failure::Permanent(
              "MailAlreadySent",
              absl::StrCat("the mail went out at ", TimeText(send_at),
                           " and cannot be taken back; skip this compensation with a reason")),
          what);
      continue;
    }
    if (canceled.ok() && *canceled && now >= send_at) {
      absl::StrAppend(&what, " (nobody knows whether it was taken; it was due at ",
                      TimeText(send_at), ")");
    } else if (canceled.ok() && *canceled && now > send_at - kCancelAheadMin) {
      absl::StrAppend(&what, " (", absl::FormatDuration(send_at - now),
                      " before it was due; SendGrid promises a cancellation only ",
                      absl::FormatDuration(kCancelAheadMin), " before)");
    }
    report->Add(canceled, what);
  }
}

}  // namespace

std::unique_ptr<Channel> MakeEmailChannel(const Settings& settings, const Connectors* connectors) {
  return std::make_unique<EmailChannel>(settings, connectors);
}

}  // namespace campaign
