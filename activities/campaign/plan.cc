#include "activities/campaign/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/names.h"
#include "activities/campaign/schedule.h"
#include "activities/connectors/grafana/dashboard.h"

namespace campaign {
namespace {

constexpr size_t kContentCharactersMax = 4000;

class Plan {
 public:
  Plan(const std::string& workflow_id, const v1::CampaignSpec& spec, const Settings& settings)
      : workflow_id_(workflow_id), spec_(spec), settings_(settings) {}

  void Research();
  void Content(const Prompts& prompts);
  void Design();
  void Review();
  void Distribution(const Channels& channels, absl::Time now);
  void Analytics();
  v1::PlanOutput Take() { return std::move(output_); }

 private:
  bool Wants(absl::string_view source) const {
    return spec_.research_sources().empty() ||
           std::find(spec_.research_sources().begin(), spec_.research_sources().end(), source) !=
               spec_.research_sources().end();
  }
  bool Has(absl::string_view channel) const {
    return std::find(spec_.channels().begin(), spec_.channels().end(), channel) !=
           spec_.channels().end();
  }
  void Add(const char* phase, const char* vendor, const std::string& action,
           const std::string& target, const std::string& content = "") {
    v1::PlannedCall* call = output_.add_would_send();
    call->set_phase(phase);
    call->set_vendor(vendor);
    call->set_action(action);
    call->set_target(target);
    call->set_content(CleanText(content, kContentCharactersMax));
  }
  std::string Node(int channel) const;

  const std::string& workflow_id_;
  const v1::CampaignSpec& spec_;
  const Settings& settings_;
  v1::PlanOutput output_;
};

void Plan::Research() {
  if (Wants("notion")) {
    const std::vector<std::string>& databases = settings_.research.notion_databases;
    for (const std::string& id : databases) Add("research", "notion", "query a database", id);
    if (databases.empty()) Add("research", "notion", "search", "all that is shared");
  }
  if (Wants("web")) {
    for (const std::string& url : spec_.competitor_urls()) {
      Add("research", "webdriver", "render a page", url);
    }
  }
  if (Wants("memory")) Add("research", "memory", "recall", "campaigns");
}

void Plan::Content(const Prompts& prompts) {
  Add("content", "openai", "write the texts", absl::StrCat("prompts ", prompts.version()),
      absl::StrCat(prompts.System(spec_, ""), "\n\n", prompts.User(spec_, {})));
  for (const std::string& key : DraftKeys(workflow_id_)) {
    Add("content", "memory", "keep a draft", key);
  }
}

std::string Plan::Node(int channel) const {
  if (channel < spec_.templates_size() && !spec_.templates(channel).empty()) {
    return spec_.templates(channel);
  }
  const std::string& name = spec_.channels(channel);
  if (name == kEmail) return settings_.figma.email_node;
  if (name == kSocial) return settings_.figma.social_node;
  if (name == kCms) return settings_.figma.cms_node;
  return settings_.figma.blog_node;
}

void Plan::Design() {
  for (int i = 0; i < spec_.channels_size(); ++i) {
    Add("design", "figma", absl::StrCat("render the ", AssetType(spec_.channels(i))),
        absl::StrCat(settings_.figma.file_key, " node ", Node(i)));
  }
}

void Plan::Review() {
  Add("review", "github", "open a pull request", BranchName(workflow_id_),
      absl::StrCat("the texts, in ", ReviewDir(settings_.review.content_dir, workflow_id_)));
  Add("review", "slack", "post a message with buttons", settings_.review.slack_channel,
      absl::StrCat("for ", absl::StrJoin(spec_.reviewers(), ", "), "; then wait for a decision"));
}

void Plan::Distribution(const Channels& channels, absl::Time now) {
  const absl::Time send_at =
      SendAt(spec_, DistributionStart(spec_, now, settings_.undo_window), settings_.undo_window);
  const std::string when =
      spec_.has_schedule_time()
          ? absl::StrCat("at ", TimeText(send_at))
          : absl::StrCat(absl::FormatDuration(settings_.undo_window), " after the approval");
  for (const auto& channel : channels) {
    if (!Has(channel->name())) continue;
    const ChannelPlan plan{.campaign_key = workflow_id_, .spec = spec_, .when = when};
    for (const ChannelCall& call : channel->Plan(plan)) {
      Add("distribution", call.vendor.c_str(), call.action, call.target, call.content);
    }
  }
}

void Plan::Analytics() {
  Add("analytics", "grafana", "create a dashboard", grafana::DashboardUid(workflow_id_),
      absl::StrJoin(spec_.metrics(), ", "));
}

}  // namespace

v1::PlanOutput PlanCampaign(const std::string& workflow_id, const v1::CampaignSpec& spec,
                            const Settings& settings, const Prompts& prompts,
                            const Channels& channels, absl::Time now) {
  Plan plan(workflow_id, spec, settings);
  plan.Research();
  plan.Content(prompts);
  plan.Design();
  plan.Review();
  plan.Distribution(channels, now);
  plan.Analytics();
  return plan.Take();
}

v1::PlanOutput PlanCampaign(const std::string& workflow_id, const v1::CampaignSpec& spec,
                            const Settings& settings, const Prompts& prompts, absl::Time now) {
  return PlanCampaign(workflow_id, spec, settings, prompts, MakeChannels(settings, nullptr), now);
}

Result<v1::PlanOutput> ActivitySet::PlanDryRun(sdk::ActivityContext& ctx,
                                               v1::PlanInput input) const {
  co_return PlanCampaign(input.workflow_id(), input.campaign(), settings_, prompts_, channels_,
                         ctx.loop().clock().Now());
}

}  // namespace campaign
