#include "gateway/audit/verify.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace audit {

Verifier::Verifier(std::vector<Witness> witnesses, bool part)
    : witnesses_(std::move(witnesses)), part_(part) {}

bool Verifier::Bad(int64_t sequence, std::string problem) {
  verdict_.intact = false;
  verdict_.first_bad = sequence;
  verdict_.problem = std::move(problem);
  return false;
}

bool Verifier::Add(const Entry& entry) {
  if (!verdict_.intact) return false;
  if (!begun_ && part_) {
    verdict_.head = {.sequence = entry.sequence - 1, .hash = entry.prev_hash};
    verdict_.first_sequence = entry.sequence;
  }
  begun_ = true;
  const int64_t expected = verdict_.head.sequence + 1;
  if (entry.sequence > expected) {
    return Bad(expected, absl::StrCat("event ", expected, " is missing: event ", entry.sequence,
                                      " comes in its place"));
  }
  if (entry.sequence < expected) {
    return Bad(expected, absl::StrCat("event ", entry.sequence, " stands where event ", expected,
                                      " must be: it was moved, repeated or put in"));
  }
  if (entry.hash != HashOf(entry)) {
    return Bad(expected, absl::StrCat("event ", expected, " was changed: its hash is another"));
  }
  if (entry.prev_hash != verdict_.head.hash) {
    return Bad(expected, absl::StrCat("event ", expected,
                                      " does not follow the event before it: one of the two was "
                                      "written anew or put in"));
  }
  verdict_.head = {.sequence = entry.sequence, .hash = entry.hash};
  ++verdict_.checked;
  return CheckWitnesses();
}

bool Verifier::CheckWitnesses() {
  for (const Witness& witness : witnesses_) {
    if (witness.head.sequence == verdict_.head.sequence &&
        witness.head.hash != verdict_.head.hash) {
      --verdict_.checked;
      return Bad(verdict_.head.sequence,
                 absl::StrCat("event ", verdict_.head.sequence, " is not the one that ",
                              witness.name, " holds: the trail was written anew, there or before"));
    }
  }
  return true;
}

Verdict Verifier::Finish() {
  if (!verdict_.intact) return verdict_;
  for (const Witness& witness : witnesses_) {
    if (witness.head.sequence > verdict_.head.sequence) {
      Bad(verdict_.head.sequence + 1,
          absl::StrCat("the end is missing: the trail ends at event ", verdict_.head.sequence, ", ",
                       witness.name, " knows event ", witness.head.sequence));
      return verdict_;
    }
    if (part_ && begun_ && witness.head.sequence + 1 < verdict_.first_sequence) {
      Bad(verdict_.first_sequence,
          absl::StrCat("the part begins at event ", verdict_.first_sequence, ", behind event ",
                       witness.head.sequence, " of ", witness.name,
                       ": export from there on to check it"));
      return verdict_;
    }
  }
  return verdict_;
}

}  // namespace audit
