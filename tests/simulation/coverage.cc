#include "tests/simulation/coverage.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/coverage.h"
#include "orchestrator/v1/history.pb.h"

namespace sim {
namespace {

// Event types that no simulated run can have; docs/internals/simulation.md says why.
const std::set<std::string>& NotSimulated() {
  static const std::set<std::string> kNames = {
      "workflow_task_scheduled",   // served form; stored is workflow_task
      "workflow_task_started",     //
      "workflow_task_completed",   //
      "workflow_execution_reset",  // repeats effects on purpose
  };
  return kNames;
}

const std::vector<std::string>& Expected() {
  static const std::vector<std::string> kNames = {
      "fault: commit failed",
      "fault: commit of unknown outcome",
      "fault: read failed",
      "fault: crash",
      "fault: crash after the commit",
      "fault: stale owner",
      "fault: node frozen",
      "fault: lease of a frozen node taken",
      "fault: node closed",
      "fault: loop paused",
      "fault: clock back",
      "fault: clock forward",
      "fault: several nodes",
      "fault: several partitions",
      "fault: message lost",
      "fault: answer of a node lost",
      "fault: answer lost",
      "fault: busy",
      "fault: hang",
      "fault: late effect",
      "fault: refused",
      "fault: put off",
      "fault: outage of a vendor",
      "fault: kill switch",
      "fault: request late",
      "fault: request not sent",
      "verb: start repeated",
      "verb: start with signal",
      "verb: cancel",
      "verb: cancel of a cron",
      "verb: terminate",
      "verb: pause",
      "verb: resume",
      "verb: retry now",
      "verb: query",
      "verb: result",
      "verb: update",
      "verb: update rejected",
      "verb: campaign COMPLETED",
      "verb: campaign FAILED",
      "verb: campaign CANCELED",
      "mark: commit failed or unknown",
      "mark: batch dropped with the one before",
      "mark: update lost with its batch",
      "mark: result lost with its batch",
      "mark: run closed before its update",
      "mark: lease lost at a commit",
      "mark: lease lost before a dispatch",
      "mark: lease not confirmed",
      "mark: history written by another owner",
      "mark: due run not loaded",
      "mark: due runs not read",
      "mark: closed run is due",
      "mark: attempt restored",
      "mark: takeover: effect unknown",
      "mark: attempt in flight outlived its run in memory",
      "mark: attempt told to stop",
      "mark: attempt put off",
      "mark: attempt given back",
      "mark: attempt failed after it was asked to cancel",
      "mark: attempts used up",
      "mark: late result refused",
      "mark: eviction",
      "mark: eviction of a run with something due",
      "mark: run begins before the one before it",
      "mark: message to a run sent again",
      "mark: message to a run came again",
      "mark: closed run sees to its child",
      "mark: answer to a closed run",
      "mark: child's end told again",
      "mark: child to stop has ended",
      "mark: compensation blocked",
  };
  return kNames;
}

}  // namespace

void Coverage::Add(const std::set<std::string>& reached) {
  for (const std::string& name : reached) ++seeds_[name];
}

void Coverage::AddMarks() {
  std::map<std::string, uint64_t> now = base::CoverageMark::All();
  for (const auto& [name, hits] : now) {
    if (hits > marks_before_[name]) ++seeds_[absl::StrCat("mark: ", name)];
  }
  marks_before_ = std::move(now);
}

void Coverage::Print() const {
  std::printf("reached, by number of seeds:\n");
  for (const auto& [name, count] : seeds_) {
    std::printf("  %8llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  }
  for (const std::string& name : Missing()) std::printf("  not reached: %s\n", name.c_str());
}

std::vector<std::string> Coverage::Missing() const {
  std::vector<std::string> missing;
  const auto* oneof = orchestrator::v1::HistoryEvent::descriptor()->FindOneofByName("attributes");
  for (int i = 0; i < oneof->field_count(); ++i) {
    const std::string field(oneof->field(i)->name());
    const std::string name = absl::StrCat("event: ", field);
    if (!NotSimulated().contains(field) && !seeds_.contains(name)) missing.push_back(name);
  }
  for (const std::string& name : Expected()) {
    if (!seeds_.contains(name)) missing.push_back(name);
  }
  return missing;
}

}  // namespace sim
