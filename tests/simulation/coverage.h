// What the seeds must have reached: event types, kinds of trouble, marked branches of the product
// (REACHED, orchestrator/base/coverage.h).
//
// One thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sim {

// Counts by number of seeds, by name ("event: timer_fired", "fault: crash", "mark: eviction").
class Coverage {
 public:
  void Add(const std::set<std::string>& reached);
  // A seed has ended: which marks it reached.
  void AddMarks();
  void Print() const;
  // What is expected and was not reached.
  std::vector<std::string> Missing() const;

 private:
  std::map<std::string, uint64_t> seeds_;
  std::map<std::string, uint64_t> marks_before_;
};

}  // namespace sim
