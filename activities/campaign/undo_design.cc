// delete_design_assets_activity: everything under the campaign's prefix, and what the step says it
// made.
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/names.h"
#include "activities/campaign/undo_report.h"

namespace campaign {

Result<v1::UndoOutput> ActivitySet::DeleteAssets(
    sdk::ActivityContext& ctx, UndoOf<v1::DesignInput, v1::DesignOutput> undo) const {
  const std::string prefix = AssetPrefix(undo.input.workflow_id());
  std::set<std::string> keys;
  for (const std::string& channel : undo.input.campaign().channels()) {
    keys.insert(AssetKey(undo.input.workflow_id(), AssetType(channel), settings_.figma.format));
  }
  if (undo.result.has_value()) {
    for (const v1::Asset& asset : undo.result->assets()) keys.insert(asset.asset_key());
  }
  UndoReport report;
  const bool unknown = undo.outcome == orchestrator::v1::StepOutcome::UNKNOWN;
  for (int look = 0; look < (unknown ? 2 : 1); ++look) {
    if (look > 0) co_await Settle(ctx);
    const base::Outcome<std::vector<std::string>> listed = co_await connectors_.assets.List(prefix);
    if (listed.ok()) {
      keys.insert(listed->begin(), listed->end());
    } else {
      report.AddFailure(listed.failure(), absl::StrCat("assets: list of ", prefix));
    }
    for (const std::string& key : keys) {
      const base::Outcome<bool> deleted = co_await connectors_.assets.Delete(key);
      const std::string what = absl::StrCat("assets: ", key);
      look == 0 ? report.Add(deleted, what) : report.AddSecondLook(deleted, what);
    }
  }
  co_return std::move(report).Finish();
}

}  // namespace campaign
