#include "gateway/cli/progress_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "gateway/cli/human.h"
#include "orchestrator/history/time.h"

namespace cli {

namespace {

using campaign::v1::CampaignProgress;
using campaign::v1::PhaseProgress;

constexpr int kBarWidth = 30;
constexpr char kReset[] = "\x1b[0m";

const char* ColorOf(absl::string_view state) {
  if (state == "completed" || state == "COMPLETED") return "\x1b[32m";
  if (state == "failed" || state == "not_undone" || state == "FAILED" || state == "STUCK") {
    return "\x1b[31m";
  }
  if (state == "running" || state == "RUNNING") return "\x1b[36m";
  return "\x1b[33m";
}

const char* MarkOf(absl::string_view state) {
  if (state == "completed") return "[x]";
  if (state == "running") return "[>]";
  if (state == "failed" || state == "not_undone") return "[!]";
  if (state == "compensated") return "[<]";
  if (state == "canceled" || state == "terminated") return "[-]";
  return "[ ]";
}

// "not_undone" -> "not undone".
std::string WordsOf(const std::string& state) { return absl::StrReplaceAll(state, {{"_", " "}}); }

std::string PhaseTime(const PhaseProgress& phase, absl::Time now) {
  if (!phase.has_started_at()) return "";
  const absl::Time start = history::FromProto(phase.started_at());
  if (phase.has_completed_at()) {
    return HumanDuration(history::FromProto(phase.completed_at()) - start);
  }
  return phase.state() == "running" ? HumanDuration(now - start) : "";
}

std::string Decision(const CampaignProgress& progress) {
  const auto& decision = progress.decision();
  std::string text = absl::StrCat(decision.decision(), " by ", decision.decided_by(), " (",
                                  decision.via(), ") at ", HumanTime(decision.decided_at()));
  if (!decision.comment().empty()) absl::StrAppend(&text, ": ", decision.comment());
  return text;
}

}  // namespace

std::string ProgressBlock(const CampaignProgress& progress, absl::Time now, bool color,
                          size_t width) {
  std::vector<std::string> lines;
  const bool open = progress.status() == "RUNNING" || progress.status() == "PAUSED" ||
                    progress.status() == "STUCK";
  const absl::Duration elapsed = open && progress.has_started_at()
                                     ? now - history::FromProto(progress.started_at())
                                     : absl::Seconds(progress.elapsed_seconds());
  const auto paint = [&](absl::string_view state, const std::string& text) {
    const std::string cut = OneLine(text, width);
    return color ? absl::StrCat(ColorOf(state), cut, kReset) : cut;
  };
  lines.push_back(
      OneLine(absl::StrCat(progress.campaign_name().empty() ? "campaign" : progress.campaign_name(),
                           "  ", progress.workflow_id()),
              width));
  const int percent = std::clamp(progress.progress_percentage(), 0, 100);
  const int full = percent * kBarWidth / 100;
  lines.push_back(
      paint(progress.status(),
            absl::StrCat("[", std::string(full, '#'), std::string(kBarWidth - full, '-'), "] ",
                         percent, " %  ", progress.status(), "  ", HumanDuration(elapsed))));
  for (const PhaseProgress& phase : progress.phases()) {
    lines.push_back(paint(
        phase.state(), absl::StrFormat("  %s %-13s %-12s %s", MarkOf(phase.state()), phase.phase(),
                                       WordsOf(phase.state()), PhaseTime(phase, now))));
  }
  const auto add = [&](absl::string_view name, const std::string& value) {
    if (!value.empty()) lines.push_back(OneLine(absl::StrFormat("%-14s%s", name, value), width));
  };
  add("pull request", progress.github_pr_url());
  add("dashboard", progress.dashboard_url());
  if (progress.has_decision()) add("decision", Decision(progress));
  add("message", progress.message());
  if (progress.waiting_for_approval() && open) {
    add("next", absl::StrCat("campaignctl approve ", progress.workflow_id(),
                             "   (or reject, update-content)"));
  }
  std::string text;
  for (const std::string& line : lines) absl::StrAppend(&text, line, "\n");
  return text;
}

std::string ProgressLine(const CampaignProgress& progress, absl::Time now) {
  std::string what = progress.message();
  if (what.empty() && progress.waiting_for_approval()) what = "waiting for approval";
  return absl::StrFormat("%s  %3d %%  %-10s  %-13s %s\n",
                         absl::FormatTime("%H:%M:%S", now, absl::LocalTimeZone()),
                         progress.progress_percentage(), progress.status(),
                         progress.current_phase(), OneLine(what, 200));
}

}  // namespace cli
