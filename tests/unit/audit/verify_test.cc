// Goal: whatever is done to a trail is found, at the first event that is not as it was. Method:
// a trail in memory, one way of tampering a test.
#include "gateway/audit/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "absl/strings/escaping.h"
#include "tests/unit/audit/trail.h"

namespace audit {
namespace {

Verdict Check(const std::vector<Entry>& entries, std::vector<Witness> witnesses = {},
              bool part = false) {
  Verifier verifier(std::move(witnesses), part);
  for (const Entry& entry : entries) {
    if (!verifier.Add(entry)) break;
  }
  return verifier.Finish();
}

// All behind `from` written anew, as somebody who may write the file would.
void Rechain(std::vector<Entry>* entries, size_t from) {
  for (size_t i = from; i < entries->size(); ++i) {
    Entry& entry = (*entries)[i];
    entry.sequence = static_cast<int64_t>(i) + 1;
    entry.prev_hash = i == 0 ? std::string(kHashBytes, '\0') : (*entries)[i - 1].hash;
    entry.hash = HashOf(entry);
  }
}

TEST(Verifier, FindsNothingInAWholeTrail) {
  const std::vector<Entry> trail = MakeTrail(20);
  const Verdict verdict = Check(trail, {{"the head file", {20, trail[19].hash}}});
  EXPECT_TRUE(verdict.intact) << verdict.problem;
  EXPECT_EQ(verdict.checked, 20);
  EXPECT_EQ(verdict.head, (Head{20, trail[19].hash}));
  EXPECT_EQ(verdict.first_bad, 0);
  EXPECT_TRUE(Check({}).intact);
}

TEST(Verifier, EveryFieldIsCoveredByTheHash) {
  const std::vector<std::function<void(Entry&)>> changes = {
      [](Entry& e) { e.event.actor = "bob@example.com"; },
      [](Entry& e) { e.event.credential = "none"; },
      [](Entry& e) { e.event.action = "RejectCampaign"; },
      [](Entry& e) { e.event.subject = "workflow/other"; },
      [](Entry& e) { e.event.outcome = "NOT_FOUND"; },
      [](Entry& e) { e.event.detail.clear(); },
      [](Entry& e) { e.event.correlation_id = "x"; },
      [](Entry& e) { e.event.address = "10.0.0.2:4000"; },
      [](Entry& e) { e.event.ns = "other"; },
      [](Entry& e) { e.event.started_by = 3; },
      [](Entry& e) { e.time += absl::Microseconds(1); },
      [](Entry& e) { e.prev_hash[0] ^= 1; },
      [](Entry& e) { e.hash[31] ^= 1; },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    std::vector<Entry> trail = MakeTrail(10);
    changes[i](trail[6]);
    const Verdict verdict = Check(trail);
    EXPECT_FALSE(verdict.intact) << i;
    EXPECT_EQ(verdict.first_bad, 7) << i;
    EXPECT_EQ(verdict.head.sequence, 6) << i;
  }
}

TEST(Verifier, TextCannotMoveFromOneFieldToTheNext) {
  std::vector<Entry> trail = MakeTrail(1);
  trail[0].event.actor = "ann";
  trail[0].event.credential = "@example.comjwt";
  EXPECT_FALSE(Check(trail).intact);
}

TEST(Verifier, NamesAMissingEvent) {
  for (const size_t missing : {0, 4, 8}) {
    std::vector<Entry> trail = MakeTrail(10);
    trail.erase(trail.begin() + static_cast<ptrdiff_t>(missing));
    const Verdict verdict = Check(trail);
    EXPECT_FALSE(verdict.intact);
    EXPECT_EQ(verdict.first_bad, static_cast<int64_t>(missing) + 1);
    EXPECT_NE(verdict.problem.find("is missing"), std::string::npos) << verdict.problem;
  }
}

TEST(Verifier, NamesTheEventBehindAGapThatWasClosed) {
  std::vector<Entry> trail = MakeTrail(10);
  trail.erase(trail.begin() + 4);
  for (size_t i = 4; i < trail.size(); ++i) --trail[i].sequence;
  EXPECT_EQ(Check(trail).first_bad, 5);
}

TEST(Verifier, NamesTheFirstOfTwoThatChangedPlaces) {
  std::vector<Entry> trail = MakeTrail(10);
  std::swap(trail[3], trail[7]);
  EXPECT_EQ(Check(trail).first_bad, 4);
  std::swap(trail[3].sequence, trail[7].sequence);  // with new numbers
  EXPECT_EQ(Check(trail).first_bad, 4);
}

TEST(Verifier, NamesAnEventThatWasPutIn) {
  std::vector<Entry> trail = MakeTrail(10);
  Entry forged = trail[4];
  forged.event.actor = "mallory";
  forged.hash = HashOf(forged);
  trail.insert(trail.begin() + 4, forged);
  for (size_t i = 5; i < trail.size(); ++i) ++trail[i].sequence;
  // The forged event itself is whole; the one behind it does not fit any more.
  EXPECT_EQ(Check(trail).first_bad, 6);
  trail = MakeTrail(10);
  trail.insert(trail.begin() + 4, trail[2]);
  EXPECT_EQ(Check(trail).first_bad, 5);
}

TEST(Verifier, OnlyAHeadFromElsewhereShowsACutEndAndATrailWrittenAnew) {
  const std::vector<Entry> whole = MakeTrail(10);
  const Head head{10, whole[9].hash};
  std::vector<Entry> cut = whole;
  cut.resize(7);
  EXPECT_TRUE(Check(cut).intact) << "the chain alone cannot know";
  Verdict verdict = Check(cut, {{"the head file", head}});
  EXPECT_FALSE(verdict.intact);
  EXPECT_EQ(verdict.first_bad, 8);
  EXPECT_NE(verdict.problem.find("the head file knows event 10"), std::string::npos);

  std::vector<Entry> anew = whole;
  anew[3].event.actor = "mallory";
  Rechain(&anew, 3);
  EXPECT_TRUE(Check(anew).intact);
  verdict = Check(anew, {{"the expected head", head}});
  EXPECT_FALSE(verdict.intact);
  EXPECT_EQ(verdict.first_bad, 10);
  EXPECT_EQ(verdict.head.sequence, 10);
}

TEST(Verifier, APartIsCheckedFromWhereItBegins) {
  const std::vector<Entry> whole = MakeTrail(10);
  std::vector<Entry> part(whole.begin() + 4, whole.end());
  EXPECT_FALSE(Check(part).intact);
  const Verdict verdict = Check(part, {{"the expected head", {7, whole[6].hash}}}, true);
  EXPECT_TRUE(verdict.intact) << verdict.problem;
  EXPECT_EQ(verdict.first_sequence, 5);
  EXPECT_EQ(verdict.checked, 6);
  // A head before the part says nothing of it: that must not pass for checked.
  EXPECT_FALSE(Check(part, {{"the expected head", {2, whole[1].hash}}}, true).intact);
}

TEST(HashOf, NeverChangesForWhatIsStored) {
  // A known answer, computed apart (docs/operations/audit.md has the encoding): another encoding
  // would make every trail that exists look changed.
  EXPECT_EQ(absl::BytesToHexString(MakeTrail(1)[0].hash),
            "0c8e1f13a1b7b52ca1924572d679fa38b7657428da6f64bba40ab33f50ffe926");
}

TEST(Clean, KeepsUtf8AndOneLineAndCutsBetweenCharacters) {
  Event event{.actor = "a\nb\x01\xff",
              .detail = std::string(997, 'x') + "\xc3\xa9\xc3\xa9\xc3\xa9"};
  const Event clean = Clean(event);
  EXPECT_EQ(clean.actor, "a b ?");
  EXPECT_EQ(clean.detail, std::string(997, 'x') + "...");
  EXPECT_EQ(Clean({.subject = "\xe2\x82\xac"}).subject, "\xe2\x82\xac");
  EXPECT_EQ(Clean({.subject = "\xed\xa0\x80"}).subject, "???") << "a surrogate";
}

TEST(Head, IsReadAsItIsWritten) {
  const Head head{17, Sha256("x")};
  EXPECT_EQ(ParseHead(HeadText(head)), head);
  for (const char* wrong : {"", "17", "17:ab", "x:00", ":"}) {
    EXPECT_FALSE(ParseHead(wrong).has_value()) << wrong;
  }
  EXPECT_FALSE(ParseHead("17:" + std::string(64, 'g')).has_value());
  EXPECT_FALSE(ParseHead("-1:" + std::string(64, 'a')).has_value());
}

}  // namespace
}  // namespace audit
