// simulation_tests: runs seeds, says what they reached, and on a violation prints the seed and a
// readable trace. `--red` runs a broken rule until it is found; that it is not is the failure.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "orchestrator/base/log.h"
#include "tests/simulation/simulation.h"

namespace sim {
namespace {

struct Flags {
  uint64_t seed = 1;
  uint64_t seeds = 200;
  std::string rule = "none";
  bool red = false;
  bool trace = false;
  bool same = false;
};

void PrintTrace(Options options, base::Metrics& metrics) {
  options.trace = true;
  const Result result = RunSimulation(options, metrics);
  for (const std::string& line : result.trace) std::printf("%s\n", line.c_str());
  std::printf("violation: %s\nseed: %llu rule: %s steps: %llu hash: %016llx\n",
              result.violation.empty() ? "none" : result.violation.c_str(),
              static_cast<unsigned long long>(options.seed), NameOf(options.broken),
              static_cast<unsigned long long>(result.steps),
              static_cast<unsigned long long>(result.hash));
}

// One seed run twice must be one run.
int RunSame(const Flags& flags, base::Metrics& metrics) {
  for (uint64_t seed = flags.seed; seed < flags.seed + flags.seeds; ++seed) {
    const Result first = RunSimulation({.seed = seed}, metrics);
    const Result second = RunSimulation({.seed = seed, .trace = true}, metrics);
    if (first.hash == second.hash && first.steps == second.steps) continue;
    std::printf("seed %llu ran in two ways: %016llx and %016llx\n",
                static_cast<unsigned long long>(seed), static_cast<unsigned long long>(first.hash),
                static_cast<unsigned long long>(second.hash));
    return 1;
  }
  std::printf("%llu seeds gave the same trace twice\n",
              static_cast<unsigned long long>(flags.seeds));
  return 0;
}

int RunRed(const Flags& flags, Rule rule, base::Metrics& metrics) {
  for (uint64_t seed = flags.seed; seed < flags.seed + flags.seeds; ++seed) {
    const Result result = RunSimulation({.seed = seed, .broken = rule}, metrics);
    if (result.violation.empty()) continue;
    std::printf("%s: found by seed %llu: %s\n", NameOf(rule), static_cast<unsigned long long>(seed),
                result.violation.c_str());
    return 0;
  }
  std::printf("%s: NOT found in %llu seeds\n", NameOf(rule),
              static_cast<unsigned long long>(flags.seeds));
  return 1;
}

int RunSeeds(const Flags& flags, Rule rule, base::Metrics& metrics) {
  std::printf("seeds %llu to %llu\n", static_cast<unsigned long long>(flags.seed),
              static_cast<unsigned long long>(flags.seed + flags.seeds - 1));
  const auto begin = std::chrono::steady_clock::now();
  std::map<std::string, uint64_t> reached;
  uint64_t lives = 0;
  uint64_t steps = 0;
  for (uint64_t seed = flags.seed; seed < flags.seed + flags.seeds; ++seed) {
    const Options options{.seed = seed, .broken = rule};
    const Result result = RunSimulation(options, metrics);
    lives += result.lives;
    steps += result.steps;
    for (const std::string& name : result.reached) ++reached[name];
    if (result.violation.empty()) continue;
    PrintTrace(options, metrics);
    return 1;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("reached, by number of seeds:\n");
  for (const auto& [name, count] : reached) {
    std::printf("  %8llu  %s\n", static_cast<unsigned long long>(count), name.c_str());
  }
  std::printf("%llu seeds, %llu workflow lives, %llu steps in %.1f s: %.0f lives/s; no violation\n",
              static_cast<unsigned long long>(flags.seeds), static_cast<unsigned long long>(lives),
              static_cast<unsigned long long>(steps), seconds, lives / seconds);
  return 0;
}

int Main(int argc, char** argv) {
  CLI::App app("Runs the engine in a simulated world, seed by seed");
  Flags flags;
  app.add_option("--seed", flags.seed, "the first seed");
  app.add_option("--seeds", flags.seeds, "how many seeds");
  app.add_option("--break", flags.rule, "the rule to break");
  app.add_flag("--red", flags.red, "succeed when the broken rule (all, without --break) is found");
  app.add_flag("--trace", flags.trace, "print the trace of the one seed");
  app.add_flag("--same", flags.same, "run each seed twice and compare");
  CLI11_PARSE(app, argc, argv);
  Rule rule = Rule::kNone;
  if (!ParseRule(flags.rule, &rule)) {
    std::printf("no rule \"%s\"; there are:", flags.rule.c_str());
    for (int i = 1; i < static_cast<int>(Rule::kCount); ++i) {
      std::printf(" %s", NameOf(static_cast<Rule>(i)));
    }
    std::printf("\n");
    return 2;
  }
  base::SetLogLevel(base::LogLevel::kOff);
  base::Metrics metrics;
  if (flags.trace) {
    PrintTrace({.seed = flags.seed, .broken = rule}, metrics);
    return 0;
  }
  if (flags.same) return RunSame(flags, metrics);
  if (!flags.red) return RunSeeds(flags, rule, metrics);
  if (rule != Rule::kNone) return RunRed(flags, rule, metrics);
  int failed = 0;
  for (int i = 1; i < static_cast<int>(Rule::kCount); ++i) {
    failed |= RunRed(flags, static_cast<Rule>(i), metrics);
  }
  return failed;
}

}  // namespace
}  // namespace sim

int main(int argc, char** argv) { return sim::Main(argc, argv); }
