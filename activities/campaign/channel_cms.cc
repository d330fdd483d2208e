// The channel "cms": one event to the operator's content management system, and a second one that
// takes it back. Both follow from the campaign's key, so neither is ever two.
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/blog_page.h"
#include "activities/campaign/channel.h"
#include "activities/campaign/distribute_journal.h"
#include "activities/campaign/names.h"
#include "activities/campaign/pieces.h"
#include "activities/campaign/undo_report.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

using base::Outcome;
using base::Task;

class CmsChannel : public Channel {
 public:
  CmsChannel(const Settings& settings, const Connectors* connectors)
      : settings_(settings), connectors_(connectors) {}

  absl::string_view name() const override { return kCms; }

  base::Done Check(const v1::CampaignSpec&) const override {
    if (connectors_->cms.configured()) return base::Unit{};
    return base::Failure::Permanent("CmsNotConfigured",
                                    "no CMS is set (settings: vendors.cms.base_url)");
  }

  std::vector<ChannelCall> Plan(const ChannelPlan& plan) const override {
    return {{"cms", "publish an article",
             connectors_ == nullptr ? "the CMS" : connectors_->cms.shown_url(),
             absl::StrCat("name ", Slug(plan.campaign_key), ", link ",
                          TrackedLink(settings_.link_base_url, plan.campaign_key, kCms))}};
  }

  Task<Outcome<v1::ChannelResult>> Publish(v1::DistributeInput input, DistributeJournal* journal,
                                           outbound::CallContext call) const override {
    // The time of the event is the same in every attempt, as the receiver compares bodies. A
    // campaign that never came here has nothing to take back.
    if (!journal->checkpoint().has_cms_created()) {
      const absl::Time now = journal->Now();
      const base::Done saved = co_await journal->Save([now](v1::DistributeCheckpoint& saving) {
        *saving.mutable_cms_created() = history::ToProto(now);
      });
      if (!saved.ok()) co_return saved.failure();
    }
    const std::string link = TrackedLink(settings_.link_base_url, input.workflow_id(), kCms);
    const std::string image = AssetUrl(input.assets(), kCms);
    webhook::Content content{.name = Slug(input.workflow_id()),
                             .title = PieceText(input.pieces(), kHeadline),
                             .summary = PieceText(input.pieces(), kTagline),
                             .html = BlogPage(input.campaign(), input.pieces(), link, image),
                             .link = link,
                             .image_url = image,
                             .created = history::FromProto(journal->checkpoint().cms_created())};
    const Outcome<webhook::Published> published =
        co_await connectors_->cms.Publish(std::move(content), call);
    if (!published.ok()) co_return published.failure();
    v1::ChannelResult result;
    result.set_state("published");
    result.set_id(published->id.empty() ? Slug(input.workflow_id()) : published->id);
    result.set_url(published->url);
    *result.mutable_send_at() = journal->checkpoint().cms_created();  // Undo needs it
    co_return result;
  }

  Task<void> Undo(ChannelUndo undo, UndoReport* report, outbound::CallContext call) const override {
    if (!undo.happened.has_cms_created()) {
      report->AddGone("cms: nothing was handed over");
      co_return;
    }
    const Outcome<bool> retracted = co_await Retract(undo, 1, call);
    report->Add(retracted, What(undo));
  }

  Task<void> UndoLate(ChannelUndo undo, UndoReport* report,
                      outbound::CallContext call) const override {
    if (!undo.happened.has_cms_created()) co_return;
    const Outcome<bool> retracted = co_await Retract(undo, 2, call);
    report->AddSecondLook(retracted, What(undo));
  }

 private:
  static std::string What(const ChannelUndo& undo) {
    return absl::StrCat("cms: article ", Slug(undo.input.workflow_id()));
  }
  Task<Outcome<bool>> Retract(const ChannelUndo& undo, int look, outbound::CallContext call) const {
    return connectors_->cms.Retract(Slug(undo.input.workflow_id()),
                                    history::FromProto(undo.happened.cms_created()), look,
                                    std::move(call));
  }

  const Settings& settings_;
  const Connectors* const connectors_;
};

}  // namespace

std::unique_ptr<Channel> MakeCmsChannel(const Settings& settings, const Connectors* connectors) {
  return std::make_unique<CmsChannel>(settings, connectors);
}

}  // namespace campaign
