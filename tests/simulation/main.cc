// simulation_tests: runs seeds, says what they reached, and on a violation prints the seed and a
// readable trace. `--red` runs a broken rule until it is found; that it is not is the failure.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "absl/strings/numbers.h"
#include "orchestrator/base/log.h"
#include "tests/simulation/coverage.h"
#include "tests/simulation/shrink.h"
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
  bool shrink = false;
  bool go_on = false;
  bool require = false;
  uint64_t progress = 0;
  bool shrink_red = false;
  uint64_t salt = 0;
  std::vector<std::string> without;
  int hurts = Options().hurts_max;
  int partitions = Options().partitions_max;
  int nodes = Options().nodes_max;
  int campaigns = Options().campaigns_max;
  int campaigns_min = 0;
  std::vector<std::string> programs;
};

using Number = unsigned long long;

// False, with a message, when a flag makes no sense.
bool OptionsOf(const Flags& flags, Options* options) {
  options->seed = flags.seed;
  options->salt = flags.salt;
  options->hurts_max = flags.hurts;
  options->partitions_max = flags.partitions;
  options->nodes_max = flags.nodes;
  options->campaigns_max = flags.campaigns;
  options->campaigns_min = flags.campaigns_min;
  if (!ParseRule(flags.rule, &options->broken)) {
    std::printf("no rule \"%s\"; there are:", flags.rule.c_str());
    for (int i = 1; i < static_cast<int>(Rule::kCount); ++i) {
      std::printf(" %s", NameOf(static_cast<Rule>(i)));
    }
    std::printf("\n");
    return false;
  }
  for (const std::string& name : flags.without) {
    Trouble trouble;
    if (ParseTrouble(name, &trouble)) {
      options->without |= 1u << static_cast<int>(trouble);
      continue;
    }
    std::printf("no trouble \"%s\"; there are:", name.c_str());
    for (int i = 0; i < static_cast<int>(Trouble::kCount); ++i) {
      std::printf(" %s", NameOf(static_cast<Trouble>(i)));
    }
    std::printf("\n");
    return false;
  }
  for (const std::string& program : flags.programs) {
    const size_t equals = program.find('=');
    int number = 0;
    if (equals == std::string::npos || !absl::SimpleAtoi(program.substr(0, equals), &number)) {
      std::printf("--program must be NUMBER=WORDS, for example '0=run:0.0: fail'\n");
      return false;
    }
    options->programs[number] = program.substr(equals + 1);
  }
  return true;
}

void PrintTrace(Options options, base::Metrics& metrics) {
  options.trace = true;
  const Result result = RunSimulation(options, metrics);
  for (const std::string& line : result.trace) std::printf("%s\n", line.c_str());
  std::printf("violation: %s\noptions: %s\nsteps: %llu hash: %016llx\n",
              result.violation.empty() ? "none" : result.violation.c_str(), options.Flags().c_str(),
              static_cast<Number>(result.steps), static_cast<Number>(result.hash));
}

int RunShrink(const Options& options, base::Metrics& metrics) {
  const Result whole = RunSimulation(options, metrics);
  const Shrunk small = Shrink(options, metrics);
  if (small.result.violation.empty()) {
    std::printf("%s: no violation\n", options.Flags().c_str());
    return 0;
  }
  PrintTrace(small.options, metrics);
  std::printf("size %d, was %d; steps %llu, were %llu; %d runs\n",
              SizeOf(small.options, small.result), SizeOf(options, whole),
              static_cast<Number>(small.result.steps), static_cast<Number>(whole.steps),
              small.runs);
  return 1;
}

