// Commands that show something, once or again and again (--watch).
#include <iostream>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/cli/command.h"
#include "gateway/cli/table.h"

namespace cli {

namespace {

constexpr char kClearScreen[] = "\033[H\033[2J";

struct Repetition {
  bool on = false;
  std::string interval = "2s";
};

std::string CheckInterval(const std::string& text) {
  absl::Duration interval;
  const bool fine = absl::ParseDuration(text, &interval) && interval >= absl::Milliseconds(100);
  return fine ? "" : "must be a duration of at least 100ms, such as 2s";
}

// Ends when `show` failed.
void Repeat(Session& session, const Repetition& repetition, const std::function<void()>& show) {
  absl::Duration interval;
  absl::ParseDuration(repetition.interval, &interval);
  absl::Mutex mu;
  const bool over = false;
  while (true) {
    if (repetition.on && !session.json() && StdoutIsTerminal()) std::cout << kClearScreen;
    show();
    std::cout.flush();
    if (!repetition.on || session.exit_code != kOk) return;
    absl::MutexLock lock(&mu);  // a pause; Ctrl-C ends the program
    mu.AwaitWithTimeout(absl::Condition(&over), interval);
  }
}

}  // namespace

CLI::App* AddViewCommand(CLI::App& parent, Session& session, const std::string& name,
                         const std::string& description, const std::string& example,
                         std::function<void()> show) {
  auto repetition = std::make_shared<Repetition>();
  CLI::App* command = AddCommand(
      parent, name, description, example,
      [&session, repetition, show = std::move(show)] { Repeat(session, *repetition, show); });
  command->add_flag("--watch", repetition->on, "Show it again and again until Ctrl-C");
  command->add_option("--interval", repetition->interval, "With --watch: the time between two")
      ->capture_default_str()
      ->check(CheckInterval);
  return command;
}

}  // namespace cli
