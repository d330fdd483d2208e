// The channel "blog": one page on GitHub Pages, whose path follows from the campaign's key.
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/blog_page.h"
#include "activities/campaign/channel.h"
#include "activities/campaign/distribute_journal.h"
#include "activities/campaign/names.h"
#include "activities/campaign/undo_report.h"

namespace campaign {
namespace {

using base::Outcome;
using base::Task;

class BlogChannel : public Channel {
 public:
  BlogChannel(const Settings& settings, const Connectors* connectors)
      : settings_(settings), connectors_(connectors) {}

  absl::string_view name() const override { return kBlog; }
  base::Done Check(const v1::CampaignSpec&) const override { return base::Unit{}; }

  std::vector<ChannelCall> Plan(const ChannelPlan& plan) const override {
    return {{"github", "publish a page", PagePath(settings_.blog.page_dir, plan.campaign_key), ""}};
  }

  Task<Outcome<v1::ChannelResult>> Publish(v1::DistributeInput input, DistributeJournal* journal,
                                           outbound::CallContext call) const override {
    const std::string path = PagePath(settings_.blog.page_dir, input.workflow_id());
    Outcome<github::Page> page = co_await connectors_->github.EnsurePage(
        path,
        BlogPage(input.campaign(), input.pieces(),
                 TrackedLink(settings_.link_base_url, input.workflow_id(), kBlog),
                 AssetUrl(input.assets(), kBlog)),
        absl::StrCat("campaign: publish ", CleanLine(input.campaign().campaign_name(), 100)), call);
    if (!page.ok()) co_return page.failure();
    const base::Done saved = co_await journal->Save(
        [](v1::DistributeCheckpoint& saving) { saving.set_blog_published(true); });
    if (!saved.ok()) co_return saved.failure();
    v1::ChannelResult result;
    result.set_state("published");
    result.set_id(path);
    result.set_url(page->url);
    co_return result;
  }

  Task<void> Undo(ChannelUndo undo, UndoReport* report, outbound::CallContext call) const override {
    const std::string path = PagePath(settings_.blog.page_dir, undo.input.workflow_id());
    const Outcome<bool> deleted = co_await Withdraw(path, undo.input.workflow_id(), call);
    report->Add(deleted, absl::StrCat("blog: page ", path));
  }

  Task<void> UndoLate(ChannelUndo undo, UndoReport* report,
                      outbound::CallContext call) const override {
    const std::string path = PagePath(settings_.blog.page_dir, undo.input.workflow_id());
    const Outcome<bool> late = co_await Withdraw(path, undo.input.workflow_id(), call);
    report->AddSecondLook(late, absl::StrCat("blog: page ", path));
  }

 private:
  Task<Outcome<bool>> Withdraw(std::string path, std::string key,
                               outbound::CallContext call) const {
    return connectors_->github.DeletePage(
        std::move(path), "", absl::StrCat("campaign: withdraw ", Slug(key)), std::move(call));
  }

  const Settings& settings_;
  const Connectors* const connectors_;
};

}  // namespace

std::unique_ptr<Channel> MakeBlogChannel(const Settings& settings, const Connectors* connectors) {
  return std::make_unique<BlogChannel>(settings, connectors);
}

}  // namespace campaign
