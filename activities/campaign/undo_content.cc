// delete_content_drafts_activity: the drafts' keys follow from the workflow id, so they are found
// also when the step died midway.
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/names.h"
#include "activities/campaign/undo_report.h"

namespace campaign {

Result<v1::UndoOutput> ActivitySet::DeleteDrafts(
    sdk::ActivityContext& ctx, UndoOf<v1::ContentInput, v1::ContentOutput> undo) const {
  const outbound::CallContext call = CallFor(ctx);
  const std::string space(memory::kDrafts);
  UndoReport report;
  for (const std::string& key : DraftKeys(undo.input.workflow_id())) {
    const base::Outcome<bool> deleted = co_await connectors_.memory.Delete(space, key, call);
    report.Add(deleted, absl::StrCat("memory: draft ", key));
  }
  if (undo.outcome == orchestrator::v1::StepOutcome::UNKNOWN) {
    co_await Settle(ctx);
    for (const std::string& key : DraftKeys(undo.input.workflow_id())) {
      const base::Outcome<bool> deleted = co_await connectors_.memory.Delete(space, key, call);
      report.AddSecondLook(deleted, absl::StrCat("memory: draft ", key));
    }
  }
  co_return std::move(report).Finish();
}

}  // namespace campaign
