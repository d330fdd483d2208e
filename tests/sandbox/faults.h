// Faults that a test asks for: which calls they hit, how often, and what they do. Kept in the
// store's settings, so that they outlive a restart. A decision depends on (seed, how many calls
// the fault has seen) alone, so that a run can be repeated.
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   Faults faults(store, {{"github", {"pulls.create"}}, {"slack", {"chat.postMessage"}}});
//   FaultInput input = faults.Parse(Json{{"vendor", "github"}, {"kind", "error"}, {"rate", 0.2}});
//   if (input.violations.empty()) faults.Add(input.fault);
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sandbox/json.h"
#include "tests/sandbox/store.h"

namespace sandbox {

struct Fault {
  std::string id;
  std::string vendor;       // "*" = every vendor
  std::string operation;    // "" = every call; see README.md
  std::string workflow_id;  // "" = everyone's
  std::string kind;
  std::string code;  // of `error`: the vendor's own word; "" = its usual one
  std::optional<int> status;
  std::optional<int64_t> retry_after_s;
  std::optional<int64_t> count;  // how often it may still strike; absent = without end
  double rate = 1.0;
  int64_t latency_ms = 0;
  int64_t seed = 0;
  int64_t seen = 0;     // calls that it could have hit
  int64_t applied = 0;  // calls that it hit
};

struct FieldViolation {
  std::string field;
  std::string description;
};

struct FaultInput {
  Fault fault;
  std::vector<FieldViolation> violations;  // all of them; empty = the fault is good
};

// What a call has to be known by to be hit.
struct FaultTarget {
  std::string_view vendor;
  std::string_view operation;
  std::string_view method;
  std::string_view path;         // as sent
  std::string_view vendor_path;  // without the vendor's prefix
  std::string_view workflow_id;
};

// A vendor, and the names of its calls.
struct FaultPlace {
  std::string vendor;
  std::vector<std::string> operations;
};

class Faults {
 public:
  Faults(Store& store, std::vector<FaultPlace> places);

  // Reads what the store kept; call after Store::Open and after Store::Clear.
  void Load();

  FaultInput Parse(const Json& body) const;
  const Fault& Add(Fault fault);
  bool Remove(const std::string& id);
  void RemoveAll();
  const std::vector<Fault>& all() const { return faults_; }

  // The faults that strike this call, at most one that is no latency. Counts them.
  std::vector<Fault> Strike(const FaultTarget& target);

 private:
  void Keep(const Fault& fault);

  Store& store_;
  const std::vector<FaultPlace> places_;
  std::vector<Fault> faults_;
};

Json ToJson(const Fault& fault);

}  // namespace sandbox
