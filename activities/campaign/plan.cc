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
constexpr size_t kRecipientsShown = 20;

class Plan {
 public:
  Plan(const std::string& workflow_id, const v1::CampaignSpec& spec, const Settings& settings)
      : workflow_id_(workflow_id), spec_(spec), settings_(settings) {}

  void Research();
  void Content(const Prompts& prompts);
  void Design();
  void Review();
  void Distribution(absl::Time now);
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
  std::vector<std::string> Recipients() const;

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

std::vector<std::string> Plan::Recipients() const {
  if (spec_.email_recipients().empty()) return settings_.email.recipients;
  return {spec_.email_recipients().begin(), spec_.email_recipients().end()};
}

void Plan::Distribution(absl::Time now) {
  const absl::Time send_at =
      SendAt(spec_, DistributionStart(spec_, now, settings_.undo_window), settings_.undo_window);
  const std::string when =
      spec_.has_schedule_time()
          ? absl::StrCat("at ", TimeText(send_at))
          : absl::StrCat(absl::FormatDuration(settings_.undo_window), " after the approval");
  if (Has(kEmail)) {
    std::vector<std::string> recipients = Recipients();
    const size_t all = recipients.size();
    recipients.resize(std::min(all, kRecipientsShown));
    Add("distribution", "sendgrid", absl::StrCat("send a mail ", when),
        absl::StrCat(all, " recipients: ", absl::StrJoin(recipients, ", "),
                     all > recipients.size() ? ", ..." : ""),
        absl::StrCat("from ", settings_.email.from_address, ", link ",
                     TrackedLink(settings_.link_base_url, workflow_id_, kEmail)));
  }
  if (Has(kSocial)) {
    for (const std::string& channel : settings_.social.channels) {
      Add("distribution", "buffer", absl::StrCat("post ", when), channel,
          absl::StrCat("link ", TrackedLink(settings_.link_base_url, workflow_id_, kSocial)));
    }
  }
  if (Has(kBlog)) {
    Add("distribution", "github", "publish a page",
        PagePath(settings_.blog.page_dir, workflow_id_));
  }
}

void Plan::Analytics() {
  Add("analytics", "grafana", "create a dashboard", grafana::DashboardUid(workflow_id_),
      absl::StrJoin(spec_.metrics(), ", "));
}

}  // namespace

v1::PlanOutput PlanCampaign(const std::string& workflow_id, const v1::CampaignSpec& spec,
                            const Settings& settings, const Prompts& prompts, absl::Time now) {
  Plan plan(workflow_id, spec, settings);
  plan.Research();
  plan.Content(prompts);
  plan.Design();
  plan.Review();
  plan.Distribution(now);
  plan.Analytics();
  return plan.Take();
}

Result<v1::PlanOutput> ActivitySet::PlanDryRun(sdk::ActivityContext& ctx,
                                               v1::PlanInput input) const {
  co_return PlanCampaign(input.workflow_id(), input.campaign(), settings_, prompts_,
                         ctx.loop().clock().Now());
}

}  // namespace campaign
