// Verifier: reads a trail from its beginning and says whether it is whole, or where it first is
// not. It finds an entry that was changed, taken out, moved or put in; and, by heads that were kept
// elsewhere, one that was cut off at the end or a trail that was written anew.
//
// Thread-safety: thread-compatible.
//
// Example:
//   Verifier verifier({{"the head file", head}});
//   for (const Entry& entry : entries) if (!verifier.Add(entry)) break;
//   Verdict verdict = verifier.Finish();
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/audit/entry.h"

namespace audit {

// A head that the trail must hold.
struct Witness {
  std::string name;  // for people: "the head file"
  Head head;
};

struct Verdict {
  bool intact = true;
  Head head;                   // the last good entry
  int64_t checked = 0;         // good entries
  int64_t first_bad = 0;       // its sequence; 0: none
  std::string problem;         // for people
  int64_t first_sequence = 1;  // of the first entry: 1, or where a part of a trail begins
};

class Verifier {
 public:
  // `part`: the trail may begin behind its first entry (an export of its end).
  explicit Verifier(std::vector<Witness> witnesses = {}, bool part = false);

  // False when the entry is bad; what follows is not looked at.
  bool Add(const Entry& entry);
  // Nothing more comes.
  Verdict Finish();

 private:
  bool Bad(int64_t sequence, std::string problem);
  bool CheckWitnesses();

  std::vector<Witness> witnesses_;
  bool part_;
  bool begun_ = false;
  Verdict verdict_;
};

}  // namespace audit
