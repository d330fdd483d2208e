// The fault matrix: what every operation of every connector does when a call that it makes meets a
// fault that the vendor is known for. One table (fault_matrix_table.cc) says what is expected; the
// test plays it against vendor-sandbox, and docs/connectors.md shows it.
//
// A cell is played twice: the fault strikes once, and it strikes every call ("always"). After both
// the fault is taken away and the operation is tried again, as the engine would: then it must
// succeed and leave exactly the resources that belong there.
//
// Thread-safety: values; the steps run on the I/O loop.
//
// Example:
//   for (const Operation& operation : Operations()) {
//     for (const Fault& fault : FaultsOf(operation.vendor)) {
//       const Expected expected = ExpectedOf(operation, fault, Mode::kOnce);
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace connector_test {

// Of one call, and of the creations of one operation (kept small, so that the matrix is fast).
inline constexpr int kTries = 3;
inline constexpr int kRounds = 4;

enum class Mode { kOnce, kAlways };

// One run of one operation.
struct Case {
  outbound::Outbound* outbound = nullptr;
  std::string origin;  // "http://127.0.0.1:PORT", or https: there for a TLS failure
  std::map<std::string, std::string> bases;  // in place of origin + prefix, by prefix
  std::string workflow_id;
  outbound::CallContext context;
  absl::Time now;
  int attempt = 1;
  // What `prepare` leaves for `act`.
  std::string id;
  int64_t number = 0;
  std::vector<std::string> batch_ids;
  std::string key_file;
  std::optional<base::Done> result;  // of the last step

  std::string Base(const std::string& prefix) const {
    const auto found = bases.find(prefix);
    return found == bases.end() ? origin + prefix : found->second;
  }
};

using Step = base::Task<base::Done> (*)(Case*);

// How an operation answers a call whose outcome nobody knows.
enum class Doubt {
  kRepeats,   // repeats the call: it reads, or lands on the same result
  kLooks,     // looks whether it happened before it creates again
  kFences,    // takes back what may have happened, then creates again
  kGivesBack  // hands the doubt to its caller
};

struct Operation {
  std::string vendor;  // in the sandbox
  std::string name;    // "EnsureMessage"
  std::string call;    // that meets the fault, by the sandbox's name
  Doubt doubt = Doubt::kRepeats;
  std::string kind;  // of the resource it makes or takes away; "" = none
  int alive = 0;     // of that kind, in the end
  Step prepare = nullptr;
  Step act = nullptr;
  int calls = 1;  // of `call`, without a fault
};

// What a fault says about the call's effect.
enum class Nature {
  kRefused,   // it did nothing and never will
  kBusy,      // it did nothing, later it may
  kLimited,   // as kBusy, and the vendor says when
  kUndone,    // in doubt; it did nothing
  kDone,      // in doubt; it was done
  kNoSession  // TLS: nothing was sent
};

struct Fault {
  std::string name;  // in the table: "503", "lost answer"
  std::string kind;  // of the sandbox; "" = none (TLS)
  int status = 0;    // 0 = the usual one
  std::string code;  // "" = the usual one
  Nature nature = Nature::kRefused;
  std::string type;   // of the failure
  bool slow = false;  // ends by our time-out
};

struct Expected {
  std::string type;  // "" = it succeeds
  bool retryable = true;
  bool waits = false;  // the engine waits, without using an attempt
  int calls = 1;       // of Operation::call that the vendor sees, as long as the fault is there
  std::string ToString() const;
  bool operator==(const Expected&) const = default;
};

const std::vector<Operation>& Operations();
// The faults that the vendor documents, and those that every network has.
const std::vector<Fault>& FaultsOf(const std::string& vendor);
Expected ExpectedOf(const Operation& operation, const Fault& fault, Mode mode);
// The whole table, for people.
std::string MatrixMarkdown();

}  // namespace connector_test