// Some broken rules: what shrinks must fail as before, and be much smaller.
int RunShrinkRed(const Flags& flags, base::Metrics& metrics) {
  for (const Rule rule : {Rule::kCompensationIsNoop, Rule::kLostWrite, Rule::kNoEpochCheck}) {
    Options options{.seed = flags.seed, .broken = rule};
    options.campaigns_max = 1;  // campaigns are left out from the last one on: it may be the one
    Result whole = RunSimulation(options, metrics);
    for (uint64_t i = 0; i < flags.seeds && (whole.violation.empty() || whole.programs.size() < 4);
         ++i) {
      ++options.seed;
      whole = RunSimulation(options, metrics);
    }
    const Shrunk small = Shrink(options, metrics);
    const Result again = RunSimulation(small.options, metrics);
    std::printf("%s: size %d from %d in %d runs: %s\n  %s\n", NameOf(rule),
                SizeOf(small.options, small.result), SizeOf(options, whole), small.runs,
                small.options.Flags().c_str(), again.violation.c_str());
    if (again.violation.empty() || again.hash != small.result.hash ||
        KindOf(again.violation) != KindOf(whole.violation) ||
        SizeOf(small.options, again) * 2 > SizeOf(options, whole)) {
      std::printf("%s: it did not shrink; the whole run said: %s\n", NameOf(rule),
                  whole.violation.c_str());
      return 1;
    }
  }
  return 0;
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

int RunSeeds(const Flags& flags, Options options, base::Metrics& metrics) {
  std::printf("seeds %llu to %llu\n", static_cast<unsigned long long>(flags.seed),
              static_cast<unsigned long long>(flags.seed + flags.seeds - 1));
  const auto begin = std::chrono::steady_clock::now();
  Coverage coverage;
  uint64_t lives = 0;
  uint64_t campaigns = 0;
  uint64_t failed = 0;
  uint64_t steps = 0;
  for (uint64_t seed = flags.seed; seed < flags.seed + flags.seeds; ++seed) {
    options.seed = seed;
    const Result result = RunSimulation(options, metrics);
    lives += result.lives;
    campaigns += result.campaigns;
    steps += result.steps;
    coverage.Add(result.reached);
    coverage.AddMarks();
    if (flags.progress > 0 && (seed - flags.seed + 1) % flags.progress == 0) {
      std::printf("seed %llu done, %llu lives (%llu campaigns), %llu steps\n",
                  static_cast<Number>(seed), static_cast<Number>(lives),
                  static_cast<Number>(campaigns), static_cast<Number>(steps));
      std::fflush(stdout);
    }
    if (result.violation.empty()) continue;
    ++failed;
    if (flags.go_on) {
      std::printf("seed %llu FAILED: %s\n", static_cast<Number>(seed), result.violation.c_str());
      std::fflush(stdout);
      continue;
    }
    PrintTrace(options, metrics);
    return 1;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  coverage.Print();
  std::printf(
      "%llu seeds, %llu workflow lives (%llu campaigns), %llu steps in %.1f s: %.0f lives/s; %llu "
      "violations\n",
      static_cast<Number>(flags.seeds), static_cast<Number>(lives), static_cast<Number>(campaigns),
      static_cast<Number>(steps), seconds, lives / seconds, static_cast<Number>(failed));
  if (failed > 0) return 1;
  return flags.require && !coverage.Missing().empty() ? 1 : 0;
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
  app.add_flag("--shrink", flags.shrink, "make the failing run of the one seed small");
  app.add_flag("--shrink-red", flags.shrink_red, "succeed when broken rules shrink well");
  app.add_flag("--go-on", flags.go_on, "name the seeds that fail, and run the others");
  app.add_flag("--require", flags.require, "fail when something that must be reached was not");
  app.add_option("--progress", flags.progress, "say so after this many seeds");
  app.add_option("--salt", flags.salt, "another order of events for the same plan");
  app.add_option("--without", flags.without, "troubles to leave out")->delimiter(',');
  app.add_option("--hurts", flags.hurts, "peace after so many blows to nodes");
  app.add_option("--partitions", flags.partitions, "at most so many");
  app.add_option("--nodes", flags.nodes, "at most so many without need");
  app.add_option("--campaigns", flags.campaigns, "at most so many");
  app.add_option("--campaigns-min", flags.campaigns_min, "more than planned, to measure");
  app.add_option("--program", flags.programs, "NUMBER=WORDS: only these workflows, as given");
  CLI11_PARSE(app, argc, argv);
  Options options;
  if (!OptionsOf(flags, &options)) return 2;
  base::SetLogLevel(base::LogLevel::kOff);
  base::Metrics metrics;
  if (flags.shrink_red) return RunShrinkRed(flags, metrics);
  if (flags.shrink) return RunShrink(options, metrics);
  if (flags.trace) {
    PrintTrace(options, metrics);
    return 0;
  }
  if (flags.same) return RunSame(flags, metrics);
  if (!flags.red) return RunSeeds(flags, options, metrics);
  if (options.broken != Rule::kNone) return RunRed(flags, options.broken, metrics);
  int failed = 0;
  for (int i = 1; i < static_cast<int>(Rule::kCount); ++i) {
    failed |= RunRed(flags, static_cast<Rule>(i), metrics);
  }
  return failed;
}

}  // namespace
}  // namespace sim

int main(int argc, char** argv) { return sim::Main(argc, argv); }
