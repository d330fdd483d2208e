#include "gateway/server/readiness.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace server {
namespace {

// As part of a JSON text.
std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(static_cast<unsigned char>(c) < ' ' ? ' ' : c);
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace

struct Readiness::Round {
  std::vector<std::optional<Result>> results;
  absl::Duration start;
  base::TimerId timer = 0;
  bool finished = false;
};

// Touched on the loop, but for what is constant after the last Add.
struct Readiness::State {
  State(base::EventLoop& loop_in, base::Clock& clock_in, absl::Duration limit_in)
      : loop(loop_in), clock(clock_in), limit(limit_in) {}
  base::EventLoop& loop;
  base::Clock& clock;
  const absl::Duration limit;
  std::vector<std::pair<std::string, Check>> checks;
  std::shared_ptr<Round> round;  // under way
  std::vector<absl::AnyInvocable<void(const Report&)>> waiting;
};

bool Readiness::Report::ready() const {
  return std::all_of(results.begin(), results.end(),
                     [](const Result& result) { return result.status.ok(); });
}

std::string Readiness::Report::Json() const {
  std::string json =
      absl::StrCat("{\"status\":\"", ready() ? "ready" : "not ready", "\",\"checks\":[");
  for (const Result& result : results) {
    const std::string status = result.status.ok() ? "ok" : result.status.ToString();
    absl::StrAppend(&json, &result == results.data() ? "" : ",", "{\"name\":", Quoted(result.name),
                    ",\"status\":", Quoted(status), ",\"duration_ms\":",
                    absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(result.took)), "}");
  }
  return json + "]}";
}

Readiness::Readiness(base::EventLoop& loop, base::Clock& clock, absl::Duration limit)
    : state_(std::make_shared<State>(loop, clock, limit)) {}

void Readiness::Add(std::string name, Check check) {
  state_->checks.emplace_back(std::move(name), std::move(check));
}

void Readiness::Look(absl::AnyInvocable<void(const Report&)> done) {
  state_->loop.Post([state = state_, done = std::move(done)]() mutable {
    state->waiting.push_back(std::move(done));
    if (state->round == nullptr) Begin(state);
  });
}

void Readiness::Begin(const std::shared_ptr<State>& state) {
  auto round = std::make_shared<Round>();
  state->round = round;
  round->results.resize(state->checks.size());
  round->start = state->clock.Monotonic();
  round->timer = state->loop.PostAfter(state->limit, [state, round] { Finish(state, round); });
  for (size_t i = 0; i < state->checks.size(); ++i) {
    state->checks[i].second([state, round, i](absl::Status status) {
      state->loop.Post(
          [state, round, i, status = std::move(status)] { Answered(state, round, i, status); });
    });
  }
  if (state->checks.empty()) Finish(state, round);
}

void Readiness::Answered(const std::shared_ptr<State>& state, const std::shared_ptr<Round>& round,
                         size_t index, absl::Status status) {
  if (round->finished || round->results[index].has_value()) return;
  round->results[index] = Result{state->checks[index].first, std::move(status),
                                 state->clock.Monotonic() - round->start};
  const bool all = std::all_of(round->results.begin(), round->results.end(),
                               [](const auto& result) { return result.has_value(); });
  if (all) Finish(state, round);
}

void Readiness::Finish(const std::shared_ptr<State>& state, const std::shared_ptr<Round>& round) {
  if (std::exchange(round->finished, true)) return;
  state->loop.CancelTimer(round->timer);
  Report report;
  for (size_t i = 0; i < round->results.size(); ++i) {
    if (round->results[i].has_value()) {
      report.results.push_back(*round->results[i]);
    } else {
      report.results.push_back({state->checks[i].first,
                                absl::DeadlineExceededError(absl::StrCat(
                                    "no answer within ", absl::FormatDuration(state->limit))),
                                state->limit});
    }
  }
  state->round = nullptr;
  for (auto& done : std::exchange(state->waiting, {})) done(report);
}

}  // namespace server
