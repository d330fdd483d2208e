// research_phase_activity (requirement O3): every source at once; what fails becomes an entry in
// errors, and only all failing fails the activity. Read-only.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/combine_failures.h"
#include "activities/campaign/names.h"

namespace campaign {
namespace {

constexpr char kNotion[] = "notion";
constexpr char kWeb[] = "web";
constexpr char kMemory[] = "memory";

// No source asked for: all of them.
bool Wanted(const v1::CampaignSpec& spec, absl::string_view source) {
  return spec.research_sources().empty() ||
         std::find(spec.research_sources().begin(), spec.research_sources().end(), source) !=
             spec.research_sources().end();
}

// What to look for: the campaign in its own words.
std::string QueryOf(const v1::CampaignSpec& spec) {
  return CleanLine(
      absl::StrCat(spec.campaign_name(), " ", absl::StrJoin(spec.campaign_goals(), " "), " ",
                   spec.target_audience()),
      500);
}

v1::SourceError Source(absl::string_view source, absl::string_view target) {
  v1::SourceError error;
  error.set_source(std::string(source));
  error.set_target(std::string(target));
  return error;
}

base::Failure AllFailed(const v1::ResearchOutput& output,
                        const std::vector<base::Failure>& causes) {
  const v1::SourceError& first = output.errors(0);  // without a target: all that is shared
  return CombineFailures(
      "ResearchFailed",
      absl::StrCat("all ", output.total_sources(), " research sources failed; ", first.source(),
                   first.target().empty() ? "" : " ", first.target(), ": ", first.message()),
      causes, RetryWhen::kAnyMay);
}

}  // namespace

v1::Finding ActivitySet::MakeFinding(absl::string_view source, absl::string_view title,
                                     absl::string_view summary, absl::string_view url) const {
  v1::Finding finding;
  finding.set_source(std::string(source));
  finding.set_title(CleanLine(title, settings_.research.title_characters_max));
  finding.set_summary(CleanText(summary, settings_.research.summary_characters_max));
  finding.set_url(CleanLine(url, 2000));
  return finding;
}

base::Task<ActivitySet::SourceResult> ActivitySet::SearchNotion(std::string database_id,
                                                                std::string query,
                                                                outbound::CallContext call) const {
  SourceResult result{Source(kNotion, database_id), std::vector<v1::Finding>()};
  const int limit = settings_.research.notion_results_max;
  Result<notion::Found> search =
      database_id.empty() ? connectors_.notion.Search(query, limit, call)
                          : connectors_.notion.QueryDatabase(database_id, query, limit, call);
  base::Outcome<notion::Found> found = co_await std::move(search);
  if (!found.ok()) {
    result.findings = found.failure();
    co_return result;
  }
  for (const notion::Page& page : found->pages) {
    result.findings->push_back(MakeFinding(kNotion, page.title, page.text, page.url));
  }
  co_return result;
}

base::Task<ActivitySet::SourceResult> ActivitySet::ReadPage(std::string url,
                                                            outbound::CallContext call) const {
  SourceResult result{Source(kWeb, url), std::vector<v1::Finding>()};
  base::Outcome<webdriver::RenderedPage> page = co_await connectors_.browsers.Render(url, call);
  if (!page.ok()) {
    result.findings = page.failure();
    co_return result;
  }
  const std::string& title = page->title.empty() ? page->h1 : page->title;
  std::string summary = page->description;
  if (!page->text.empty()) absl::StrAppend(&summary, summary.empty() ? "" : "\n", page->text);
  result.findings->push_back(MakeFinding(kWeb, title, summary, page->url));
  co_return result;
}

base::Task<ActivitySet::SourceResult> ActivitySet::RecallMemory(std::string query,
                                                                outbound::CallContext call) const {
  const std::string space(memory::kCampaigns);
  SourceResult result{Source(kMemory, space), std::vector<v1::Finding>()};
  base::Outcome<std::vector<memory::Recalled>> recalled = co_await connectors_.memory.Recall(
      query, space, "", settings_.research.memory_results_max, call);
  if (!recalled.ok()) {
    result.findings = recalled.failure();
    co_return result;
  }
  for (const memory::Recalled& each : *recalled) {
    result.findings->push_back(MakeFinding(kMemory, each.item.key, each.item.content, ""));
  }
  co_return result;
}

Result<v1::ResearchOutput> ActivitySet::Research(sdk::ActivityContext& ctx,
                                                 v1::ResearchInput input) const {
  const v1::CampaignSpec& spec = input.campaign();
  const outbound::CallContext call = CallFor(ctx);
  const std::string query = QueryOf(spec);
  std::vector<base::Task<SourceResult>> sources;
  if (Wanted(spec, kNotion)) {
    std::vector<std::string> databases = settings_.research.notion_databases;
    if (databases.empty()) databases.push_back("");
    for (const std::string& id : databases) sources.push_back(SearchNotion(id, query, call));
  }
  if (Wanted(spec, kWeb)) {
    for (const std::string& url : spec.competitor_urls()) sources.push_back(ReadPage(url, call));
  }
  if (Wanted(spec, kMemory)) sources.push_back(RecallMemory(query, call));

  v1::ResearchOutput output;
  output.set_total_sources(static_cast<int>(sources.size()));
  const std::vector<SourceResult> results = co_await base::WhenAll(std::move(sources));
  std::vector<base::Failure> causes;
  for (const SourceResult& result : results) {
    if (!result.findings.ok()) {
      v1::SourceError* error = output.add_errors();
      *error = result.source;
      error->set_message(CleanLine(result.findings.failure().message, 500));
      causes.push_back(result.findings.failure());
      continue;
    }
    output.set_successful_sources(output.successful_sources() + 1);
    for (const v1::Finding& finding : *result.findings) {
      if (output.findings_size() < settings_.research.findings_max) {
        *output.add_findings() = finding;
      }
    }
  }
  if (ctx.cancel().canceled()) co_return base::Failure::Canceled(ctx.cancel().reason());
  if (!causes.empty() && output.successful_sources() == 0) co_return AllFailed(output, causes);
  co_return output;
}

}  // namespace campaign
