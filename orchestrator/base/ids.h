// Distinct id types: a WorkflowId is never passed where a RunId is meant. Value types; thread
// compatible. `NewRunId` makes a UUID version 7 (RFC 9562 section 5.7), so that ids sort by
// creation time and stored rows of new runs lie together.
//
// Example:
//   WorkflowId id("campaign-42");
//   absl::flat_hash_map<RunId, Run> runs;
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include "absl/time/time.h"

namespace base {

class Random;

template <typename Tag>
class StringId {
 public:
  StringId() = default;
  explicit StringId(std::string value) : value_(std::move(value)) {}
  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend bool operator==(const StringId& a, const StringId& b) { return a.value_ == b.value_; }
  friend auto operator<=>(const StringId& a, const StringId& b) { return a.value_ <=> b.value_; }
  template <typename H>
  friend H AbslHashValue(H h, const StringId& id) {
    return H::combine(std::move(h), id.value_);
  }
  friend std::ostream& operator<<(std::ostream& os, const StringId& id) { return os << id.value_; }

 private:
  std::string value_;
};

using Namespace = StringId<struct NamespaceTag>;
using WorkflowId = StringId<struct WorkflowIdTag>;
using RunId = StringId<struct RunIdTag>;

// Position of an event in its run's history: contiguous, from 1.
using EventId = int64_t;

// A fresh UUIDv7 in its 36-character text form.
RunId NewRunId(absl::Time now, Random& random);

}  // namespace base
