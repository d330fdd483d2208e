#include "gateway/cli/saga_text.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/cli/human.h"
#include "gateway/cli/table.h"

namespace cli {
namespace {

namespace v1 = orchestrator::v1;
using v1::CompensationState;
using v1::RunStatus;
using v1::SagaState;

constexpr size_t kErrorCharactersMax = 160;
constexpr char kWhereTheRestIs[] = " (all of it: --output json)";

bool Closed(RunStatus::Value status) { return status >= RunStatus::COMPLETED; }

// The run did what it was to do, or another one goes on with it.
bool EndedWell(RunStatus::Value status) {
  return status == RunStatus::COMPLETED || status == RunStatus::CONTINUED_AS_NEW;
}

// The saga is where it was when its run was ended.
bool CutShort(SagaState::Value state, RunStatus::Value status) {
  return Closed(status) && !EndedWell(status) && state != SagaState::COMPENSATED &&
         state != SagaState::PIVOT_PASSED;
}

std::string FailureOf(const v1::SagaStepInfo& step) {
  const v1::Failure& failure =
      step.has_compensation_failure() ? step.compensation_failure() : step.failure();
  return failure.type().empty() && failure.message().empty()
             ? ""
             : ErrorCell(absl::StrCat(failure.type(), ": ", failure.message()));
}

std::string DetailOf(const v1::SagaStepInfo& step) {
  std::string detail = step.compensation_reason();
  if (!step.decided_by().empty()) absl::StrAppend(&detail, " (", step.decided_by(), ")");
  const std::string failure = FailureOf(step);
  absl::StrAppend(&detail, detail.empty() || failure.empty() ? "" : "; ", failure);
  return detail;
}

std::string TriesOf(const v1::SagaStepInfo& step) {
  if (step.compensation_attempts() == 0) return "";
  std::string tries = absl::StrCat(step.compensation_attempts());
  // Rounds that an operator added count as well: "3 of 2" would puzzle.
  if (step.compensation() != CompensationState::COMPLETED &&
      step.compensation_maximum_attempts() >= step.compensation_attempts()) {
    absl::StrAppend(&tries, " of ", step.compensation_maximum_attempts());
  }
  return tries;
}

bool LeftBehind(const v1::SagaStepInfo& step) {
  const bool undone = step.compensation() == CompensationState::COMPLETED ||
                      step.compensation() == CompensationState::RESOLVED;
  return !undone && !step.compensation_type().empty() && step.outcome() != v1::StepOutcome::FAILED;
}

// The steps whose effect stays, with the reason where somebody gave one.
std::string NotUndone(const v1::SagaInfo& saga, RunStatus::Value status) {
  const bool all = CutShort(saga.state(), status);
  std::vector<std::string> left;
  for (const v1::SagaStepInfo& step : saga.steps()) {
    const bool skipped = step.compensation() == CompensationState::SKIPPED;
    if (skipped) {
      left.push_back(absl::StrCat(step.step(), " (skipped by ",
                                  step.decided_by().empty() ? "?" : step.decided_by(), ": ",
                                  step.compensation_reason(), ")"));
    } else if (all && LeftBehind(step)) {
      left.push_back(step.step());
    }
  }
  return left.empty() ? "" : absl::StrCat("not undone: ", absl::StrJoin(left, ", "), "\n");
}

std::string TextOf(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || !found->is_string() ? "" : found->get<std::string>();
}

}  // namespace

std::string ErrorCell(const std::string& text) {
  if (Width(text) <= kErrorCharactersMax) return text;
  return absl::StrCat(OneLine(text, kErrorCharactersMax), kWhereTheRestIs);
}

std::string SagaStateText(SagaState::Value state, RunStatus::Value status) {
  if (Closed(status) && state == SagaState::FORWARD) return "";
  return absl::StrCat(CutShort(state, status) ? "was " : "", SagaState::Value_Name(state));
}

std::string SagaText(const v1::SagaInfo& saga, RunStatus::Value status) {
  Table table({"STEP", "OUTCOME", "COMPENSATION", "STATE", "TRIES", "NEXT TRY", "DETAIL"});
  for (const v1::SagaStepInfo& step : saga.steps()) {
    table.Add({step.step(), v1::StepOutcome::Value_Name(step.outcome()), step.compensation_type(),
               CompensationState::Value_Name(step.compensation()), TriesOf(step),
               HumanTime(step.compensation_next_attempt_time()), DetailOf(step)});
  }
  const bool cut_short = CutShort(saga.state(), status);
  std::string text =
      absl::StrCat("saga ", cut_short ? "was " : "", SagaState::Value_Name(saga.state()),
                   cut_short ? " when its run ended: " : "",
                   cut_short ? RunStatus::Value_Name(status) : "", "\n");
  if (!table.empty()) absl::StrAppend(&text, table.Text());
  absl::StrAppend(&text, NotUndone(saga, status));
  if (saga.state() == SagaState::COMPENSATION_BLOCKED && !Closed(status)) {
    absl::StrAppend(&text, "next: campaignctl saga retry|skip|resolve ", saga.workflow_id(),
                    " STEP\n");
  }
  return text;
}

std::string UndoText(const std::string& detail_json) {
  const nlohmann::json report =
      nlohmann::json::parse(detail_json, nullptr, /*allow_exceptions=*/false);
  if (!report.is_array()) return "";
  Table table({"STEP", "OUTCOME", "UNDO", "DETAIL"});
  for (const nlohmann::json& step : report) {
    if (!step.is_object()) return "";
    const std::string undo = TextOf(step, "compensation");
    if (undo.empty() || undo == CompensationState::Value_Name(CompensationState::NONE)) continue;
    std::string detail = TextOf(step, "reason");
    if (const std::string by = TextOf(step, "decided_by"); !by.empty()) {
      absl::StrAppend(&detail, " (", by, ")");
    }
    // What failed and then went well is of no interest.
    const std::string error = undo == CompensationState::Value_Name(CompensationState::COMPLETED)
                                  ? ""
                                  : ErrorCell(TextOf(step, "last_error"));
    absl::StrAppend(&detail, detail.empty() || error.empty() ? "" : "; ", error);
    table.Add({TextOf(step, "step"), TextOf(step, "outcome"), undo, detail});
  }
  return table.empty() ? "" : table.Text();
}

}  // namespace cli
