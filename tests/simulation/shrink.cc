#include "tests/simulation/shrink.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace sim {
namespace {

constexpr int kRunsMax = 1500;
constexpr uint64_t kSalts = 6;  // orders of events that a candidate is tried with

int CountWords(const std::map<int, std::string>& programs) {
  int words = 0;
  for (const auto& [number, program] : programs) {
    words += static_cast<int>(
        std::vector<std::string>(absl::StrSplit(program, ' ', absl::SkipEmpty())).size());
  }
  return words;
}

class Shrinker {
 public:
  Shrinker(Options options, base::Metrics& metrics) : metrics_(metrics) {
    best_.options = std::move(options);
    best_.result = Run(best_.options);
    kind_ = KindOf(best_.result.violation);
    best_.options.programs = best_.result.programs;
  }

  Shrunk Work() {
    if (best_.result.violation.empty()) return best_;
    int size = SizeOf(best_.options, best_.result) + 1;
    while (SizeOf(best_.options, best_.result) < size && best_.runs < kRunsMax) {
      size = SizeOf(best_.options, best_.result);
      DropWorkflows();
      DropTroubles();
      Bisect(&Options::campaigns_max, 0, 4);
      Bisect(&Options::nodes_max, 1, 4);
      Bisect(&Options::partitions_max, 1, 4);
      Bisect(&Options::hurts_max, 0, best_.result.hurts);
      for (const auto& [number, program] : std::map(best_.options.programs)) DropWords(number);
    }
    return best_;
  }

 private:
  Result Run(const Options& options) {
    ++best_.runs;
    return RunSimulation(options, metrics_);
  }

  // Takes the candidate when it fails in the same way, whatever the order of events.
  bool Try(Options candidate) {
    const uint64_t first = candidate.salt;
    for (uint64_t i = 0; i < kSalts && best_.runs < kRunsMax; ++i) {
      candidate.salt = i == 0 ? first : i - 1;
      if (i > 0 && candidate.salt == first) continue;
      Result result = Run(candidate);
      if (KindOf(result.violation) != kind_) continue;
      best_.options = candidate;
      best_.result = std::move(result);
      return true;
    }
    return false;
  }

  void DropWorkflows() {
    for (const auto& [number, program] : std::map(best_.options.programs)) {
      if (best_.options.programs.size() == 1 && best_.result.campaigns == 0) return;
      Options candidate = best_.options;
      candidate.programs.erase(number);
      Try(std::move(candidate));
    }
  }

  void DropTroubles() {
    for (int i = 0; i < static_cast<int>(Trouble::kCount); ++i) {
      if (!best_.options.has(static_cast<Trouble>(i))) continue;
      Options candidate = best_.options;
      candidate.without |= 1u << i;
      Try(std::move(candidate));
    }
  }

  void Bisect(int Options::* limit, int low, int high) {
    high = std::min(high, best_.options.*limit);
    while (low < high) {
      const int middle = low + (high - low) / 2;
      Options candidate = best_.options;
      candidate.*limit = middle;
      if (Try(std::move(candidate))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
  }

  // Halves of the program, quarters, ... single words.
  void DropWords(int number) {
    std::vector<std::string> words =
        absl::StrSplit(best_.options.programs[number], ' ', absl::SkipEmpty());
    for (size_t chunk = std::max<size_t>(words.size() / 2, 1);; chunk /= 2) {
      for (size_t at = 0; at < words.size() && words.size() > 1;) {
        std::vector<std::string> fewer(words.begin(), words.begin() + at);
        fewer.insert(fewer.end(), words.begin() + std::min(at + chunk, words.size()), words.end());
        Options candidate = best_.options;
        candidate.programs[number] = absl::StrJoin(fewer, " ");
        if (!fewer.empty() && Try(std::move(candidate))) {
          words = fewer;
        } else {
          at += chunk;
        }
      }
      if (chunk <= 1) return;
    }
  }

  base::Metrics& metrics_;
  Shrunk best_;
  std::string kind_;
};

}  // namespace

Shrunk Shrink(const Options& options, base::Metrics& metrics) {
  Shrinker shrinker(options, metrics);
  return shrinker.Work();
}

int SizeOf(const Options& options, const Result& result) {
  int troubles = 0;
  for (int i = 0; i < static_cast<int>(Trouble::kCount); ++i) {
    troubles += options.has(static_cast<Trouble>(i)) ? 1 : 0;
  }
  return CountWords(result.programs) + 2 * static_cast<int>(result.programs.size()) + troubles +
         result.hurts + 10 * result.campaigns + std::min(options.nodes_max, 4) +
         std::min(options.partitions_max, 4);
}

std::string KindOf(const std::string& violation) {
  std::vector<std::string> words = absl::StrSplit(violation, ' ');
  for (std::string& word : words) {
    if (std::any_of(word.begin(), word.end(), absl::ascii_isdigit)) word = "#";
  }
  return absl::StrJoin(words, " ");
}

}  // namespace sim
